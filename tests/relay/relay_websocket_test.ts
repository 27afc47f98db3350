// Holds serve() against its contract for what only clients by WebSocket have: frames for lines, liveness,
// close codes. What holds for both transports is in relay_test.ts and relay_sessions_test.ts, what a hostile
// one does to the others in websocket_floods_long_test.ts.

import assert from "node:assert/strict";
import { listenTls } from "../../src/program/tls_listener.ts";
import type { RelayOptions } from "../../src/relay/relay.ts";
import { concat } from "../../src/wire/concat.ts";
import { LineClient } from "../support/line_client.ts";
import { ManualTime } from "../support/manual_time.ts";
import { WebSocketConn } from "../support/websocket_conn.ts";
import { clientFrame, closeFrame, textFrame, toBytes } from "../support/websocket_frames.ts";
import { pause } from "../support/pause.ts";
import { Loopback, repeated } from "../support/websocket_loopback.ts";
import { inTime } from "../support/deadline.ts";

function codeOf(line: string): string {
  return JSON.parse(line).$error?.code;
}

Deno.test("serve makes one message of all lines of a write, and takes several lines of one message, the last LF or not", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  const { conn, client } = await loopback.join();
  await plain.send("1\n2\n3\n");
  await client.line(3);
  const messages = conn.frames.filter(({ opcode }) => opcode === 1);
  assert.deepEqual(messages.map(({ payload }) => new TextDecoder().decode(payload)), ["1\n2\n3\n"]);
  await conn.writeRaw(
    concat([textFrame("4\n5"), clientFrame({ opcode: 2, payload: "6\r\n7\n" }), textFrame("8")]),
  );
  await plain.line(5);
  assert.deepEqual(plain.lines, ["4", "5", "6\r", "7", "8"]);
});

Deno.test("serve opens a session by a hello in a message without LF, and counts that LF", async () => {
  await using loopback = new Loopback();
  const conn = await loopback.open();
  const client = new LineClient(conn);
  client.startReading();
  await conn.writeRaw(textFrame('{"$hello":{"version":1,"room":"r"}}'));
  assert.equal(JSON.parse(await client.line(1)).$welcome.room, "r");
  await conn.writeRaw(concat([textFrame("1"), textFrame(""), textFrame('{"$ping":{"t":1}}')]));
  const ping = '{"$ping":{"t":1}}\n'; // it counts, too; an empty message doesn't
  assert.equal(JSON.parse(await client.line(2)).$pong.bytes, 2 + ping.length);
  const [stats] = loopback.relay.connectionStats();
  assert.deepEqual([stats.kind, stats.transport], ["session", "websocket"]);
});

Deno.test("serve takes a silent WebSocket for a plain member after 250 ms, and writes it what was said meanwhile", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  const conn = await loopback.open();
  const client = new LineClient(conn);
  client.startReading();
  while (!loopback.relay.connectionStats().some(({ transport }) => transport === "websocket")) await pause(1);
  await plain.send("1\n");
  assert.equal(await client.line(1), "1");
});

Deno.test("serve drops the half line of a message that does not end, and keeps its whole ones", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  for (const end of [closeFrame(1000), undefined]) {
    const before = plain.lines.length;
    const { conn, client } = await loopback.join();
    await conn.writeRaw(clientFrame({ opcode: 1, isFinal: false, payload: "1\n2" }));
    if (end !== undefined) await conn.writeRaw(end);
    await plain.line(before + 1);
    if (end === undefined) conn.close();
    else await client.ended();
    while (loopback.relay.stats().members > 1) await pause(1);
    await plain.send("\n");
    assert.deepEqual(plain.lines.slice(before), ["1"]);
  }
});

Deno.test("serve echoes a client's close, and does not write what it would not read", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  for (const [code, reason] of [[1000, ""], [1001, "away"], [4000, "x"]] as const) {
    const { conn, client } = await loopback.join();
    await conn.writeRaw(closeFrame(code, reason));
    await client.ended();
    assert.deepEqual(conn.closing, [code, reason]);
  }
  const { conn, client } = await loopback.join();
  await conn.writeRaw(clientFrame({ opcode: 8 }));
  await client.ended();
  assert.deepEqual(conn.closing, [1005, ""]);
  while (loopback.relay.stats().members > 1) await pause(1);
  assert.equal(plain.hasEnded, false);
  assert.equal(loopback.log.some(({ level }) => level === "error" || level === "warn"), false);
});

/** What a client does against the rules, and the code with which it is closed. */
const FAULTS: [what: string, bytes: Uint8Array, code: number][] = [
  ["a frame that is not masked", clientFrame({ opcode: 1, payload: "2", mask: undefined }), 1002],
  ["text that is not UTF-8", textFrame(Uint8Array.of(0x22, 0xff, 0x22)), 1007],
  ["a message of more than 1 MiB", clientFrame({ opcode: 1, length: 2n ** 20n + 1n }), 1009],
  ["a close with a code that may not be sent", closeFrame(1005), 1002],
];

