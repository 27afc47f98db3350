// Holds Session against its contract with connections that the test controls to the byte and a clock that it
// sets: who gets which bytes, who falls behind, what is refused with which words, and how a connection ends.

import assert from "node:assert/strict";
import type { Flushable } from "../../../src/relay/room/flush_state.ts";
import { Room } from "../../../src/relay/room/room.ts";
import type { LogFunction, LogLevel } from "../../../src/relay/log.ts";
import {
  REAL_ENVIRONMENT,
  type RelayOptions,
  resolveOptions,
  type Settings,
} from "../../../src/relay/options.ts";
import type { Timer, Timers } from "../../../src/relay/timers.ts";
import { parseSimulation } from "../../../src/simulation/parse_simulation.ts";
import { Connection } from "../../../src/relay/connection/connection.ts";
import { FramedCopies } from "../../../src/relay/connection/websocket/framed_copies.ts";
import { WebSocketTransport } from "../../../src/relay/connection/websocket/websocket_transport.ts";
import { pause } from "../../support/pause.ts";
import { settle, StubTransport } from "../../support/stub_transport.ts";
import { closeFrame, readServerFrames, textFrame } from "../../support/websocket_frames.ts";

interface LogEntry {
  level: LogLevel;
  message: string;
  fields: Record<string, string | number>;
}

/** A room with sessions on stub connections, and the clock they share. */
class Table implements AsyncDisposable {
  nowMs = 1000;
  readonly log: LogEntry[] = [];
  readonly room: Room;
  readonly #settings: Settings;
  readonly #seats: Seat[] = [];

  constructor(options: RelayOptions = {}, timers: Timers = REAL_ENVIRONMENT.timers) {
    const log: LogFunction = (level, message, fields = {}) => this.log.push({ level, message, fields });
    const clock = () => this.nowMs;
    this.#settings = resolveOptions({ ...options, log }, { ...REAL_ENVIRONMENT, clock, timers });
    this.room = new Room("lobby", this.#settings, (feed) => queueMicrotask(() => this.#flush(feed)));
  }

  #flush(feed: Flushable): void {
    for (const reader of feed.startFlush(this.nowMs)) reader.wake(this.nowMs);
  }

  /** Connects a client that sends an empty line at once, so that it is known to be a plain one. */
  join(name = "ada"): Seat {
    const seat = this.connect(name);
    seat.conn.feed("\n");
    return seat;
  }

  /**
   * Connects a client that says nothing yet; HTTP is left to nobody, or to who says whether its host browses.
   */
  connect(name = "ada", isBrowsing?: () => boolean, isWebSocket = false): Seat {
    const conn = new StubTransport(), settings = this.#settings;
    const connection = new Connection(
      isWebSocket
        ? new WebSocketTransport(conn, new Uint8Array(0), name, new FramedCopies(settings.memory), settings)
        : conn,
      name,
      this.room,
      this.#settings,
      {
        admit: () => assert.fail("nobody says hello"),
        host: "192.0.2.1",
        refusePlain: () => this.#settings.needsToken ? { code: "bad_token", message: "a token" } : undefined,
      },
      isBrowsing && { isBrowsing },
    );
    const seat = new Seat(conn, connection, connection.run());
    this.#seats.push(seat);
    return seat;
  }

