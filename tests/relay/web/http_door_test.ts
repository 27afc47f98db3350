// Holds the HTTP of a relay against its contract over loopback TCP, byte by byte: what is answered, what is
// closed, and that nothing of a request ever is a line, a client or a wait for anybody else.

import assert from "node:assert/strict";
import { REAL_ENVIRONMENT, resolveOptions } from "../../../src/relay/options.ts";
import { HttpDoor, MAX_HTTP_CONNECTIONS_PER_HOST } from "../../../src/relay/web/http_door.ts";
import type { RelayView } from "../../../src/relay/web/view.ts";
import type { LineClient } from "../../support/line_client.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { settle, StubTransport } from "../../support/stub_transport.ts";
import { WebTable } from "../../support/web_table.ts";

Deno.test("HttpDoor answers what is no request for a page or a file with a sentence, and nothing of a body becomes a line", async () => {
  await using table = new WebTable({ maxClients: 1 });
  const member = await table.member();
  for (
    const [request, status] of [
      ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1\n2\n", 405],
      ["PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n0\r\n\r\n", 405],
      ["GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404],
      ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1\n2\n", 400],
      ["GET / HTTP/1.1\r\n\r\n1\n2\n", 400],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ] as const
  ) {
    const { status: got, text, fields } = await table.ask(request);
    assert.equal(got, status, request);
    assert.match(text, /^[A-Z][^\r]*\.\n$/);
    assert.equal(fields["allow"], status === 405 ? "GET, HEAD" : undefined);
  }
  assert.equal(table.relay.stats().members, 1);
  assert.deepEqual(member.lines, []);
});

Deno.test("HttpDoor takes what comes while a relay is full, and gives its place among the clients back", async () => {
  await using table = new WebTable({ maxClients: 1 });
  using request = await table.connect();
  void request.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  await request.line(1);
  const member = await table.member(); // the request is still open
  assert.equal(request.hasEnded, false);
  assert.equal(table.relay.stats().members, 1);
  void request.send("HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  await request.line(12);
  assert.equal(member.hasEnded, false);
});

Deno.test("HttpDoor answers one request after the other on a connection, however they are sent, and nothing behind the last", async () => {
  await using table = new WebTable();
  const ask = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const text = ask("/healthz") + ask("/none") + ask("/client.js", "Connection: close\r\n") + ask("/healthz");
  for (const pieces of [[text], [...text].slice(0, 40).concat(text.slice(40))]) {
    const answers = await table.askAll(pieces, 10);
    assert.deepEqual(answers.map(({ status }) => status).slice(1), [404, 200]);
    assert.equal(answers[2].fields["connection"], "close");
  }
});

Deno.test("HttpDoor takes every method and every piece of a request that is none, and says what it is", async () => {
  await using table = new WebTable();
  const member = await table.member();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "CONNECT"]) {
    const { status, fields } = await table.ask(
      `${method} / HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n\r\n`,
    );
    assert.deepEqual([status, fields["allow"], fields["access-control-allow-origin"]], [
      405,
      "GET, HEAD",
      undefined,
    ], method);
  }
  const smuggled =
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n{"evil":1}\n{"$hello":{"version":1}}\nGET /client.js HTTP/1.1\r\nHost: x\r\n\r\n';
  for (let at = 1; at < smuggled.length; at += 7) {
    const answers = await table.askAll([smuggled.slice(0, at), smuggled.slice(at)], 5);
    assert.deepEqual(answers.map(({ status }) => status), [405], `cut at ${at}`);
  }
  assert.deepEqual([member.lines, table.relay.stats().members, table.relay.stats().sessions], [[], 1, 0]);
});

