// One connection: its read loop and its only write loop. It owns the socket from accept to close and ends it in one of two ways:
// `end()` (no more input, what is due is written, FIN, a short wait for the other side) or `#cut()` (at once).
// Used by relay.ts, which makes one per connection and awaits its `run()`.
//
//   conn ─read→ opening? ─→ Intake ─good lines→ room.append      room.flush → wake ─→ cursor.take ─write→ conn
//                            └─bad lines→ replies ─────────────────────────────────↗

import { BufferPool } from "./buffer_pool.ts";
import { Intake, type IntakeSink } from "./intake.ts";
import { classifyOpening, HTTP_REFUSAL } from "./opening.ts";
import { encodeControl, type WireError } from "./protocol.ts";
import type { Member, Room } from "./room.ts";
import type { Cursor } from "./room_log.ts";

/** What a session asks of its connection; {@linkcode Deno.TcpConn} has it. One read and one write are under way at the most. */
export interface Connection {
  /** Reads at least one byte and says how many; null at the end of the input. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes at least one byte and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the output; what was written still arrives. */
  closeWrite(): Promise<void>;
  /** Ends both directions; a read or write that is under way rejects. */
  close(): void;
}

/** What sessions share; times in ms, sizes in bytes. See `RelayOptions` for their meaning. */
export interface SessionOptions {
  maxLineBytes: number;
  isChecked: boolean;
  whenBehind: "skip" | "close";
  writeDeadlineMs: number;
  idleLineMs: number;
  log: LogFunction;
  /** Tells the time in ms; never goes back. */
  clock: () => number;
}

/** How important a log line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes one log line: a fact in lower case, and what belongs to it. */
export type LogFunction = (
  level: LogLevel,
  message: string,
  fields?: Record<string, string | number>,
) => void;

/** Why a session ended. */
export type EndReason = "closed" | "lost" | "refused" | "behind" | "stuck" | "shutdown";

/** What a session has done so far. */
export interface SessionStats {
  address: string;
  ageMs: number;
  /** How far the member is behind the room, its own lines not counted. */
  behindBytes: number;
  behindMs: number;
  receivedLines: number;
  receivedBytes: number;
  sentLines: number;
  sentBytes: number;
  skippedLines: number;
  /** Lines that were refused. */
  errors: number;
}

/** The read buffer of a quiet connection. A larger one is lent to a connection whose last read filled it. */
const SMALL_READ_BYTES = 1024;
const LARGE_READ_BYTES = 64 * 1024;

/** The most that one write takes from the log. The kernel takes about this much at once; more would only be staler. */
const MAX_WRITE_BYTES = 256 * 1024;

/** How many bytes of `$error` lines wait for a client that doesn't read them; further ones are dropped. */
const MAX_REPLY_BYTES = 64 * 1024;

/** After this many bad lines in a row the connection is closed. */
const MAX_BAD_LINES_IN_A_ROW = 100;

/** How long an ending session has for writing what is due… */
const GOODBYE_MS = 1000;

/** …and how long it then waits for the other side's end. Closing before that, with input unread, would make the kernel discard what the client has not read yet. */
const LINGER_MS = 250;

/** How long a member must keep up until falling behind again is news. */
const BEHIND_EPISODE_MS = 30_000;

/** How often one client's bad lines are logged. */
const NOISE_MS = 1000;

const NOTHING = new Uint8Array(0);

const largeReadPool = new BufferPool(LARGE_READ_BYTES, 64);

/** A connection as a member of a room. */
export class Session implements Member, IntakeSink {
  readonly address: string;
  readonly cursor: Cursor;
  readonly #conn: Connection;
  readonly #room: Room;
  readonly #options: SessionOptions;
  readonly #intake: Intake;
  readonly #startedAt: number;
  #opening: Uint8Array | undefined = NOTHING;
  #replies: Uint8Array[] = [];
  #replyBytes = 0;
  #isWriting = false;
  #progressAt = 0;
  #midLineSince = 0;
  #ending: EndReason | undefined;
  #isCut = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWritten = false;
  #onWritten: (() => void) | undefined;
  #badInARow = 0;
  #unloggedErrors = 0;
  #errorLoggedAt = -Infinity;
  #behindAt = -Infinity;
  #receivedLines = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #errors = 0;

  constructor(conn: Connection, address: string, room: Room, options: SessionOptions) {
    this.address = address;
    this.#conn = conn;
    this.#room = room;
    this.#options = options;
    this.#intake = new Intake(this, options);
    this.#startedAt = options.clock();
    this.cursor = room.openCursor();
    room.join(this);
  }

