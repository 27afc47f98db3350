// Holds the TLS listener, and a relay behind it, against clients that don't shake hands, don't read, or
// leave; whether sockets are really closed is asked of /proc/self/fd, so these tests need Linux.

import assert from "node:assert/strict";
import { listenTls, tlsFault } from "../../src/program/tls_listener.ts";
import { type Environment, REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import type { Timer } from "../../src/relay/timers.ts";
import { type RelayOptions, RelayServer } from "../../src/relay/relay.ts";
import { DEADLINE_MS } from "../support/deadline.ts";
import { drain } from "../support/drain.ts";
import { untilSockets } from "../support/open_sockets.ts";
import { pause } from "../support/pause.ts";
import type { TlsFloodOrder } from "../support/tls_flooder.ts";
import { nodeParts, TlsStream } from "../../src/wire/tls_stream.ts";
import { readCertificate } from "../support/certificates.ts";

const caCerts = [readCertificate("ca.pem")];

const [major, minor] = Deno.version.deno.split(".").map(Number);
const CAN_CLOSE = major > 2 || minor >= 9;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: Deno.build.os !== "linux" || !CAN_CLOSE });
}

function listen() {
  return listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: readCertificate("good.pem"),
    key: readCertificate("good.key"),
  });
}

function connectTls(port: number): Promise<Deno.TlsConn> {
  return Deno.connectTls({ hostname: "127.0.0.1", port, caCerts });
}

/**
 * How long a handshake may take. Other timers are not set for so long, by which those of handshakes are
 * known.
 */
const HANDSHAKE_MS = 4321;

/** A relay that speaks TLS. The time of handshakes is over when the test says so. */
function start(options: RelayOptions) {
  const listener = listen();
  const { timers } = REAL_ENVIRONMENT, held = new Map<Timer | undefined, () => void>();
  const environment: Environment = {
    ...REAL_ENVIRONMENT,
    timers: {
      setTimeout(callback, ms) {
        const timer = timers.setTimeout(ms === HANDSHAKE_MS ? () => {} : callback, ms);
        if (ms === HANDSHAKE_MS) held.set(timer, callback);
        return timer;
      },
      clearTimeout(timer) {
        held.delete(timer);
        timers.clearTimeout(timer);
      },
    },
  };
  const relay = new RelayServer(listener, { ...options, handshakeMs: HANDSHAKE_MS }, environment);
  const endHandshakes = () => held.forEach((callback) => callback());
  return { port: listener.addr.port, relay, endHandshakes };
}

const BEGINNINGS: [string, Uint8Array<ArrayBuffer>][] = [
  ["say nothing", new Uint8Array()],
  ["begin a handshake", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc)],
];

for (const [what, bytes] of BEGINNINGS) {
  test(`a TLS relay really closes connections that ${what} and no more, after handshakeMs`, async () => {
    const lines: string[] = [];
    const { port, relay, endHandshakes } = start({ log: (_, message) => lines.push(message) });
    const conns = await Promise.all(Array.from({ length: 20 }, () => Deno.connect({ port })));
    for (const conn of conns) if (bytes.length > 0) await conn.write(bytes);
    await untilSockets("local", port, 20);
    assert.equal(relay.stats().members, 0);
    endHandshakes();
    await untilSockets("local", port, 0);
    assert.ok(lines.includes("TLS handshake took too long, closed"), lines.join("\n"));
    for (const conn of conns) conn.close();
    await relay.close();
  });
}

test("unfinished TLS handshakes take places, which are free again when they are closed", async () => {
  const { port, relay, endHandshakes } = start({ maxClients: 2 });
  const silent = [await Deno.connect({ port }), await Deno.connect({ port })];
  await untilSockets("local", port, 2);
  const refused = await connectTls(port);
  await refused.write(new TextEncoder().encode("1\n"));
  const buffer = new Uint8Array(1000);
  const answer = new TextDecoder().decode(buffer.subarray(0, (await refused.read(buffer))!));
  assert.equal(JSON.parse(answer).$error.code, "relay_full");
  refused.close();
  endHandshakes();
  await untilSockets("local", port, 0);
  const served = await connectTls(port);
  await served.write(new TextEncoder().encode("bad\n"));
  const next = new TextDecoder().decode(buffer.subarray(0, (await served.read(buffer))!));
  assert.equal(JSON.parse(next).$error.code, "invalid_json");
  for (const conn of [...silent, served]) conn.close();
  await relay.close();
});