Deno.test("what is a request but for its first bytes is closed, and nothing of its body becomes a line", async () => {
  await using table = new WebTable();
  const member = await table.member();
  for (
    const begin of [
      "get / HTTP/1.1\r\n",
      "Post / HTTP/1.1\r\n",
      "FOO_BAR / HTTP/1.1\r\n",
      "PROPFIND http://localhost/ HTTP/1.1\r\n",
      `${"A".repeat(30)} / HTTP/1.1\r\n`,
      "GET\t/ HTTP/1.1\r\n",
      "\r\nPOST / HTTP/1.1\r\n",
      "\n\n POST / HTTP/1.1\n",
      "\ufeffPOST / HTTP/1.1\r\n",
      `get /${"a".repeat(70_000)} HTTP/1.1\r\n`,
      `\n\nPOST /${"a".repeat(70_000)} HTTP/1.1\r\n`,
    ]
  ) {
    const request = `${begin}Host: localhost\r\nContent-Length: 11\r\n\r\n{"evil":1}\n`;
    for (const at of [1, begin.length - 1, begin.length, request.length]) {
      const client = await table.connect();
      await client.send(request.slice(0, at));
      await client.send(request.slice(at));
      await client.ended();
      assert.match(
        client.lines.join("\n"),
        /^\{"\$error":\{"code":"(invalid_json|line_too_long)","message":"Cannot go on: .*$/,
        begin.slice(0, 80),
      );
    }
  }
  const typist = await table.connect();
  await typist.send('hello\n{"good":1}\na HTTP/1.1\n{"good":2}\n');
  assert.match(await typist.line(1), /Cannot relay line 1:/);
  assert.match(await typist.line(2), /Cannot relay line 3:/);
  await member.line(2);
  assert.deepEqual(member.lines, ['{"good":1}', '{"good":2}']);
});

Deno.test("HttpDoor repeats nothing of a request in a head, and a path in no answer as it came", async () => {
  await using table = new WebTable();
  for (
    const path of [
      "/%0d%0aSet-Cookie:%20a=b",
      "/x%0aX-Evil:1",
      "/a?b=%0d%0aX-Evil:1",
      "/<script>alert(1)</script>",
    ]
  ) {
    const { fields, text } = await table.get(path);
    assert.ok(!("set-cookie" in fields) && !("x-evil" in fields), path);
    assert.doesNotMatch(text, /script|Evil/);
    assert.match(fields["content-type"], /^text\/plain/);
  }
});

Deno.test("HttpDoor bears a thousand heads that never end: they are bounded, and nobody else waits", async () => {
  await using table = new WebTable();
  const [ada, bo] = [await table.member(), await table.member()];
  const slow = await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
    const client = await table.connect();
    await client.send(i % 2 === 0 ? "GET / HTTP/1.1\r\nHost: x\r\nX: " : "GET /");
    return client;
  }));
  const startedMs = performance.now();
  for (let i = 0; i < 20; i++) {
    await ada.send(`${i}\n`);
    await bo.line(i + 1);
    for (const client of slow.slice(i * 10, i * 10 + 10)) void client.send("y");
    assert.equal((await table.get("/client.js")).status, 200);
  }
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 30_000, `${tookMs} ms`);
  while (slow.filter(({ hasEnded }) => hasEnded).length < 1000 - MAX_HTTP_CONNECTIONS_PER_HOST) {
    await settle();
  }
  const { text } = await table.get("/metrics");
  const [, open] = /eventrelay_http_connections (\d+)/.exec(text)!;
  assert.ok(Number(open) <= MAX_HTTP_CONNECTIONS_PER_HOST, `${open} are open`);
  assert.equal(table.relay.stats().members, 2);
});

Deno.test("HttpDoor answers all who ask in the same moment, however many come from one host", async () => {
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  for (
    const [request, answer] of [
      [`GET /chat HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`, "HTTP/1.1 101 Switching Protocols\r"],
      ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r"],
    ]
  ) {
    await using table = new WebTable();
    const clients = await Promise.all(Array.from({ length: 800 }, () => table.connect()));
    for (const client of clients) void client.send(request);
    while (clients.some(({ lines, hasEnded }) => lines.length === 0 && !hasEnded)) await settle();
    assert.equal(clients.filter(({ lines }) => lines[0] === answer).length, 800, answer);
  }
});

Deno.test("HttpDoor gives up who has waited longest for a request, not who is being answered", async () => {
  await using table = new WebTable();
  const first = await table.connect();
  await first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  await first.line(9);
  const idle: LineClient[] = [];
  for (let i = 0; i < MAX_HTTP_CONNECTIONS_PER_HOST; i++) {
    const client = await table.connect();
    await client.send("GET /");
    idle.push(client);
  }
  await first.ended();
  assert.equal(idle[1].hasEnded, false);
});