  sweep(nowMs: number): void {
    this.nowMs = nowMs;
    for (const { connection } of this.#seats) connection.sweep(nowMs);
  }

  /** How much memory is in use, in bytes. */
  get usedBytes(): number {
    return this.#settings.memory.usedBytes;
  }

  /** The log lines with this fact. */
  logged(message: string | RegExp): LogEntry[] {
    return this.log.filter((entry) => entry.message.match(message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { conn, connection } of this.#seats) {
      conn.takeBytes(Infinity);
      connection.end("shutdown");
      if (!conn.isClosed) conn.endInput();
    }
    await Promise.all(this.#seats.map(({ done }) => done));
  }
}

/** Timers that never fire: a connection stays in its first moment for as long as a busy machine takes. */
const NO_TIMERS: Timers = { setTimeout: () => 0 as unknown as Timer, clearTimeout: () => {} };

class Seat {
  constructor(
    readonly conn: StubTransport,
    readonly connection: Connection,
    readonly done: Promise<Uint8Array | undefined>,
  ) {}

  /** Waits until this much text has been written, and says whether it is the text. */
  async receives(text: string): Promise<void> {
    await this.conn.until(() => this.conn.text.length >= text.length, `receives ${JSON.stringify(text)}`);
    await settle();
    assert.equal(this.conn.text, text);
  }

  /** Waits until the session has ended, and returns the reason. */
  async ended(): Promise<string | undefined> {
    await this.done;
    assert.equal(this.conn.isClosed, true);
    return this.connection.ending;
  }
}

interface ErrorBody {
  code: string;
  message: string;
  line?: number;
}

function errorOf(line: string): ErrorBody {
  return JSON.parse(line).$error;
}

Deno.test("Connection passes lines on to the others and not to their sender", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [table.join(), table.join(), table.join()];
  ada.conn.feed('{"id":1152921504606846975}\n [ 1 ]\t\r\n\n"ä🎈"\n');
  bo.conn.feed("true\n");
  await cy.conn.until(() => cy.conn.lines.length === 4);
  await settle();
  assert.equal(bo.conn.text, '{"id":1152921504606846975}\n [ 1 ]\t\r\n"ä🎈"\n');
  assert.equal(ada.conn.text, "true\n");
  assert.deepEqual(cy.conn.lines.toSorted(), [" [ 1 ]\t\r", '"ä🎈"', "true", '{"id":1152921504606846975}']);
  const { receivedLines, receivedBytes, sentLines, sentBytes } = ada.connection.stats();
  assert.deepEqual(
    [receivedLines, receivedBytes, sentLines, sentBytes],
    [3, 47, 1, 5],
    "with the empty line of join()",
  );
});

Deno.test("Connection reads into a buffer as large as its client needs: a small one first, a large one while it fills that", async () => {
  await using table = new Table();
  const { conn } = table.join();
  const sizes: number[] = [];
  for (const bytes of [511, 512, 1023, 4095, 4096, 4096, 65_536, 4095, 10]) {
    await settle();
    sizes.push(conn.readBufferBytes);
    conn.feed("1".repeat(bytes - 1) + "\n");
  }
  assert.deepEqual(sizes, [512, 512, 4096, 4096, 4096, 65_536, 65_536, 65_536, 4096]);
});

Deno.test("Connection reads and writes one byte at a time as well", async () => {
  await using table = new Table();
  const [ada, bo] = [table.connect(), table.join()];
  bo.conn.takeBytes(1);
  const text = '{"id":1}\n"ä€🎈"\r\n[1,2]\n';
  for (const byte of new TextEncoder().encode(text)) ada.conn.feed(Uint8Array.of(byte));
  await bo.receives(text);
});

Deno.test("Connection writes in one go all that came while its last write waited", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  for (let i = 10; i < 60; i++) {
    ada.conn.feed(`${i}\n`);
    await settle();
  }
  assert.deepEqual(bo.conn.writes, [3]);
  bo.conn.takeBytes(Infinity);
  await bo.receives(Array.from({ length: 50 }, (_, i) => `${i + 10}\n`).join(""));
  assert.deepEqual(bo.conn.writes, [3, 49 * 3]);
});

Deno.test("Connection that is stuck makes nobody else wait", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [table.join(), table.join(), table.join()];
  bo.conn.takeBytes(0);
  for (let i = 0; i < 1000; i++) ada.conn.feed(`${i}\n`);
  await cy.conn.until(() => cy.conn.lines.length === 1000);
  assert.equal(bo.conn.text, "");
  assert.equal(bo.conn.writes.length, 1);
});

Deno.test("Connection that was stuck for less than maxLagMs gets every line", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  let expected = "";
  for (let i = 0; i < 49; i++) {
    table.nowMs += 100;
    ada.conn.feed(`${i}\n`);
    expected += `${i}\n`;
    await settle();
  }
  bo.conn.takeBytes(Infinity);
  await bo.receives(expected);
  assert.equal(bo.connection.stats().skippedLines, 0);
});

Deno.test("Connection behind by more than maxLagMs finishes its line and jumps to the newest", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed('"under way"\n');
  await bo.conn.until(() => bo.conn.isStuck);
  bo.conn.takeOnce(3);
  for (let i = 0; i < 10; i++) {
    ada.conn.feed(`"missed ${i}"\n`);
    await settle();
  }
  table.nowMs += 5200;
  ada.conn.feed('"missed, though new"\n');
  await settle();
  bo.conn.takeBytes(Infinity);
  await bo.conn.until(() => bo.conn.lines.length === 1);
  ada.conn.feed('"fresh"\n');
  await bo.receives('"under way"\n"fresh"\n');
  const { skippedLines, sentLines, behindBytes, behindMs } = bo.connection.stats();
  assert.deepEqual([skippedLines, sentLines, behindBytes, behindMs], [11, 2, 0, 0]);
  const logged = table.logged(/fell behind/);
  assert.equal(logged.length, 1);
  assert.equal(logged[0].level, "warn");
});