  /** Why the session is ending or has ended; undefined while it goes on. */
  get ending(): EndReason | undefined {
    return this.#ending;
  }

  /** Serves the connection until both directions have ended. Never rejects. */
  async run(): Promise<void> {
    const small = new Uint8Array(SMALL_READ_BYTES);
    let buffer = small;
    try {
      for (;;) {
        const n = await this.#conn.read(buffer);
        if (n === null) break;
        if (this.#ending === undefined) this.#receive(n === buffer.length ? buffer : buffer.subarray(0, n));
        if (buffer === small && n === small.length) buffer = largeReadPool.take();
        else if (buffer !== small && n < small.length) {
          largeReadPool.give(buffer);
          buffer = small;
        }
      }
      if (this.#ending === undefined) this.#receiveEnd();
      this.end("closed");
    } catch (error) {
      this.#fail(error);
    }
    if (buffer !== small) largeReadPool.give(buffer);
    if (!this.#isWritten) await new Promise<void>((done) => this.#onWritten = done);
    this.#cut("closed");
    this.cursor.close();
    this.#logErrors(Infinity);
    this.#options.log("debug", "connection ended", { address: this.address, reason: this.#ending! });
  }

  /**
   * Ends the session: input is ignored from now on, what is due is written (for a second at most), then the connection is closed.
   * `lastLine` is written in place of what the log still holds for this member.
   */
  end(reason: EndReason, lastLine?: Uint8Array): void {
    if (this.#ending !== undefined) return;
    this.#ending = reason;
    this.#room.leave(this);
    if (lastLine !== undefined) {
      this.cursor.jumpToEnd();
      this.#replies.push(lastLine);
    }
    this.#timer = setTimeout(() => this.#cut(reason), GOODBYE_MS);
    this.wake();
  }

  /** Ends the session with an `$error` line that says why. */
  refuse(error: WireError): void {
    if (this.#ending !== undefined) return;
    this.#options.log("warn", "connection refused", {
      address: this.address,
      code: error.code,
      why: error.message,
    });
    this.end("refused", encodeControl("error", error));
  }

  /** Starts the write loop, unless it runs already. */
  wake(): void {
    if (!this.#isWriting) void this.#writeAll();
  }

  /** Looks after what no event announces: a stuck write, a half line, a member that has fallen behind. Is called every so often. */
  sweep(nowMs: number): void {
    if (this.#ending !== undefined) return;
    const { writeDeadlineMs, idleLineMs } = this.#options;
    if (this.#isWriting && nowMs - this.#progressAt > writeDeadlineMs) {
      this.#options.log("warn", "member took no byte, closed", {
        address: this.address,
        afterMs: writeDeadlineMs,
      });
      return this.#cut("stuck");
    }
    if (this.#midLineSince > 0 && nowMs - this.#midLineSince > idleLineMs) {
      const line = this.#intake.lineNumber + 1;
      const message = `Cannot wait for line ${line}: its end did not come within ${
        idleLineMs / 1000
      } s, a line ends with LF`;
      return this.refuse({ code: "idle_line", message, line });
    }
    if (this.#isWriting && this.#room.isBehind(this.cursor, nowMs)) this.#noteBehind(nowMs);
    this.#logErrors(nowMs);
  }

  /** Counts what happened so far. */
  stats(): SessionStats {
    const now = this.#options.clock();
    return {
      address: this.address,
      ageMs: now - this.#startedAt,
      behindBytes: this.cursor.behindBytes,
      behindMs: this.#room.lagMs(this.cursor, now),
      receivedLines: this.#receivedLines,
      receivedBytes: this.#receivedBytes,
      sentLines: this.cursor.countTakenLines(),
      sentBytes: this.#sentBytes,
      skippedLines: this.cursor.lost.lines,
      errors: this.#errors,
    };
  }

  // Reading

  #receive(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    if (this.#opening !== undefined) {
      const opening = this.#opening.length === 0 ? chunk : concat([this.#opening, chunk]);
      const kind = classifyOpening(opening);
      if (kind === "undecided") this.#opening = opening.slice();
      else this.#opening = undefined;
      if (kind === "http") return this.#refuseHttp();
      if (kind === "lines") chunk = opening;
    }
    const line = this.#intake.lineNumber;
    if (this.#opening === undefined) this.#intake.push(chunk);
    if (this.#opening === undefined && !this.#intake.isMidLine) this.#midLineSince = 0;
    else if (this.#midLineSince === 0 || line !== this.#intake.lineNumber) {
      this.#midLineSince = this.#options.clock();
    }
  }

  #receiveEnd(): void {
    if (this.#opening !== undefined) this.#intake.push(this.#opening);
    this.#intake.end();
  }

  #refuseHttp(): void {
    this.#options.log("warn", "HTTP request refused", { address: this.address });
    this.end("refused", HTTP_REFUSAL);
  }

  /** @internal For the intake. */
  onLines(bytes: Uint8Array, start: number, end: number, lines: number): void {
    if (this.#ending !== undefined) return;
    this.#badInARow = 0;
    this.#receivedLines += lines;
    this.#room.append(this, bytes, start, end, lines);
  }

  /** @internal For the intake. */
  onBadLine(error: WireError): void {
    if (this.#ending !== undefined) return;
    this.#errors++;
    this.#unloggedErrors++;
    this.#logErrors(this.#options.clock(), error);
    this.#reply(encodeControl("error", error));
    if (++this.#badInARow < MAX_BAD_LINES_IN_A_ROW) return;
    const message =
      `Cannot go on: ${MAX_BAD_LINES_IN_A_ROW} lines in a row were bad, one JSON value a line is allowed`;
    this.refuse({ code: "too_many_errors", message, line: error.line });
  }

  /** Logs bad lines, once a second at most; the line says how many it stands for. */
  #logErrors(nowMs: number, error?: WireError): void {
    if (this.#unloggedErrors === 0 || nowMs - this.#errorLoggedAt < NOISE_MS) return;
    const fields = { address: this.address, count: this.#unloggedErrors };
    const latest = error && { code: error.code, why: error.message };
    this.#options.log("warn", "bad lines", { ...fields, ...latest });
    this.#unloggedErrors = 0;
    this.#errorLoggedAt = nowMs;
  }

  // Writing

  #reply(line: Uint8Array): void {
    if (this.#replyBytes + line.length > MAX_REPLY_BYTES) return;
    this.#replies.push(line);
    this.#replyBytes += line.length;
    this.wake();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let bytes = this.#takeNext(); bytes !== undefined; bytes = this.#takeNext()) {
        this.#progressAt = this.#options.clock();
        for (let at = 0; at < bytes.length;) {
          const n = await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
          at += n;
          this.#sentBytes += n;
          if (at < bytes.length) this.#progressAt = this.#options.clock();
        }
        this.cursor.commit();
      }
      if (this.#ending !== undefined && !this.#isCut) await this.#sayGoodbye();
    } catch (error) {
      this.cursor.commit();
      this.#fail(error);
    }
    this.#isWriting = false;
  }

  #takeNext(): Uint8Array | undefined {
    if (this.#isCut) return undefined;
    if (this.#replies.length > 0) {
      const replies = concat(this.#replies);
      this.#replies = [];
      this.#replyBytes = 0;
      return replies;
    }
    const now = this.#options.clock();
    if (this.#room.isBehind(this.cursor, now)) {
      this.#noteBehind(now);
      if (this.#isCut) return undefined;
      this.cursor.jumpToEnd();
    }
    return this.cursor.take(MAX_WRITE_BYTES);
  }

  async #sayGoodbye(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#cut(this.#ending!), LINGER_MS);
    await this.#conn.closeWrite();
    this.#noteWritten();
  }

  /** Logs that the member fell behind, once an episode; where that is not forgiven, ends it. */
  #noteBehind(nowMs: number): void {
    if (this.cursor.behindBytes === 0) return; // only its own lines
    const isNews = nowMs - this.#behindAt > BEHIND_EPISODE_MS;
    this.#behindAt = nowMs;
    const fields = {
      address: this.address,
      bytes: this.cursor.behindBytes,
      skippedBefore: this.cursor.lost.lines,
    };
    if (this.#options.whenBehind === "close") {
      this.#options.log("warn", "member fell behind, closed", fields);
      this.#cut("behind");
    } else if (isNews) this.#options.log("warn", "member fell behind, skipping to the newest lines", fields);
  }

  // Ending

  /** Closes the connection at once. */
  #cut(reason: EndReason): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#ending ??= reason;
    clearTimeout(this.#timer);
    this.#room.leave(this);
    this.#conn.close();
    this.#noteWritten();
  }

  #noteWritten(): void {
    this.#isWritten = true;
    this.#onWritten?.();
  }

  /** Ends the session after an error of the connection: those that a network has are expected, others are logged. */
  #fail(error: unknown): void {
    if (!this.#isCut && !isExpectedEnd(error)) {
      this.#options.log("error", "connection failed", { address: this.address, error: String(error) });
    }
    this.#cut("lost");
  }
}

/** Whether an error is one of those by which a connection ends in everyday life, or by our own close. */
function isExpectedEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
