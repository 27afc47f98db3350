// Holds HttpConnection against its contract with a connection that the test controls to the byte and a time
// that it sets: answers in order, deadlines for all that is waited for, nothing looked at behind what ends
// it, and a socket that is closed once whatever happens.

import assert from "node:assert/strict";
import { type Answer, type BodySource, textAnswer } from "../../../src/relay/web/answer.ts";
import type { HttpFault, RequestHead } from "../../../src/relay/web/head.ts";
import {
  HEAD_MS,
  HttpConnection,
  type HttpService,
  IDLE_MS,
  type Upgrade,
  WRITE_MS,
} from "../../../src/relay/web/http_connection.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { settle, StubTransport } from "../../support/stub_transport.ts";

type Answering = (head: RequestHead) => Answer | HttpFault | Promise<Answer | HttpFault>;

/** One connection, what was asked on it, and the time. */
class Seat {
  readonly time = new ManualTime();
  readonly conn = new StubTransport();
  readonly asked: string[] = [];
  readonly failed: unknown[] = [];
  readonly statuses: number[] = [];
  readonly connection: HttpConnection;
  readonly done: Promise<unknown>;
  isStopping = false;
  /** Resolves when whoever asks may go on. */
  turn = () => Promise.resolve();

  constructor(
    begin = "",
    answer: Answering = ({ target }) => textAnswer(200, `${target}\n`),
    readonly memory = new MemoryBudget(),
  ) {
    const isStopping = () => this.isStopping;
    const service: HttpService = {
      clock: () => this.time.nowMs,
      timers: this.time.timers,
      memory,
      get isStopping() {
        return isStopping();
      },
      turn: () => this.turn(),
      answer: (head) => {
        this.asked.push(head.target);
        return answer(head);
      },
      admit: () => ({ host: "h", address: "h:1" }),
      onAnswered: (_connection, _head, status) => this.statuses.push(status),
      onFailed: (_connection, error) => this.failed.push(error),
    };
    const bytes = new TextEncoder().encode(begin);
    this.connection = new HttpConnection(this.conn, bytes, "h", "h:1", service);
    this.done = this.connection.serve();
  }

  /** Lets time pass, and everything that is due by then happen. */
  async pass(ms: number): Promise<void> {
    await settle();
    await this.time.pass(ms);
    await settle();
  }

  /** Waits for the end, and says that it ended in order. */
  async ended(): Promise<void> {
    await settle();
    this.conn.endInput();
    await this.done;
    assert.equal(this.conn.isClosed, true);
    assert.deepEqual(this.failed, []);
  }
}

const GET = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n";