Deno.test("Connection whose lines the log has dropped jumps, however fresh they are", async () => {
  await using table = new Table({ maxLogBytes: 64 * 1024 });
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  const line = JSON.stringify("x".repeat(998)) + "\n";
  for (let i = 0; i < 200; i++) {
    ada.conn.feed(line);
    await settle();
  }
  bo.conn.takeBytes(Infinity);
  await settle();
  const { skippedLines, sentLines } = bo.connection.stats();
  assert.ok(
    skippedLines >= 130 && skippedLines + sentLines === 200,
    `${sentLines} sent, ${skippedLines} skipped`,
  );
  assert.equal(bo.conn.lines.length, sentLines);
  assert.ok(table.room.plain.logBytes <= 64 * 1024);
});

Deno.test("Connection is not behind for its own lines", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed("1\n");
  await settle();
  bo.conn.feed('"own"\n');
  await settle();
  table.nowMs += 6000;
  ada.conn.feed('"fresh"\n');
  await settle();
  bo.conn.takeBytes(Infinity);
  await bo.receives('1\n"fresh"\n');
  assert.equal(bo.connection.stats().skippedLines, 0);
  assert.deepEqual(table.logged(/fell behind/), []);
});

Deno.test("Connection logs that it fell behind once an episode", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  const fallBehind = async () => {
    bo.conn.takeBytes(0);
    for (let i = 0; i < 3; i++) {
      ada.conn.feed("1\n");
      await settle();
    }
    table.sweep(table.nowMs + 6000);
    table.sweep(table.nowMs + 1000);
    bo.conn.takeBytes(Infinity);
    await settle();
  };
  for (let i = 0; i < 5; i++) await fallBehind();
  assert.equal(table.logged(/fell behind/).length, 1);
  assert.equal(bo.connection.stats().skippedLines, 10);
  table.sweep(table.nowMs + 60_000);
  await fallBehind();
  assert.equal(table.logged(/fell behind/).length, 2);
});

Deno.test("Connection with whenBehind close is closed where it would skip, by the sweep or by its write", async () => {
  for (const finds of ["sweep", "write"]) {
    await using table = new Table({ whenBehind: "close" });
    const [ada, bo, cy] = [table.join(), table.join(), table.join()];
    bo.conn.takeBytes(0);
    ada.conn.feed("1\n");
    await settle();
    ada.conn.feed("2\n");
    await settle();
    table.sweep(table.nowMs + 4900);
    assert.equal(bo.conn.isClosed, false);
    if (finds === "sweep") table.sweep(table.nowMs + 200);
    else {
      table.nowMs += 200;
      bo.conn.takeBytes(Infinity);
    }
    assert.equal(await bo.ended(), "behind");
    assert.equal(table.logged(/fell behind, closed/).length, 1);
    assert.equal(cy.conn.text, "1\n2\n");
    assert.equal(table.room.plain.size, 2);
  }
});

Deno.test("Connection that takes no byte for writeDeadlineMs is closed; one byte is enough not to be", async () => {
  await using table = new Table({ writeDeadlineMs: 10_000 });
  const [ada, bo] = [table.join("ada"), table.join("bo")];
  bo.conn.takeBytes(0);
  ada.conn.feed('"0123456789"\n');
  await bo.conn.until(() => bo.conn.isStuck);
  for (let i = 0; i < 3; i++) {
    table.sweep(table.nowMs + 9000);
    await settle();
    assert.equal(bo.conn.isClosed, false);
    bo.conn.takeOnce(1);
    await settle();
  }
  table.sweep(table.nowMs + 10_001);
  assert.equal(await bo.ended(), "stuck");
  assert.deepEqual(table.logged(/took no byte/).map(({ fields }) => fields.address), ["bo"]);
  assert.equal(ada.conn.isClosed, false);
});

Deno.test("Connection without anything to write is never stuck or behind", async () => {
  await using table = new Table({ writeDeadlineMs: 10, maxLagMs: 10, whenBehind: "close" });
  const [ada, bo] = [table.join(), table.join()];
  ada.conn.feed("1\n");
  await bo.receives("1\n");
  table.sweep(table.nowMs + 1_000_000);
  await settle();
  assert.deepEqual([ada.conn.isClosed, bo.conn.isClosed], [false, false]);
  assert.deepEqual([ada.connection.hasNews, bo.connection.hasNews], [false, false]);
});