Deno.test("HttpDoor lets those wait for a place who come while all others are being answered", async () => {
  const settings = resolveOptions({}), door = new HttpDoor(settings, {} as RelayView);
  const request = new TextEncoder().encode("GET /eventrelay/play.js HTTP/1.1\r\nHost: x\r\n\r\n");
  const conns = Array.from({ length: 600 }, () => new StubTransport());
  for (const conn of conns) conn.takeBytes(0);
  const served = conns.map((conn, i) => door.serve(conn, request, "class", `class:${i}`));
  await settle();
  assert.equal(door.size, MAX_HTTP_CONNECTIONS_PER_HOST);
  assert.equal(conns.some(({ isClosed }) => isClosed), false);
  for (const conn of conns) conn.takeBytes(Infinity);
  while (conns.some(({ text, isClosed }) => text.length < 100_000 && !isClosed)) await settle();
  assert.equal(conns.filter(({ text }) => text.startsWith("HTTP/1.1 200 OK")).length, 600);
  await door.close();
  await Promise.all(served);
  await settings.loop.close();
});

Deno.test("HttpDoor refuses who has waited for a place in vain, and all who wait when the relay closes", async () => {
  const time = new ManualTime();
  const settings = resolveOptions({}, { ...REAL_ENVIRONMENT, clock: time.clock, timers: time.timers });
  const door = new HttpDoor(settings, {} as RelayView);
  const ask = (bytes: string) => {
    const conn = new StubTransport();
    conn.takeBytes(0);
    return { conn, done: door.serve(conn, new TextEncoder().encode(bytes), "host", "host:1") };
  };
  const request = "GET /eventrelay/play.js HTTP/1.1\r\nHost: x\r\n\r\n";
  const first = Array.from({ length: MAX_HTTP_CONNECTIONS_PER_HOST }, () => ask(request));
  const [late] = [ask(request)];
  for (let i = 0; i < 9; i++) {
    await time.pass(1000);
    for (const { conn } of first) conn.takeOnce(1);
    await settle();
  }
  await settle();
  assert.equal(late.conn.isClosed, false);
  await time.pass(1100);
  await late.done;
  assert.equal(late.conn.isClosed, true);
  const next = ask(request);
  await door.close();
  await Promise.all([next.done, ...first.map(({ done }) => done)]);
  assert.equal(next.conn.isClosed, true);
  await settings.loop.close();
});

Deno.test("HttpDoor gives a proxy that is trusted as many connections as there are", async () => {
  await using table = new WebTable({ trustedProxies: ["loopback"] });
  const first = await table.connect();
  await first.send("GET /");
  for (let i = 0; i < MAX_HTTP_CONNECTIONS_PER_HOST; i++) {
    const client = await table.connect();
    await client.send("GET /");
  }
  assert.equal((await table.get("/healthz")).status, 200);
  assert.equal(first.hasEnded, false);
});

Deno.test("HttpDoor remembers who browsed a moment ago, but not more than a thousand hosts", async () => {
  const settings = resolveOptions({}), door = new HttpDoor(settings, {} as RelayView);
  for (let i = 0; i <= 1000; i++) {
    const conn = new StubTransport();
    conn.endInput();
    await door.serve(conn, new Uint8Array(0), `host ${i}`, `host ${i}:1`);
  }
  assert.deepEqual([0, 1, 1000].map((i) => door.isBrowsing(`host ${i}`)), [false, true, true]);
});

Deno.test("HttpDoor closes what is open when the relay closes, at whatever point it is", async () => {
  const table = new WebTable();
  const clients: LineClient[] = [];
  for (
    const text of [
      "GET /",
      "GET /client.js HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\n\r\n1\n",
    ]
  ) {
    const client = await table.connect();
    await client.send(text);
    clients.push(client);
  }
  await settle();
  await table.relay.close();
  for (const client of clients) await client.ended();
  await table[Symbol.asyncDispose]();
});

Deno.test("a TLS hello, a line and a message that begin like others are no requests", async () => {
  await using table = new WebTable();
  const tls = await table.connect();
  await tls.send(Uint8Array.of(0x16, 3, 1, 0, 5));
  await tls.ended();
  assert.deepEqual([tls.lines, tls.rest], [[], ""]);
});
