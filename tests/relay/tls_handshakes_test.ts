import assert from "node:assert/strict";
import type { LogFunction } from "../../src/relay/log.ts";
import { TlsHandshakes } from "../../src/relay/tls_handshakes.ts";
import { REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import type { Timers } from "../../src/relay/timers.ts";
import { heapBytes } from "../support/heap.ts";
import { ManualTime } from "../support/manual_time.ts";
import { pause } from "../support/pause.ts";

/** A connection whose handshake the test settles. */
class StubConn {
  readonly shaken = Promise.withResolvers<void>();
  closed = 0;
  handshake(): Promise<void> {
    return this.shaken.promise;
  }
  close(): void {
    this.closed++;
    this.shaken.reject(new Deno.errors.Interrupted("closed"));
  }
}

function setUp() {
  const lines: string[] = [], errors: unknown[] = [], ends: string[] = [], deadlines: (() => void)[] = [];
  const timers: Timers = {
    ...REAL_ENVIRONMENT.timers,
    setTimeout: (callback, ms) => {
      assert.equal(ms, 5000);
      return deadlines.push(callback) as never;
    },
    clearTimeout: () => {},
  };
  const log: LogFunction = (level, message, fields) => {
    lines.push(`${level} ${message}`);
    errors.push(fields?.error);
  };
  const handshakes = new TlsHandshakes({ handshakeMs: 5000, clock: () => 0, timers, log });
  const start = (name: string) => {
    const conn = new StubConn();
    handshakes.start(conn, name, () => ends.push(`${name} is served`), () => ends.push(`${name} failed`));
    return conn;
  };
  return { handshakes, start, lines, errors, ends, deadlines };
}

Deno.test("TlsHandshakes hands on a connection that has shaken hands, and closes one that could not", async () => {
  const { start, ends, lines } = setUp();
  const [a, b] = [start("ada"), start("bo")];
  await pause();
  assert.deepEqual(ends, []);
  a.shaken.resolve();
  await pause();
  assert.deepEqual(ends, ["ada is served"]);
  b.shaken.reject(new Deno.errors.ConnectionReset("gone"));
  await pause();
  assert.deepEqual(ends, ["ada is served", "bo failed"]);
  assert.deepEqual([a.closed, b.closed], [0, 1]);
  assert.deepEqual(lines, ["debug connection ended before its TLS handshake"]);
});

Deno.test("TlsHandshakes closes what takes too long, says so, and serves it no more", async () => {
  const { start, ends, lines, deadlines } = setUp();
  const conn = start("ada");
  deadlines[0]();
  await pause();
  assert.deepEqual([conn.closed, ends], [1, ["ada failed"]]);
  assert.deepEqual(lines, ["warn TLS handshake took too long, closed"]);
});

Deno.test("TlsHandshakes warns of what is no TLS", async () => {
  const { start, lines, ends } = setUp();
  start("ada").shaken.reject(new Deno.errors.InvalidData("no TLS"));
  await pause();
  assert.deepEqual(lines, ["warn TLS handshake failed"]);
  assert.deepEqual(ends, ["ada failed"]);
});

Deno.test("TlsHandshakes tells the operator whose fault a failed handshake is", async () => {
  for (
    const [message, told] of [
      ["received corrupt message of type InvalidContentType", "the client does not speak TLS"],
      ["received fatal alert: UnknownCA", "the client does not trust the certificate"],
      ["received fatal alert: BadCertificate", "the client does not trust the certificate"],
      ["received fatal alert: HandshakeFailure", "received fatal alert: HandshakeFailure"],
    ]
  ) {
    const { start, errors } = setUp();
    start("ada").shaken.reject(new Deno.errors.InvalidData(message));
    await pause();
    assert.deepEqual(errors, [told]);
  }
});

Deno.test("TlsHandshakes.close closes all, also those whose handshake never settles", async () => {
  const { handshakes, start, ends } = setUp();
  const conns = [start("ada"), start("bo")];
  for (const conn of conns) conn.shaken.reject = () => {};
  await handshakes.close();
  assert.deepEqual(conns.map((conn) => conn.closed), [1, 1]);
  assert.deepEqual(ends, ["ada failed", "bo failed"]);
});

Deno.test("TlsHandshakes goes on when a connection can't be served", async () => {
  const { handshakes, lines, ends } = setUp();
  const conn = new StubConn();
  const next = () => {
    throw new Error("odd");
  };
  handshakes.start(conn, "ada:5", next, () => ends.push("failed"));
  conn.shaken.resolve();
  await pause();
  assert.deepEqual([conn.closed, ends], [1, ["failed"]]);
  assert.deepEqual(lines, ["error cannot serve a connection"]);
});

Deno.test("TlsHandshakes keeps nothing of a handshake that is over", async () => {
  const handshakes = new TlsHandshakes({ ...REAL_ENVIRONMENT, handshakeMs: 5000, log: () => {} });
  const conn = { handshake: () => Promise.resolve(), close() {} };
  const shakeHands = async (count: number) => {
    for (let left = count; left > 0; left--) {
      await new Promise<void>((d) => handshakes.start(conn, "a", d, d));
    }
    await pause();
  };
  await shakeHands(1000);
  const before = heapBytes(), count = 10_000;
  await shakeHands(count);
  const bytes = (heapBytes() - before) / count;
  assert.ok(bytes < 100, `${bytes} bytes are kept of each`); // a few hundred if anything is
  await handshakes.close();
});

Deno.test("TlsHandshakes waits longer while others need longer, too, but not for ever", async () => {
  const time = new ManualTime(), ends: string[] = [];
  const handshakes = new TlsHandshakes({
    handshakeMs: 5000,
    ...time,
    clock: () => time.nowMs,
    log: () => {},
  });
  const start = (name: string) => {
    const conn = new StubConn();
    handshakes.start(conn, name, () => ends.push(`${name} is served`), () => ends.push(`${name} failed`));
    return conn;
  };
  const passTo = async (ms: number) => {
    await time.pass(ms - time.nowMs);
    await pause();
  };
  const finish = async (conn: StubConn) => {
    conn.shaken.resolve();
    await pause();
  };
  const startedAt = time.nowMs;
  const crowd = Array.from({ length: 30 }, (_, i) => start(`crowd ${i}`));
  start("stuck");
  for (let i = 0; i < crowd.length; i++) { // one a second
    await passTo(startedAt + 1000 * i);
    await finish(crowd[i]);
  }
  assert.deepEqual(ends, crowd.map((_, i) => `crowd ${i} is served`));
  await passTo(startedAt + 30_000);
  assert.equal(ends.at(-1), "stuck failed");
  await passTo(startedAt + 60_000);
  start("alone");
  await finish(start("quick"));
  await passTo(startedAt + 65_000);
  assert.deepEqual(ends.slice(-2), ["quick is served", "alone failed"]);
});