Deno.test("Connection whose half line is not finished within idleLineMs is told so and closed", async () => {
  for (const half of ['{"id":', "G", "1\n2", "x".repeat(70_000)]) {
    await using table = new Table({ idleLineMs: 10_000 });
    const ada = table.connect();
    ada.conn.feed(half);
    await settle();
    table.sweep(table.nowMs + 10_000);
    await settle();
    assert.equal(ada.conn.isOutputEnded, false);
    table.sweep(table.nowMs + 1);
    await ada.conn.until(() => ada.conn.isOutputEnded);
    const { code, message } = errorOf(ada.conn.lines.at(-1)!);
    assert.equal(code, "idle_line");
    assert.match(message, /^Cannot wait for line \d: its end did not come within 10 s, a line ends with LF$/);
    ada.conn.endInput();
    assert.equal(await ada.ended(), "refused");
  }
});

Deno.test("Connection gives a half line no more than 4 KiB while all memory is in use, and says so", async () => {
  await using table = new Table({ maxMemoryBytes: 1 }, NO_TIMERS);
  const [ada, bo] = [table.join(), table.join("bo")];
  ada.conn.feed("1\n" + "[".repeat(2000));
  bo.conn.feed('"short"\n');
  await ada.receives('"short"\n');
  assert.equal(ada.connection.ending, undefined);
  ada.conn.feed("[".repeat(3000));
  await ada.conn.until(() => ada.conn.isOutputEnded, "ends");
  const { code, message, line } = errorOf(ada.conn.lines[1]);
  assert.deepEqual([code, line], ["relay_full", 3]);
  assert.equal(message, "Cannot keep the beginning of line 3: the memory of the relay is full");
});

Deno.test("Connection may be silent between lines, and each half line has its own time", async () => {
  await using table = new Table({ idleLineMs: 10_000 });
  const ada = table.join();
  table.sweep(table.nowMs + 99_000);
  for (const piece of ["1", "\n2", "\n", "\n3", "4\n"]) {
    ada.conn.feed(piece);
    await settle();
    table.sweep(table.nowMs + 9000);
  }
  table.sweep(table.nowMs + 99_000);
  await settle();
  assert.equal(ada.conn.text, "");
  assert.equal(ada.connection.ending, undefined);
});

Deno.test("Connection answers each bad line to its sender alone, and relays the next good one", async () => {
  await using table = new Table({ maxLineBytes: 100 });
  const [ada, bo] = [table.join(), table.join()];
  const long = "1".repeat(101);
  ada.conn.feed(`1\n{'a':1}\n2\n${long}\n3\n`);
  ada.conn.feed(Uint8Array.of(0x22, 0xff, 0x22, 0x0a, 0x34, 0x0a));
  await bo.receives("1\n2\n3\n4\n");
  await ada.conn.until(() => ada.conn.lines.length === 3);
  const errors = ada.conn.lines.map(errorOf);
  assert.deepEqual(errors.map(({ code, line }) => [code, line]), [
    ["invalid_json", 3],
    ["line_too_long", 5],
    ["invalid_utf8", 7],
  ]);
  for (const { message, line } of errors) {
    assert.ok(message.startsWith(`Cannot relay line ${line}: `), message);
  }
  assert.equal(ada.connection.stats().errors, 3);
  assert.equal(ada.connection.ending, undefined);
});

Deno.test("Connection is closed after 100 bad lines in a row, with the reason last", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  ada.conn.feed("bad\n".repeat(99) + "1\n" + "bad\n".repeat(99));
  await bo.receives("1\n");
  await ada.conn.until(() => ada.conn.lines.length === 198);
  assert.equal(ada.connection.ending, undefined);
  ada.conn.feed("bad\n2\nbad\n");
  await ada.conn.until(() => ada.conn.isOutputEnded);
  const codes = ada.conn.lines.map((line) => errorOf(line).code);
  assert.deepEqual(codes, [...Array(199).fill("invalid_json"), "too_many_errors"]);
  assert.match(
    errorOf(ada.conn.lines[199]).message,
    /^Cannot go on: 100 lines in a row were bad, .* is allowed$/,
  );
  ada.conn.endInput();
  assert.equal(await ada.ended(), "refused");
  assert.equal(bo.conn.text, "1\n", "what came after the hundredth is ignored");
});

Deno.test("Connection keeps few replies for a client that sends bad lines and never reads", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  ada.conn.takeBytes(0);
  for (let i = 0; i < 5000; i++) ada.conn.feed("bad\n1\n");
  await bo.conn.until(() => bo.conn.lines.length === 5000);
  ada.conn.takeBytes(Infinity);
  await settle();
  assert.ok(ada.conn.text.length <= 66 * 1024, `${ada.conn.text.length} bytes of replies`);
  for (const line of ada.conn.lines) assert.equal(errorOf(line).code, "invalid_json");
  assert.equal(ada.connection.stats().errors, 5000);
  ada.conn.feed("bad\n");
  const before = ada.conn.lines.length;
  await ada.conn.until(() => ada.conn.lines.length > before);
});