for (const begun of ["", "1\n", "half a line"]) {
  test(`a TLS relay closes who sends what is no TLS after its handshake and ${JSON.stringify(begun)}`, async () => {
    const lines: string[] = [];
    const { port, relay } = start({ log: (level, message) => lines.push(`${level} ${message}`) });
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const stream = TlsStream.connect(nodeParts()!, conn, "127.0.0.1", caCerts);
    await stream.handshake();
    if (begun !== "") await stream.write(new TextEncoder().encode(begun));
    while (relay.stats().members === 0) await pause(10);
    await conn.write(new TextEncoder().encode("this is no TLS".repeat(10)));
    await untilSockets("local", port, 0);
    assert.equal(relay.stats().members, 0);
    stream.close();
    await relay.close();
    assert.ok(lines.includes("warn connection failed"), lines.join());
  });
}

test("a TLS member that takes no byte is really closed after writeDeadlineMs", async () => {
  const { port, relay } = start({ writeDeadlineMs: 500, maxLogBytes: 64 * 1024 * 1024, maxLagMs: 60_000 });
  const speaker = await connectTls(port), stuck = await connectTls(port);
  for (const conn of [speaker, stuck]) await conn.write(new TextEncoder().encode("1\n"));
  while (relay.stats().receivedLines < 2) await pause(10);
  const line = new TextEncoder().encode(`"${"x".repeat(60_000)}"\n`);
  const giveUpAt = performance.now() + DEADLINE_MS;
  while (relay.stats().members === 2) {
    assert.ok(performance.now() < giveUpAt, "it was never closed");
    for (let rest = line; rest.length > 0;) rest = rest.subarray(await speaker.write(rest));
  }
  await untilSockets("local", port, 1);
  speaker.close();
  stuck.close();
  await relay.close();
  await untilSockets("local", port, 0);
});

test("a TLS relay that is closed closes unfinished handshakes too", async () => {
  const { port, relay } = start({});
  const conn = await Deno.connect({ port });
  await untilSockets("local", port, 1);
  await relay.close();
  await untilSockets("local", port, 0);
  conn.close();
});

test("a connection of listenTls carries bytes both ways, and each direction ends by itself", async () => {
  const listener = listen();
  const [client, conn] = await Promise.all([connectTls(listener.addr.port), listener.accept()]);
  const buffer = new Uint8Array(100);
  await client.write(Uint8Array.of(1, 2, 3));
  assert.equal(await conn.read(buffer.subarray(0, 2)), 2);
  assert.equal(await conn.read(buffer), 1);
  await client.closeWrite();
  assert.equal(await conn.read(buffer), null);
  assert.equal(await conn.write(Uint8Array.of(4, 5)), 2, "half open");
  assert.equal(await client.read(buffer), 2);
  await conn.closeWrite();
  assert.equal(await client.read(buffer), null);
  await assert.rejects(conn.write(Uint8Array.of(6)), Deno.errors.BrokenPipe);
  conn.close();
  conn.close();
  client.close();
  listener.close();
});