for (const [what, bytes, code] of FAULTS) {
  Deno.test(`serve closes for ${what} with ${code}, after what was good, also while more of it comes`, async () => {
    await using loopback = new Loopback();
    const plain = await loopback.plain();
    const { conn, client } = await loopback.join();
    await conn.writeRaw(concat([textFrame("1"), bytes, new Uint8Array(200_000)]));
    await client.ended();
    assert.equal(conn.closing?.[0], code);
    assert.match(conn.closing![1], /^Cannot read /);
    while (loopback.relay.stats().members > 1) await pause(1);
    assert.deepEqual([plain.lines, client.lines], [["1"], []]);
    const refusals = loopback.log.filter(({ message }) => message === "connection refused");
    assert.deepEqual(refusals.map(({ fields }) => fields.code), [code]);
    assert.equal(loopback.relay.stats().errors, 1);
  });
}

Deno.test("serve takes a message of 1 MiB", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  const { conn } = await loopback.join();
  const line = JSON.stringify("x".repeat(1021)) + "\n";
  await conn.writeRaw(textFrame(line.repeat(1024)));
  await plain.line(1024);
  assert.equal(plain.lines.every((each) => each + "\n" === line), true);
});

Deno.test("serve refuses with an $error line and a close code that a page can read", async () => {
  const cases: [RelayOptions, string, string, number][] = [
    [{ token: "secret" }, "1\n", "bad_token", 1008],
    [{ token: "secret" }, '{"$hello":{"version":1,"token":"wrong"}}\n', "bad_token", 1008],
    [{}, '{"$hello":{}}\n', "bad_hello", 1008],
    [{}, "bad\n".repeat(100), "too_many_errors", 1008],
    [{ maxClients: 0 }, "1\n", "relay_full", 1013],
    [{ maxClients: 0 }, '{"$hello":{"version":1}}\n', "relay_full", 1013],
  ];
  for (const [options, text, code, closeCode] of cases) {
    await using loopback = new Loopback(options);
    const conn = await loopback.open(), client = new LineClient(conn);
    client.startReading();
    await client.send(text);
    await client.ended();
    assert.equal(codeOf(client.lines.at(-1)!), code);
    assert.deepEqual(conn.closing, [closeCode, code]);
  }
});

Deno.test("serve tells a WebSocket for which there is not even a place to wait that it is full", async () => {
  await using loopback = new Loopback({ maxClients: 0 });
  const waiting = [];
  for (let i = 0; i < 999; i++) {
    waiting.push(await LineClient.connect(loopback.port));
    await waiting.at(-1)!.send('{"$hello":'); // in no hurry to say whether it has a place already
  }
  const slow = await Promise.all(
    [0, 1].map(async () => await Deno.connect({ hostname: "127.0.0.1", port: loopback.port })),
  );
  const conns = slow.map((conn) => WebSocketConn.open(conn, "localhost").catch(() => undefined));
  const opened = (await Promise.all(conns)).filter((conn) => conn !== undefined);
  for (const conn of opened) {
    const client = new LineClient(conn);
    client.startReading();
    await client.ended();
    assert.deepEqual(conn.closing, [1013, "relay_full"]);
  }
  for (const conn of slow) conn.close();
  for (const client of waiting) client.close();
});

Deno.test("serve knows no HTTP and no TLS within a WebSocket: it says so, closes, and relays nothing of it", async () => {
  for (const payload of ["GET / HTTP/1.1\r\n\r\n", Uint8Array.of(0x16, 0x03, 0x01, 0x0a)]) {
    await using loopback = new Loopback();
    const plain = await loopback.plain();
    const conn = await loopback.open(), client = new LineClient(conn);
    client.startReading();
    await conn.writeRaw(clientFrame({ opcode: 2, payload }));
    await client.ended();
    assert.deepEqual(conn.closing, [1008, "invalid_json"]);
    const message = "Cannot go on: line 1 begins another protocol, one JSON value a line is allowed";
    const told = { $error: { code: "invalid_json", message, line: 1 } };
    assert.deepEqual([client.lines.map((line) => JSON.parse(line)), plain.lines], [[told], []]);
  }
});

Deno.test("serve says going away when it stops, after what was due, also to a client that has said nothing", async () => {
  await using loopback = new Loopback();
  const { conn, client } = await loopback.join();
  const silent = await loopback.open(), silentClient = new LineClient(silent);
  silentClient.startReading();
  while (loopback.relay.connectionStats().length < 2) await pause(1);
  const plain = await loopback.plain();
  await plain.send("1\n");
  await client.line(1);
  await loopback.relay.close();
  await Promise.all([client.ended(), silentClient.ended()]);
  assert.deepEqual(conn.closing, [1001, "shutdown"]);
  assert.deepEqual(silent.closing, [1001, "shutdown"]);
});

// Liveness