Deno.test("Connection writes replies between lines, never into one", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed('"a line that takes its time"\n');
  await bo.conn.until(() => bo.conn.isStuck);
  bo.conn.takeOnce(5);
  bo.conn.feed("bad\n");
  await settle();
  ada.conn.feed('"next"\n');
  await settle();
  bo.conn.takeBytes(2);
  await bo.conn.until(() => bo.conn.lines.length === 3);
  const [first, reply, next] = bo.conn.lines;
  assert.deepEqual([first, next], ['"a line that takes its time"', '"next"']);
  assert.equal(errorOf(reply).code, "invalid_json");
});

Deno.test("Connection logs each bad line with its address, its code and the reason", async () => {
  await using table = new Table();
  const ada = table.join("ada");
  ada.conn.feed("bad\n1\nworse\n");
  await settle();
  const logged = table.logged("bad line").map(({ fields }) => fields);
  assert.deepEqual(logged.map(({ address, code }) => [address, code]), [
    [ada.connection.address, "invalid_json"],
    [ada.connection.address, "invalid_json"],
  ]);
  assert.match(String(logged[0].why), /^Cannot relay line \d: it is not JSON/);
});

Deno.test("Connection answers HTTP with a 400 and ends, in whatever pieces the request comes", async () => {
  for (const request of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", 'POST / HTTP/1.1\r\n\r\n{"id":1}\n1\n']) {
    for (const size of [1, 2, 3, 4, 5, 1000]) {
      await using table = new Table();
      const [ada, bo] = [table.connect(), table.join()];
      for (let at = 0; at < request.length; at += size) ada.conn.feed(request.slice(at, at + size));
      await ada.conn.until(() => ada.conn.isOutputEnded);
      assert.match(ada.conn.text, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.equal(ada.conn.text.split("HTTP/1.1 400").length, 2, "one answer");
      ada.conn.endInput();
      assert.equal(await ada.ended(), "refused");
      assert.equal(bo.conn.text, "");
      assert.equal(bo.connection.stats().behindBytes, 0);
    }
  }
});

Deno.test("Connection that leaves HTTP to others hands the socket over open and unwritten, with all that was read, and is gone from the lobby", async () => {
  const request = "POST / HTTP/1.1\r\nHost: x\r\n\r\n1\n2\n";
  for (const size of [1, 2, 3, 5, 1000]) {
    for (const isSilentFirst of [false, true]) {
      await using table = new Table(isSilentFirst ? { simulate: parseSimulation("delay=1ms") } : {});
      const [ada, bo] = [table.connect("ada", () => false), table.join()];
      if (isSilentFirst) { while (table.room.plain.size < 2) await settle(); }
      let handed: Uint8Array | undefined, fed = 0;
      void ada.done.then((bytes) => handed = bytes);
      for (; handed === undefined && fed < request.length; fed += size) {
        ada.conn.feed(request.slice(fed, fed + size));
        await settle();
      }
      const sent = request.slice(0, fed);
      assert.equal(new TextDecoder().decode(handed), sent);
      assert.equal(table.room.plain.size, 1);
      ada.connection.end("shutdown");
      ada.connection.cut("shutdown");
      ada.connection.sweep(1e9);
      bo.conn.feed("3\n");
      await settle();
      assert.deepEqual([ada.conn.isClosed, ada.conn.isOutputEnded, ada.conn.text], [false, false, ""]);
      assert.deepEqual([bo.conn.text, ada.connection.ending], ["", "handed over"]);
    }
  }
});

Deno.test("Connection that leaves HTTP to others tells who has been written to already, and closes", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.connect("bo", () => false)];
  ada.conn.feed("1\n");
  await bo.receives("1\n");
  bo.conn.feed("GET / HTTP/1.1\r\n\r\n");
  bo.conn.endInput();
  assert.equal(await bo.ended(), "refused");
  assert.match(bo.conn.text, /^1\n{"\$error":{"code":"invalid_json",.* begins another protocol,.*}}\n$/);
});

Deno.test("Connection writes nothing to a silent one whose host browses, so that it can still be HTTP, and loses nothing", async () => {
  await using table = new Table();
  let isBrowsing = true, handed: Uint8Array | undefined;
  const [ada, bo, cy] = [
    table.join(),
    table.connect("bo", () => isBrowsing),
    table.connect("cy", () => isBrowsing),
  ];
  void bo.done.then((bytes) => handed = bytes);
  ada.conn.feed("1\n");
  await pause(600); // more than twice as long as others are waited for
  assert.deepEqual([bo.conn.text, cy.conn.text], ["", ""]);
  bo.conn.feed("GET / HTTP/1.1\r\n\r\n");
  await settle();
  assert.equal(new TextDecoder().decode(handed), "GET / HTTP/1.1\r\n\r\n");
  isBrowsing = false; // its browser has gone: this is somebody who listens
  await cy.receives("1\n");
});