/** A body that gives a few bytes at a time, and says when it was closed. */
class Source implements BodySource {
  closed = 0;
  constructor(readonly length: number, readonly has = length) {}
  #given = 0;
  read(buffer: Uint8Array): Promise<number | null> {
    const n = Math.min(3, buffer.length, this.has - this.#given);
    if (n === 0) return Promise.resolve(null);
    for (let i = 0; i < n; i++) buffer[i] = 0x61 + (this.#given + i) % 26;
    this.#given += n;
    return Promise.resolve(n);
  }
  close(): void {
    this.closed++;
  }
}

Deno.test("HttpConnection answers one request after the other, in order, however they are cut", async () => {
  const text = ["/1", "/2", "/3"].map((path) => GET.replace("/1", path)).join("");
  for (const size of [1, 7, 1000]) {
    for (const bytesPerWrite of [1, 50, Infinity]) {
      const seat = new Seat();
      seat.conn.takeBytes(bytesPerWrite);
      for (let at = 0; at < text.length; at += size) seat.conn.feed(text.slice(at, at + size));
      await seat.conn.until(() => seat.conn.text.endsWith("/3\n"));
      assert.deepEqual(seat.asked, ["/1", "/2", "/3"]);
      assert.deepEqual(
        seat.conn.text.match(/HTTP\/1\.1 200 OK|\/\d\n/g),
        [..."123"].flatMap((i) => ["HTTP/1.1 200 OK", `/${i}\n`]),
      );
      assert.equal(seat.conn.isClosed, false);
      await seat.ended();
    }
  }
});

Deno.test("HttpConnection waits for a turn before each part of a body that it reads: files come without a look at sockets", async () => {
  const seat = new Seat("", () => ({ status: 200, fields: {}, body: new Source(9) }));
  const turns: (() => void)[] = [];
  seat.turn = () => new Promise((done) => turns.push(done));
  seat.conn.feed(GET);
  const given = () => seat.conn.text.split("\r\n\r\n")[1] ?? "";
  for (const part of ["", "", "abc", "abcdef"]) {
    await settle();
    assert.deepEqual([given(), turns.length], [part, 1]);
    turns.pop()!();
  }
  await seat.conn.until(() => given() === "abcdefghi");
  await seat.ended();
});

Deno.test("HttpConnection looks at nothing behind a request that ends it", async () => {
  for (
    const [begin, status] of [
      ["POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n", 405],
      ["GET /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
      ["GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", 400],
      ["GET /x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400],
      ["GET /x HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n", 200],
      ["GET /x HTTP/1.0\r\n\r\n", 200],
      ["GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200],
      ["GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", 400],
    ] as const
  ) {
    const seat = new Seat(begin + GET);
    await seat.conn.until(() => seat.conn.isOutputEnded);
    assert.equal(seat.conn.text.match(/^HTTP/gm)?.length, 1, begin);
    assert.match(seat.conn.text, /\r\nConnection: close\r\n/);
    assert.deepEqual(seat.statuses, [status], begin);
    seat.conn.feed(GET.repeat(3));
    await seat.ended();
    assert.ok(!seat.asked.includes("/1"));
  }
});

Deno.test("HttpConnection answers HEAD with the head that GET would have, and nothing more", async () => {
  const source = new Source(10);
  const seat = new Seat(
    "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + GET,
    ({ method }) => method === "HEAD" ? { status: 200, fields: {}, body: source } : textAnswer(200, "x"),
  );
  await seat.conn.until(() => seat.conn.text.endsWith("x"));
  assert.match(seat.conn.text, /\r\nContent-Length: 10\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.equal(source.closed, 1);
  await seat.ended();
});

Deno.test("HttpConnection writes a body while it is read, and breaks off if that becomes shorter", async () => {
  const whole = new Source(20), short = new Source(20, 10);
  const seat = new Seat(GET, () => ({ status: 200, fields: {}, body: whole }));
  await seat.conn.until(() => seat.conn.text.endsWith("\r\n\r\nabcdefghijklmnopqrst"));
  await seat.ended();
  const broken = new Seat(GET + GET, () => ({ status: 200, fields: {}, body: short }));
  await broken.done;
  assert.ok(broken.conn.text.endsWith("\r\n\r\nabcdefghij"), "no second answer is taken for the rest");
  assert.deepEqual([whole.closed, short.closed, broken.conn.isClosed], [1, 1, true]);
});

Deno.test("HttpConnection gives a head so much time, whether it comes byte by byte or not at all", async () => {
  for (const isKeptAlive of [false, true]) {
    const seat = new Seat(isKeptAlive ? GET + "G" : "G");
    for (let ms = 0; ms < HEAD_MS; ms += 100) {
      await seat.pass(100);
      seat.conn.feed("E");
    }
    await seat.conn.until(() => seat.conn.isOutputEnded);
    assert.match(seat.conn.text, /HTTP\/1\.1 408 Request Timeout\r\n[^]*5 s\.\n$/);
    await seat.ended();
  }
});

Deno.test("HttpConnection gives a head its time from its first byte on, not from when it began to wait", async () => {
  const seat = new Seat();
  await seat.pass(3000);
  seat.conn.feed("GET / HTTP/1.1\r\n");
  await seat.pass(HEAD_MS - 1);
  assert.deepEqual(seat.statuses, []);
  await seat.pass(1);
  assert.deepEqual(seat.statuses, [408]);
  await seat.ended();
});

Deno.test("HttpConnection closes without a word what says nothing, or nothing more", async () => {
  for (const begin of ["", GET]) {
    const seat = new Seat(begin);
    await seat.pass(IDLE_MS - 1);
    assert.equal(seat.conn.isClosed, false);
    await seat.pass(1);
    await seat.done;
    assert.equal(seat.conn.isClosed, true);
    assert.deepEqual(seat.statuses, begin === "" ? [] : [200]);
  }
});

Deno.test("HttpConnection closes what takes nothing of an answer, and goes on with what takes little", async () => {
  const big = () => ({ status: 200, fields: {}, body: new Uint8Array(300_000) });
  const slow = new Seat(GET, big), stuck = new Seat(GET, big);
  slow.conn.takeBytes(0);
  stuck.conn.takeBytes(0);
  for (let i = 0; i < 5; i++) {
    await slow.pass(WRITE_MS / 2);
    slow.conn.takeOnce(1000);
  }
  assert.equal(slow.conn.isClosed, false);
  assert.equal(stuck.connection.idleSince(stuck.time.nowMs), undefined);
  await stuck.pass(WRITE_MS / 2);
  assert.notEqual(
    stuck.connection.idleSince(stuck.time.nowMs),
    undefined,
    "it may be given up for another one",
  );
  await stuck.pass(WRITE_MS / 2);
  await stuck.done;
  assert.equal(stuck.conn.isClosed, true);
  const halted = new Seat(GET, big);
  halted.conn.takeBytes(0);
  await halted.pass(100);
  halted.conn.takeOnce(1000);
  await halted.pass(WRITE_MS - 1);
  assert.equal(halted.conn.isClosed, false);
  await halted.pass(1);
  await halted.done;
  assert.equal(halted.conn.isClosed, true, "no later than that after the last byte");
  slow.connection.close();
  await slow.done;
});

Deno.test("HttpConnection goes on with a network of which the kernel tells every 20 s", async () => {
  // 4 MiB wait in its buffer, which takes more when a third of it is free: at 64 KiB a second after 21 s.
  const seat = new Seat(GET, () => ({ status: 200, fields: {}, body: new Uint8Array(5_000_000) }));
  seat.conn.takeBytes(0);
  for (let i = 0; i < 4; i++) {
    await seat.pass(22_000);
    assert.equal(seat.conn.isClosed, false);
    seat.conn.takeOnce(1_400_000);
  }
  await seat.pass(0);
  seat.connection.close();
  await seat.done;
});

Deno.test("HttpConnection reads what came while the relay stood still before it gives anything up", async () => {
  const stillMs = WRITE_MS + 20_000; // longer than each deadline
  const half = "GET /1 HTTP/1.1\r\n", rest = GET.slice(half.length);
  for (const [begin, later] of [["", GET], [GET, GET], [half, rest]]) {
    const seat = new Seat(begin);
    await settle();
    seat.time.nowMs += stillMs;
    await seat.pass(0); // its timers end before it reads
    seat.conn.feed(later);
    await seat.conn.until(() => seat.conn.text.endsWith("/1\n"));
    assert.ok(seat.statuses.every((status) => status === 200), String(seat.statuses));
    await seat.ended();
  }
  const slow = new Seat(GET, () => ({ status: 200, fields: {}, body: new Uint8Array(300_000) }));
  slow.conn.takeBytes(0);
  await settle();
  slow.time.nowMs += stillMs;
  await slow.pass(0);
  slow.conn.takeOnce(1000);
  await slow.pass(WRITE_MS - 1);
  assert.equal(slow.conn.isClosed, false);
  slow.connection.close();
  await slow.done;
});

Deno.test("HttpConnection answers in place of what fails or does not come, and lets go of what comes too late", async () => {
  const seat = new Seat(GET, () => Promise.reject(new Error("no")));
  await seat.conn.until(() => seat.conn.text.endsWith("that.\n"));
  assert.deepEqual([seat.statuses, seat.failed.map(String)], [[500], ["Error: no"]]);
  seat.connection.close();
  await seat.done;
  const { promise, resolve } = Promise.withResolvers<Answer>(), source = new Source(5);
  const late = new Seat(GET, () => promise);
  await late.pass(5000);
  await late.conn.until(() => late.conn.text.endsWith("5 s.\n"));
  resolve({ status: 200, fields: {}, body: source });
  await late.ended();
  assert.deepEqual([late.statuses, source.closed], [[503], 1]);
});

Deno.test("HttpConnection that is closed while it looks for an answer lets go of that", async () => {
  const { promise, resolve } = Promise.withResolvers<Answer>(), source = new Source(5);
  const seat = new Seat(GET, () => promise);
  await settle();
  seat.connection.close();
  seat.connection.close();
  await seat.done;
  resolve({ status: 200, fields: {}, body: source });
  await settle();
  assert.deepEqual([seat.conn.isClosed, source.closed], [true, 1]);
});

Deno.test("HttpConnection waits a moment for who has not read the last answer, not for ever and not for everything", async () => {
  const post = "POST / HTTP/1.1\r\nHost: h\r\n\r\n";
  const silent = new Seat(post);
  await silent.conn.until(() => silent.conn.isOutputEnded);
  assert.equal(silent.conn.isClosed, false);
  await silent.pass(500);
  await silent.done;
  const flood = new Seat(post);
  await flood.conn.until(() => flood.conn.isOutputEnded);
  for (let i = 0; i < 300; i++) flood.conn.feed(new Uint8Array(2048));
  await flood.done;
  assert.deepEqual([silent.conn.isClosed, flood.conn.isClosed], [true, true]);
});

Deno.test("HttpConnection ends with the connection, at any moment and in any way, without a word in the log", async () => {
  const text = GET + "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (let at = 0; at <= text.length; at += 3) {
    for (const error of [null, new Deno.errors.ConnectionReset("x"), new Deno.errors.Interrupted("x")]) {
      const seat = new Seat(text.slice(0, at));
      await settle();
      seat.conn.endInput(error);
      await seat.done;
      assert.deepEqual([seat.conn.isClosed, seat.failed], [true, []]);
    }
  }
  const broken = new Seat(GET);
  broken.conn.takeBytes(0);
  await broken.conn.until(() => broken.conn.isStuck);
  broken.conn.failWrite(new Deno.errors.BrokenPipe("x"));
  await broken.done;
  assert.deepEqual([broken.conn.isClosed, broken.failed], [true, []]);
});

Deno.test("HttpConnection answers no further request once its door stops", async () => {
  const seat = new Seat(GET);
  await seat.conn.until(() => seat.conn.text.endsWith("/1\n"));
  seat.isStopping = true;
  seat.conn.feed(GET + GET);
  await seat.conn.until(() => seat.conn.isOutputEnded);
  assert.deepEqual(seat.asked, ["/1", "/1"]);
  await seat.ended();
});

Deno.test("HttpConnection hands a WebSocket over with all that came behind the head, and leaves the socket open", async () => {
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const head =
    `GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n${key}\r\n\r\n`;
  for (const size of [1, 10, 1000]) {
    const text = `${GET}${head}GET / behind`, seat = new Seat();
    for (let at = 0; at < text.length; at += size) seat.conn.feed(text.slice(at, at + size));
    const { host, address, ...upgrade } = await seat.done as Upgrade;
    assert.deepEqual([host, address], ["h", "h:1"]);
    const rest = new TextDecoder().decode(upgrade.rest);
    assert.ok("GET / behind".startsWith(rest) && (size === 1 || rest !== ""), rest);
    assert.match(
      seat.conn.text,
      /HTTP\/1\.1 101 Switching Protocols\r\n[^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n$/,
    );
    await seat.pass(1e6);
    assert.deepEqual([seat.conn.isClosed, seat.conn.isOutputEnded, seat.time.running], [false, false, 0]);
  }
});

Deno.test("HttpConnection counts what it holds: buffers, a head that does not end, an answer while it is written", async () => {
  const body = new Uint8Array(100_000),
    asked = Promise.withResolvers<void>(),
    go = Promise.withResolvers<null>();
  const file = { length: 200_000, read: () => (asked.resolve(), go.promise), close: () => {} };
  const answers: Record<string, Answer> = {
    "/own": { status: 200, fields: {}, body },
    "/shared": { status: 200, fields: {}, body, isShared: true },
    "/small": textAnswer(200, "x".repeat(15_000)),
    "/file": { status: 200, fields: {}, body: file },
  };
  const seat = new Seat("", ({ target }) => answers[target]);
  const { memory, conn } = seat, idleBytes = memory.usedBytes;
  assert.ok(idleBytes > 2048, "its read buffer, and itself");
  for (const [path, bytes] of [["/own", 100_000], ["/shared", 0], ["/small", 30_000]] as const) {
    conn.takeBytes(0);
    conn.feed(GET.replace("/1", path));
    await conn.until(() => conn.isStuck);
    assert.equal(memory.usedBytes - idleBytes, bytes, path);
    conn.takeBytes(Infinity);
    await settle();
    assert.equal(memory.usedBytes, idleBytes, `${path} is over`);
  }
  conn.feed(`GET /file HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(1900)}`);
  await settle();
  assert.ok(memory.usedBytes >= idleBytes + 1900);
  conn.feed("\r\n\r\n");
  await asked.promise;
  assert.equal(memory.usedBytes - idleBytes, 65_536);
  seat.connection.close();
  assert.equal(memory.usedBytes, 0);
  go.resolve(null);
  await seat.done;
  assert.equal(memory.usedBytes, 0);
});

Deno.test("HttpConnection makes no long answer where memory is full, and reads files in small pieces", async () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 1 }), source = new Source(200_000), sizes: number[] = [];
  const read = source.read.bind(source);
  source.read = (buffer) => (sizes.push(buffer.length), read(buffer.subarray(0, 1)));
  const answers: Record<string, Answer> = {
    "/long": textAnswer(200, "x".repeat(30_000)),
    "/short": textAnswer(200, "ok\n"),
    "/file": { status: 200, fields: {}, body: source },
  };
  const seat = new Seat("", ({ target }) => answers[target], memory);
  for (const path of Object.keys(answers)) seat.conn.feed(GET.replace("/1", path));
  await seat.conn.until(() => sizes.length > 3);
  assert.deepEqual(seat.statuses, [503, 200, 200]);
  assert.match(seat.conn.text, /Retry-After: 1\r\n[^]*\r\n\r\nThe memory of the relay is full\.\nHTTP/);
  assert.ok(sizes.every((size) => size <= 4096), `${sizes[0]}`);
  seat.connection.close();
  await seat.done;
  assert.deepEqual([source.closed, memory.usedBytes], [1, 0]);
  memory.close(); // it looks after a moment whether that helped
});