test("a connection of listenTls takes no more from the network than its reader does, and all of it in order", async () => {
  const listener = listen(), total = 64 * 1024 * 1024;
  const [client, conn] = await Promise.all([connectTls(listener.addr.port), listener.accept()]);
  await client.handshake();
  const chunk = new Uint8Array(64 * 1024);
  let sent = 0, sentAt = performance.now();
  const sending = (async () => {
    while (sent < total) {
      for (let i = 0; i < chunk.length; i++) chunk[i] = (sent + i) % 251;
      for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await client.write(rest));
      sent += chunk.length;
      sentAt = performance.now();
    }
    await client.closeWrite();
  })();
  while (sent < total && performance.now() - sentAt < 500) await pause(20);
  assert.ok(sent < total * 3 / 4, `${sent} of ${total} bytes were taken that nobody reads`);
  const buffer = new Uint8Array(100_000);
  let received = 0;
  for (let n; (n = await conn.read(buffer)) !== null; received += n) {
    for (let i = 0; i < n; i++) if (buffer[i] !== (received + i) % 251) assert.fail(`byte ${received + i}`);
  }
  await sending;
  assert.equal(received, total);
  conn.close();
  client.close();
  listener.close();
});

test("a connection of listenTls on which more comes than is read keeps no other one waiting", async () => {
  const listener = listen(), { port } = listener.addr;
  const flooder = new Worker(new URL("../support/tls_flooder.ts", import.meta.url), { type: "module" });
  flooder.postMessage({ port, caCerts } satisfies TlsFloodOrder);
  const flooded = await listener.accept();
  const draining = drain(flooded);
  await new Promise((done) => flooder.onmessage = done);
  const [client, conn] = await Promise.all([connectTls(port), listener.accept()]);
  const one = new Uint8Array(1), tookMs: number[] = [];
  while (tookMs.length < 11) {
    const startedAt = performance.now();
    await client.write(one);
    await conn.read(one);
    await conn.write(one);
    await client.read(one);
    tookMs.push(performance.now() - startedAt);
    await pause(5);
  }
  const medianMs = tookMs.toSorted((a, b) => a - b)[5];
  assert.ok(medianMs < 60, `${medianMs.toFixed(1)} ms there and back`); // 300 while sockets were seldom looked at
  flooder.terminate();
  for (const each of [flooded, conn, client, listener]) each.close();
  await draining;
});

test("a connection of listenTls fails its read and its write with an expected error when it is closed", async () => {
  const listener = listen();
  const [client, conn] = await Promise.all([connectTls(listener.addr.port), listener.accept()]);
  await client.handshake();
  const reading = conn.read(new Uint8Array(10));
  const writing = (async () => {
    for (;;) await conn.write(new Uint8Array(1_000_000));
  })();
  const both = Promise.all([
    assert.rejects(reading, Deno.errors.Interrupted),
    assert.rejects(writing, Deno.errors.Interrupted),
  ]);
  await pause(50);
  conn.close();
  await both;
  await assert.rejects(conn.read(new Uint8Array(10)), Deno.errors.Interrupted);
  await assert.rejects(conn.write(new Uint8Array(10)), Deno.errors.Interrupted);
  client.close();
  listener.close();
});

test("a connection of listenTls says of one that speaks no TLS that it got it wrong", async () => {
  const listener = listen();
  const [client, conn] = await Promise.all([
    Deno.connect({ port: listener.addr.port }),
    listener.accept(),
  ]);
  await client.write(new TextEncoder().encode('{"plain":1}\n'));
  await assert.rejects(conn.handshake!(), Deno.errors.InvalidData);
  conn.close();
  client.close();
  listener.close();
});

Deno.test("tlsFault says what is wrong with a certificate and a key, and nothing of a good pair", () => {
  const [cert, key] = [readCertificate("good.pem"), readCertificate("good.key")];
  assert.equal(tlsFault(cert, key), undefined);
  for (const pair of [["", key], [cert, ""], ["x", key], [cert, "x"], [cert, readCertificate("other.key")]]) {
    assert.equal(typeof tlsFault(pair[0], pair[1]), "string");
  }
});

Deno.test("tlsFault says that a key is encrypted, in both forms of that", () => {
  const cert = readCertificate("good.pem");
  for (const key of ["-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA", "\r\nProc-Type: 4,ENCRYPTED\r\nAAAA"]) {
    assert.equal(tlsFault(cert, key), "the key is encrypted, one without a passphrase is allowed");
  }
});