Deno.test("Connection takes a silent one for a listener after 15 s, also if its host browses", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.connect("bo", () => true)];
  ada.conn.feed("1\n");
  table.nowMs += 15_000;
  await bo.receives("1\n");
});

Deno.test("Connection takes what only begins like HTTP for lines, none of its bytes lost", async () => {
  await using table = new Table({ isChecked: false });
  const [ada, bo] = [table.connect(), table.join()];
  for (const piece of ["P", "U", "TT\n", "GET / HTTP\n"]) ada.conn.feed(piece);
  await bo.receives("PUTT\nGET / HTTP\n");
});

Deno.test("Connection.end writes what is due, ends the output, and waits for the other side", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  for (let i = 0; i < 5; i++) {
    ada.conn.feed(`${i}\n`);
    await settle();
  }
  bo.connection.end("shutdown");
  await settle();
  assert.equal(bo.conn.isOutputEnded, false);
  bo.conn.takeBytes(1);
  await bo.conn.until(() => bo.conn.isOutputEnded);
  assert.equal(bo.conn.text, "0\n1\n2\n3\n4\n");
  assert.equal(bo.conn.isClosed, false, "the client may still be reading");
  bo.conn.endInput();
  assert.equal(await bo.ended(), "shutdown");
});

Deno.test("Connection.end does not wait for ever: neither for a client that reads nothing, nor for one that does not hang up", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [table.join(), table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed("1\n");
  await bo.conn.until(() => bo.conn.isStuck);
  bo.connection.end("shutdown");
  cy.connection.end("shutdown");
  assert.equal(await cy.ended(), "shutdown");
  assert.equal(cy.conn.isOutputEnded, true);
  assert.equal(await bo.ended(), "shutdown");
  assert.equal(bo.conn.isOutputEnded, false);
});

Deno.test("Connection.end ignores what comes afterwards, and a second end changes nothing", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  ada.connection.end("shutdown");
  ada.connection.end("refused", new TextEncoder().encode("never\n"));
  ada.connection.refuse({ code: "relay_full", message: "never" });
  ada.conn.feed("1\nbad\n");
  ada.conn.endInput();
  assert.equal(await ada.ended(), "shutdown");
  await settle();
  assert.deepEqual([ada.conn.text, bo.conn.text], ["", ""]);
});

Deno.test("Connection.refuse says why in one $error line and skips what the log still holds", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed("1\n");
  await settle();
  ada.conn.feed("2\n");
  await settle();
  bo.connection.refuse({ code: "relay_full", message: "Cannot serve" });
  bo.conn.takeBytes(Infinity);
  await bo.conn.until(() => bo.conn.isOutputEnded);
  assert.equal(bo.conn.text, '1\n{"$error":{"code":"relay_full","message":"Cannot serve"}}\n');
});

Deno.test("Connection takes a last line without LF when the input ends cleanly, if it is good", async () => {
  for (const [text, relayed] of [["1\n2", "1\n2\n"], ["2", "2\n"], ['1\n{"id":', "1\n"], ["1\nGE", "1\n"]]) {
    await using table = new Table();
    const [ada, bo] = [table.connect(), table.join()];
    ada.conn.feed(text);
    ada.conn.endInput();
    assert.equal(await ada.ended(), "closed");
    await bo.receives(relayed);
  }
});

Deno.test("Connection judges an end in the middle of a method's name as a line", async () => {
  await using table = new Table();
  const ada = table.connect();
  ada.conn.feed("GE");
  ada.conn.endInput();
  await ada.ended();
  assert.deepEqual(ada.conn.lines.map((line) => errorOf(line).code), ["invalid_json"]);
});

Deno.test("Connection drops a half line when the connection breaks, and logs only what is no everyday end", async () => {
  const cases: [Error, boolean][] = [
    [new Deno.errors.ConnectionReset("reset"), false],
    [new Deno.errors.TimedOut("timed out"), false],
    [new Error("the disk is on fire"), true],
  ];
  for (const [error, isLogged] of cases) {
    await using table = new Table();
    const [ada, bo] = [table.join(), table.join()];
    ada.conn.feed("1\n2");
    await settle();
    ada.conn.endInput(error);
    assert.equal(await ada.ended(), "lost");
    await bo.receives("1\n");
    assert.equal(table.logged("connection failed").length, isLogged ? 1 : 0);
    assert.equal(table.room.plain.size, 1);
  }
});