Deno.test("serve pings a WebSocket that is silent, and keeps one that answers, plain or session, which says nothing itself", async () => {
  const time = new ManualTime(), environment = { ...time, timeOriginMs: performance.timeOrigin };
  await using loopback = new Loopback({ pingTimeoutMs: 150 }, undefined, environment);
  const { conn, client } = await loopback.join();
  const session = await loopback.open(), sessionClient = new LineClient(session);
  sessionClient.startReading();
  await session.writeRaw(textFrame('{"$hello":{"version":1}}'));
  await sessionClient.line(1);
  const pings = (each: WebSocketConn) => each.frames.filter(({ opcode }) => opcode === 9).length;
  for (let i = 0; i < 1000 && (pings(conn) < 6 || pings(session) < 6); i++) {
    await time.pass(10);
    await pause(1); // an answer is there by then
  }
  assert.ok(pings(conn) >= 6 && pings(session) >= 6);
  assert.deepEqual([client.hasEnded, sessionClient.hasEnded], [false, false]);
});

Deno.test("serve closes a WebSocket that answers no ping, plain or session, and no silent client over TCP that is plain", async () => {
  await using loopback = new Loopback({ pingTimeoutMs: 150 });
  const plain = await loopback.plain();
  const { conn, client } = await loopback.join();
  const session = await loopback.open(), sessionClient = new LineClient(session);
  sessionClient.startReading();
  await session.writeRaw(textFrame('{"$hello":{"version":1}}'));
  await sessionClient.line(1);
  for (const each of [conn, session]) each.answersPings = false;
  await Promise.all([client.ended(), sessionClient.ended()]);
  const told = loopback.log.filter(({ level }) => level === "warn").map(({ message }) => message).sort();
  assert.deepEqual(told, ["member was not heard of, closed", "session was not heard of, closed"]);
  assert.equal(plain.hasEnded, false);
});

// A client that does not read

Deno.test("serve holds little for pings of a client that does not read", async () => {
  await using loopback = new Loopback();
  const conn = await loopback.open();
  const pings = repeated(clientFrame({ opcode: 9, payload: "x".repeat(125) }), 500);
  const start = Deno.memoryUsage().heapUsed + Deno.memoryUsage().external;
  for (let sent = 0; sent < 40 << 20; sent += pings.length) {
    await conn.writeRaw(pings);
  }
  const grown = Deno.memoryUsage().heapUsed + Deno.memoryUsage().external - start;
  assert.ok(grown < 30 << 20, `grown by ${grown} bytes`);
});

Deno.test("serve serves WebSockets over TLS as over TCP", async () => {
  const read = (name: string) => Deno.readTextFileSync(new URL(`../tls/${name}`, import.meta.url));
  const listener = listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: read("good.pem"),
    key: read("good.key"),
  });
  await using loopback = new Loopback({}, listener);
  const conns = await Promise.all([0, 1].map(async () => {
    const conn = await Deno.connectTls({
      hostname: "localhost",
      port: listener.addr.port,
      caCerts: [read("ca.pem")],
    });
    return await WebSocketConn.open(conn, "localhost");
  }));
  const [ada, bo] = conns.map((conn) => new LineClient(conn));
  for (const client of [ada, bo]) {
    client.startReading();
    await client.send("\n");
    await loopback.known(client.address);
  }
  const line = JSON.stringify("x".repeat(60_000));
  await ada.send((line + "\n").repeat(50));
  await bo.line(50);
  assert.equal(bo.lines.every((each) => each === line), true);
  await conns[0].writeRaw(clientFrame({ opcode: 9, payload: "p" }));
  await conns[0].writeRaw(closeFrame(1000));
  await ada.ended();
  assert.deepEqual(conns[0].closing, [1000, ""]);
  await loopback.relay.close();
  await bo.ended();
  assert.deepEqual(conns[1].closing, [1001, "shutdown"]);
  for (const conn of conns) conn.close();
});

Deno.test("serve simulates a network for a WebSocket, in messages that hold whole characters", async () => {
  await using loopback = new Loopback();
  const conn = await loopback.open(), client = new LineClient(conn);
  client.startReading();
  await conn.writeRaw(textFrame('{"$hello":{"version":1,"simulate":"delay=20ms,rate=20k"}}'));
  await client.line(1);
  const plain = await loopback.plain();
  const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify("ä€🎈".repeat(i)));
  await plain.send(lines.join("\n") + "\n");
  const events = () => client.lines.filter((line) => !line.startsWith('{"$'));
  while (events().length < 40) await inTime(pause(5), "the lines");
  assert.deepEqual(events(), lines);
  const data = conn.frames.filter(({ opcode }) => opcode < 8);
  assert.ok(data.length > 3);
  let message: Uint8Array[] = [];
  for (const { payload, isFinal } of data) {
    message.push(payload);
    if (!isFinal) continue;
    const bytes = concat(message);
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    assert.equal(bytes.at(-1), 10);
    message = [];
  }
});

Deno.test("serve counts as sent and received what a client by WebSocket has of lines, frames not counted", async () => {
  await using loopback = new Loopback();
  const plain = await loopback.plain();
  const { client } = await loopback.join();
  await plain.send("12345\n".repeat(10));
  await client.line(10);
  await client.send("123\n");
  await plain.line(1);
  const [, { sentBytes, receivedBytes, sentLines, receivedLines }] = loopback.relay.connectionStats();
  assert.deepEqual([sentBytes, receivedBytes, sentLines, receivedLines], [60, 5, 10, 1]);
  assert.equal(toBytes("12345\n").length, 6);
});