Deno.test("Connection whose write fails ends alone", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [table.join(), table.join(), table.join()];
  bo.conn.takeBytes(0);
  ada.conn.feed("1\n");
  await bo.conn.until(() => bo.conn.isStuck);
  bo.conn.failWrite(new Deno.errors.BrokenPipe("broken"));
  assert.equal(await bo.ended(), "lost");
  ada.conn.feed("2\n");
  await cy.receives("1\n2\n");
  assert.deepEqual(table.logged("connection failed"), []);
});

Deno.test("Connection whose write fails takes what the client said before it went, and no half line", async () => {
  for (const end of [null, new Deno.errors.ConnectionReset("reset")]) {
    await using table = new Table();
    const [ada, bo] = [table.join(), table.join()];
    bo.conn.takeBytes(0);
    ada.conn.feed("1\n");
    await bo.conn.until(() => bo.conn.isStuck);
    bo.conn.failWrite(new Deno.errors.ConnectionReset("reset"));
    await settle();
    bo.conn.feed("2\n");
    ada.conn.feed("3\n"); // for which nothing is tried any more
    bo.conn.feed("4");
    bo.conn.endInput(end);
    assert.equal(await bo.ended(), "lost");
    await ada.receives("2\n");
    assert.deepEqual([ada.conn.text, bo.conn.writes.length], ["2\n", 1]);
  }
});

Deno.test("Connection gets what is due after it has ended its input", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  bo.conn.takeBytes(0);
  for (let i = 0; i < 3; i++) {
    ada.conn.feed(`${i}\n`);
    await settle();
  }
  bo.conn.endInput();
  await settle();
  bo.conn.takeBytes(Infinity);
  assert.equal(await bo.ended(), "closed");
  assert.equal(bo.conn.text, "0\n1\n2\n");
});

Deno.test("Connection.stats stay what they were after the end, though the room goes on", async () => {
  await using table = new Table({ maxLogBytes: 16 * 1024 });
  const [ada, bo] = [table.join(), table.join()];
  ada.conn.feed("1\n2\n3\n");
  await bo.receives("1\n2\n3\n");
  bo.conn.endInput();
  await bo.ended();
  const line = JSON.stringify("x".repeat(1000)) + "\n";
  for (let i = 0; i < 100; i++) ada.conn.feed(line);
  await settle();
  const { sentLines, sentBytes, skippedLines } = bo.connection.stats();
  assert.deepEqual([sentLines, sentBytes, skippedLines], [3, 6, 0]);
});

Deno.test("Connection relays big chunks of lines and lines that span many reads", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.join()];
  const big = JSON.stringify("y".repeat(64 * 1024 - 2)) + "\n";
  const text = '{"id":1}\n'.repeat(20_000) + big + "1\n" + big + big;
  ada.conn.feed(text);
  await bo.receives(text);
});

Deno.test("Connection writes nothing to a client that has said nothing, for a moment; then all of it", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.connect()];
  const startedAt = performance.now();
  ada.conn.feed("1\n");
  await settle();
  ada.conn.feed("2\n");
  await bo.receives("1\n2\n");
  const afterMs = performance.now() - startedAt;
  assert.ok(afterMs > 200, `after ${afterMs} ms`);
});

Deno.test("Connection whose client waits to speak is written to at once when its first bytes are no hello", async () => {
  for (const opening of ["\n", "1", '{"$h1', " "]) {
    await using table = new Table({}, NO_TIMERS);
    const [ada, bo] = [table.join(), table.connect()];
    ada.conn.feed("1\n");
    await settle();
    assert.equal(bo.conn.text, "");
    bo.conn.feed(opening);
    await settle();
    assert.equal(bo.conn.text, "1\n");
  }
});

Deno.test("Connection that is HTTP, another protocol or a hello is never written what the lobby says, nor counted as somebody there", async () => {
  const openings: [string | Uint8Array, RegExp][] = [
    ["GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 [^]*clients\.\n$/],
    ["PROPFIND / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 [^]*clients\.\n$/],
    [Uint8Array.of(0x16, 0x03, 0x01, 0x02), /^$/],
    ["SSH-2.0-x\r\n", /^$/],
    [Uint8Array.of(0), /^$/],
    ['{"$hello":', /^$/],
  ];
  for (const [opening, written] of openings) {
    await using table = new Table({}, NO_TIMERS);
    const [ada, bo] = [table.join(), table.connect()];
    await settle();
    ada.conn.feed("1\n");
    await settle();
    bo.conn.feed(opening);
    await settle();
    ada.conn.feed("2\n");
    await settle();
    assert.match(bo.conn.text, written);
    assert.equal(table.room.plain.size, 1);
    assert.equal(ada.conn.text, "");
  }
});

Deno.test("Connection relays nothing of another protocol, whatever follows, and closes with a log line", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.connect("bo")];
  bo.conn.feed("SSH-2.0-x\r\n1\n2\n");
  bo.conn.endInput();
  assert.equal(await bo.ended(), "refused");
  await settle();
  assert.equal(ada.conn.text, "");
  const [{ level, fields }] = table.logged("another protocol refused");
  assert.deepEqual([level, fields], ["warn", { address: "bo", begins: "5353482d322e302d" }]);
});

Deno.test("Connection that was taken for a plain client is still not relayed if its first bytes are HTTP or another protocol", async () => {
  for (const hasHeard of [false, true]) {
    for (const late of ["GET / HTTP/1.1\r\n\r\n{}\n", "SSH-2.0-x\n1\n"]) {
      await using table = new Table();
      const [ada, bo] = [table.join(), table.connect()];
      if (hasHeard) ada.conn.feed('"for plain clients"\n');
      while (table.room.plain.size < 2 || (hasHeard && bo.conn.text === "")) await settle();
      await pause(300);
      bo.conn.feed(late);
      await bo.conn.until(() => bo.conn.isOutputEnded);
      const answer = late.startsWith("GET") && !hasHeard
        ? /^HTTP\/1\.1 400/
        : hasHeard
        ? /^"for plain clients"\n{"\$error":{"code":"invalid_json",.* begins another protocol,.*}}\n$/
        : /^$/;
      assert.match(bo.conn.text, answer);
      assert.equal(table.room.plain.size, 1);
      assert.equal(ada.conn.text, "");
    }
  }
});

Deno.test("Connection in its first moment takes no part, and misses nothing said meanwhile, even if nobody else is there to hear it", async () => {
  await using table = new Table({}, NO_TIMERS);
  const bo = table.connect();
  const ada = table.join();
  ada.conn.feed("1\n");
  await settle();
  assert.deepEqual([bo.conn.text, bo.connection.stats().behindBytes], ["", 0]);
  bo.conn.feed("[2]\n");
  await bo.receives("1\n");
  await ada.receives("[2]\n");
});

Deno.test("Connection gives up its place in the log with its end, so that the log drops what others have read", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [table.join(), table.join("bo"), table.join("cy")];
  ada.conn.feed('"hello"\n');
  await cy.receives('"hello"\n');
  cy.conn.endInput();
  await cy.ended();
  const line = JSON.stringify("x".repeat(1000)) + "\n";
  for (let part = 1; part <= 40; part++) {
    ada.conn.feed(line.repeat(60));
    await bo.conn.until(() => bo.conn.bytes.length === 8 + part * 60 * line.length, `has part ${part}`);
  }
  assert.ok(table.room.plain.logBytes <= 2 * 256 * 1024, `${table.room.plain.logBytes} of ${40 * 60 * 1003}`);
});

Deno.test("Connection that says nothing and goes leaves no place behind", async () => {
  await using table = new Table();
  const bo = table.connect();
  bo.conn.endInput();
  assert.equal(await bo.ended(), "closed");
  assert.equal(table.room.isEmpty, true);
});

Deno.test("Connection whose hello comes late stops being a plain client at its first bytes", async () => {
  await using table = new Table();
  const [ada, bo] = [table.join(), table.connect()];
  ada.conn.feed("1\n");
  await bo.receives("1\n");
  bo.conn.feed('{"$hello":');
  await settle();
  ada.conn.feed("2\n");
  await settle();
  assert.equal(bo.conn.text, "1\n");
  assert.equal(table.room.plain.size, 1);
});

Deno.test("Connection writes a WebSocket that has closed its answer, and nothing else that was still to come", async () => {
  await using table = new Table();
  const ada = table.join(), bo = table.connect("bo", undefined, true);
  bo.conn.feed(textFrame("\n"));
  bo.conn.takeBytes(0);
  for (const line of ["1\n", "2\n"]) {
    ada.conn.feed(line);
    await settle();
  }
  bo.conn.feed(closeFrame(1000));
  await settle();
  bo.conn.takeBytes(Infinity);
  await bo.conn.until(() => bo.conn.isOutputEnded);
  assert.deepEqual(readServerFrames(bo.conn.bytes).frames.map(({ opcode }) => opcode), [1, 8]);
});

Deno.test("Connection counts as memory, with the half line that it keeps, until it has ended", async () => {
  await using table = new Table();
  const before = table.usedBytes, bo = table.connect();
  bo.conn.feed(`"${"x".repeat(50_000)}`);
  await settle();
  assert.ok(table.usedBytes - before > 50_000, `${table.usedBytes - before} bytes`);
  bo.conn.endInput(new Deno.errors.ConnectionReset("gone"));
  await bo.ended();
  assert.equal(table.usedBytes, before);
});
