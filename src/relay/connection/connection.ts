// One connection: its read loop and its only write loop. It owns the socket from accept to close and ends it
// in one of two ways: `end()` (no more input, what is due is written, FIN, a short wait for the other side)
// or `cut()` (at once). Whom it speaks for is a member: a plain one at first, a session's if its first line
// is a hello.
//
//   conn ─read→ opening? ─→ LineSorter ─good lines→ member.onLines → room      room.flush → wake ─→ member.take ─write→ conn
//                            ├─control lines→ hello, member.onControl
//                            └─bad lines→ $error, a reply ─────────────────────────────────↗

import { concat } from "../../wire/concat.ts";
import { type Hello, Misunderstood, readControl, readHello, readNonce } from "../member/client_control.ts";
import { Input, type InputSink } from "./input.ts";
import { type Batch, BEHIND, type EndReason, type Member, type Outlet } from "../member/member.ts";
import { classifyFirstBytes, HTTP_REFUSAL } from "./first_bytes.ts";
import { PlainMember } from "../member/plain_member.ts";
import { encodeControl, type WireError } from "../../wire/protocol.ts";
import type { Settings, Timer } from "../options.ts";
import { SimulatedTransport } from "./simulated_transport.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import type { Transport } from "./transport.ts";
import { ReadBuffer } from "./read_buffer.ts";
import type { Room } from "../room/room.ts";
import type { SessionMember } from "../member/session_member.ts";

/** Where a connection asks whether it may take part. */
export interface Door {
  /** Lets a client that said hello in: the member it speaks for from now on, or why it can't. */
  admit(hello: Hello, outlet: Outlet): { member: SessionMember } | { error: WireError };
  /** Says why a client that does not say hello can't be served; undefined if it can. */
  refusePlain(): WireError | undefined;
}

/** What a connection has done so far. */
export interface ConnectionStats {
  address: string;
  /** Which level of the protocol it speaks. */
  kind: "plain" | "session";
  room: string;
  /** The member's name and id; "" for plain members. */
  name: string;
  id: string;
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

/** After this many bad lines in a row the connection is closed. */
const MAX_BAD_LINES_IN_A_ROW = 100;

/** How long nothing is written to a connection that has sent nothing: a session's hello is usually there by then. */
const HOLD_MS = 250;

/** How long a hello may take from its first byte to its end, and to come at all where a token is needed. */
const HELLO_MS = 5000;

/** How long an ending connection has for writing what is due… */
const GOODBYE_MS = 1000;

/** …and how long it then waits for the other side's end. Closing before that, with input unread, would make the kernel discard what the client has not read yet. */
const LINGER_MS = 250;

const NOTHING = new Uint8Array(0);

/** The service of one connection. */
export class Connection implements Outlet, InputSink {
  readonly address: string;
  readonly #conn: Transport;
  /** What is written to: the same, or a simulated network before it. */
  #line: Transport;
  readonly #door: Door;
  readonly #settings: Settings;
  readonly #input: Input;
  readonly #startedAt: number;
  /** Whom it speaks for; if that is a session's member, #session is the same. */
  #member: Member;
  #session: SessionMember | undefined;
  #opening: Uint8Array | undefined = NOTHING;
  #isHelloDue = false;
  /** What the client's hello asks to be repeated. */
  #nonce: string | undefined;
  #openingSince = 0;
  /** How many bytes of lines the member was told of. */
  #countedBytes = 0;
  #isWriting = false;
  /** What is being written, and the batch that it belongs to. */
  #writing: Uint8Array = NOTHING;
  #batch: Batch | undefined;
  #progressAt = 0;
  #lastLine: Uint8Array | undefined;
  #ending: EndReason | undefined;
  #isCut = false;
  #timer: Timer | undefined;
  #isWritten = false;
  #onAllWritten: (() => void) | undefined;
  #badInARow = 0;
  #receivedLines = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #errors = 0;

  /** @param lobby where a connection belongs until it says hello */
  constructor(conn: Transport, address: string, lobby: Room, settings: Settings, door: Door) {
    this.address = address;
    this.#conn = this.#line = conn;
    this.#door = door;
    this.#settings = settings;
    this.#input = new Input(this, settings);
    this.#startedAt = settings.clock();
    this.#member = new PlainMember(lobby, this, settings);
    this.#timer = this.#settings.timers.setTimeout(
      () => this.#becomePlain(),
      settings.needsToken ? HELLO_MS : HOLD_MS,
    );
  }

  /** Why the connection is ending or has ended; undefined while it goes on. */
  get ending(): EndReason | undefined {
    return this.#ending;
  }

  /** Whether it speaks for a session's member, not for a plain client. */
  get isSession(): boolean {
    return this.#session !== undefined;
  }

  /** Serves the connection until both directions have ended. Never rejects. */
  async run(): Promise<void> {
    const buffer = new ReadBuffer();
    try {
      for (;;) {
        const n = await this.#conn.read(buffer.bytes);
        if (n === null) break;
        const taken = this.#ending === undefined ? this.#receive(buffer.filled(n)) : undefined;
        if (taken !== undefined) await taken;
        buffer.fit(n);
      }
      if (this.#ending === undefined) this.#receiveEnd();
      this.end("closed");
    } catch (error) {
      this.#fail(error);
    }
    buffer.release();
    if (!this.#isWritten) await new Promise<void>((done) => this.#onAllWritten = done);
    this.cut("closed");
    if (this.#session === undefined) this.#member.cursor.close();
    this.#settings.log("debug", "connection ended", { address: this.address, reason: this.#ending! });
  }

  /**
   * Ends the connection: input is ignored from now on, what is due is written (for a second at most), then the connection is closed.
   * `lastLine` is written last; a client that is refused is written nothing but replies before it.
   */
  end(reason: EndReason, lastLine?: Uint8Array): void {
    if (this.#ending !== undefined) return;
    if (reason === "shutdown" && !this.#settings.needsToken) this.#becomePlain(); // it has waited long enough
    this.#ending = reason;
    this.#lastLine = lastLine;
    if (reason !== "shutdown") this.#member.detach(this, reason);
    this.#settings.timers.clearTimeout(this.#timer);
    this.#timer = this.#settings.timers.setTimeout(() => this.cut(reason), GOODBYE_MS);
    this.#input.stop();
    this.wake();
  }

  /** Ends the connection with an `$error` line that says why. */
  refuse(error: WireError): void {
    if (this.#ending !== undefined) return;
    const fields = { address: this.address, code: error.code, why: error.message };
    this.#settings.log("warn", "connection refused", fields);
    const isAnswer = this.#session === undefined && this.#nonce !== undefined;
    this.end("refused", encodeControl("error", isAnswer ? { ...error, nonce: this.#nonce } : error));
  }

  /** Starts the write loop, unless it runs already. */
  wake(nowMs?: number): void {
    if (!this.#isWriting) this.#writeNext(nowMs);
  }

  /** Writes over a bad network from now on, in place of one it had. */
  simulate(options: SimulationOptions): void {
    if (this.#line instanceof SimulatedTransport) this.#line.become(options);
    else this.#line = new SimulatedTransport(this.#conn, options, this.#settings);
  }

  /** Closes the connection at once. */
  cut(reason: EndReason): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#ending ??= reason;
    this.#settings.timers.clearTimeout(this.#timer);
    this.#input.stop();
    this.#member.detach(this, this.#ending);
    this.#line.close();
    this.#noteWritten();
  }

  /** Looks after what no event announces: a stuck write, a half line, silence, a member that has fallen behind. Is called every so often. */
  sweep(nowMs: number): void {
    if (this.#ending !== undefined) return;
    const { writeDeadlineMs, idleLineMs, pingTimeoutMs, log } = this.#settings;
    if (this.#isWriting && nowMs - this.#progressAt > writeDeadlineMs) {
      log("warn", "member took no byte, closed", { address: this.address, afterMs: writeDeadlineMs });
      return this.cut("stuck");
    }
    if (this.#session !== undefined && this.#input.silentMs(nowMs) > pingTimeoutMs) {
      log("warn", "session was not heard of, closed", { address: this.address, afterMs: pingTimeoutMs });
      return this.cut("timeout");
    }
    const isOpening = this.#opening !== undefined && this.#opening.length > 0;
    const midLineMs = isOpening ? nowMs - this.#openingSince : this.#input.midLineMs(nowMs);
    if (this.#isHelloDue && midLineMs > HELLO_MS) {
      return this.#refuseHello(`it did not end within ${HELLO_MS / 1000} s`);
    }
    if (midLineMs > idleLineMs) {
      const line = this.#input.sorter.lineNumber + 1;
      const message = `Cannot wait for line ${line}: its end did not come within ${
        idleLineMs / 1000
      } s, a line ends with LF`;
      return this.refuse({ code: "idle_line", message, line });
    }
    if (this.#member.sweep(nowMs) === BEHIND) this.cut("behind");
  }

  /** Counts what happened so far. */
  stats(): ConnectionStats {
    const now = this.#settings.clock();
    const { cursor } = this.#member;
    return {
      address: this.address,
      kind: this.#session === undefined ? "plain" : "session",
      room: this.#member.room.name,
      name: this.#session?.name ?? "",
      id: this.#session?.id ?? "",
      ageMs: now - this.#startedAt,
      behindBytes: cursor.behindBytes,
      behindMs: this.#member.lagMs(now),
      receivedLines: this.#receivedLines,
      receivedBytes: this.#receivedBytes,
      sentLines: cursor.countTakenLines(),
      sentBytes: this.#sentBytes,
      skippedLines: cursor.lost.lines,
      errors: this.#errors,
    };
  }

  // Reading

  /** Takes what was read; the promise, if any, resolves when reading may go on. */
  #receive(chunk: Uint8Array): Promise<void> | undefined {
    const nowMs = this.#settings.clock();
    this.#receivedBytes += chunk.length;
    if (this.#opening === undefined) return this.#input.take(chunk, nowMs);
    if (this.#opening.length === 0) this.#openingSince = nowMs;
    const opening = this.#opening.length === 0 ? chunk : concat([this.#opening, chunk]);
    this.#decide(opening);
    return this.#opening === undefined ? this.#input.take(opening, nowMs) : undefined;
  }

  /** @internal For the input. */
  onPart(): void {
    this.#countLines();
  }

  /** Tells a session's member how many bytes of lines have been dealt with. */
  #countLines(): void {
    this.#session?.noteReceived(this.#input.sorter.lineBytes - this.#countedBytes);
    this.#countedBytes = this.#input.sorter.lineBytes;
  }

  /** Looks at the connection's first bytes: they are kept until they say what it is. */
  #decide(opening: Uint8Array): void {
    const kind = classifyFirstBytes(opening);
    this.#opening = kind === "undecided" ? opening.slice() : undefined;
    if (kind === "hello") this.#isHelloDue = this.#input.sorter.takesControl = true;
    if (kind === "lines") this.#becomePlain();
    if (kind === "http") {
      this.#settings.log("warn", "HTTP request refused", { address: this.address });
      this.end("refused", HTTP_REFUSAL);
    }
  }

  /** Lets a connection that did not say hello take part as a plain client. */
  #becomePlain(): void {
    if (!(this.#member instanceof PlainMember) || this.#isHelloDue || this.#ending !== undefined) return;
    this.#settings.timers.clearTimeout(this.#timer);
    const refusal = this.#door.refusePlain();
    if (refusal !== undefined) return this.refuse(refusal);
    this.#member.isHeld = false;
    this.wake();
  }

  #receiveEnd(): void {
    if (this.#session !== undefined) return; // a half line of a session is sent again when it resumes
    if (this.#opening !== undefined && this.#opening.length > 0) {
      this.#becomePlain();
      this.#input.sorter.push(this.#opening);
    }
    this.#input.end();
  }

  /** @internal For the sorter. */
  onLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[],
  ): void {
    if (this.#ending !== undefined) return;
    this.#badInARow = 0;
    this.#receivedLines += lines;
    this.#member.onLines(bytes, start, end, lines, lookalikes);
  }

  /** @internal For the sorter. */
  onControl(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ending !== undefined) return;
    if (this.#isHelloDue) return this.#onHello(bytes, start, end);
    this.#countLines(); // a $pong tells it
    const error = this.#session!.onControl(bytes, start, end, this.#input.sorter.lineNumber);
    if (error !== undefined) this.onBadLine(error);
    else this.#badInARow = 0;
  }

  #onHello(bytes: Uint8Array, start: number, end: number): void {
    const control = readControl(bytes.subarray(start, end - 1));
    if (!(control instanceof Misunderstood)) this.#nonce = readNonce(control);
    const hello = control instanceof Misunderstood ? control : readHello(control);
    if (hello instanceof Misunderstood) return this.#refuseHello(hello.message);
    const plain = this.#member;
    const answer = this.#door.admit(hello, this);
    if ("error" in answer) return this.refuse(answer.error);
    this.#isHelloDue = false;
    this.#settings.timers.clearTimeout(this.#timer);
    plain.detach(this, "replaced");
    plain.cursor.close();
    this.#member = this.#session = answer.member;
    this.#countedBytes = this.#input.sorter.lineBytes;
    this.wake();
  }

  #refuseHello(why: string): void {
    this.#isHelloDue = false;
    this.refuse({ code: "bad_hello", message: `Cannot understand $hello: ${why}`, line: 1 });
  }

  /** @internal For the sorter. */
  onBadLine(error: WireError): void {
    if (this.#ending !== undefined) return;
    if (this.#isHelloDue) return this.#refuseHello(error.message);
    this.#errors++;
    this.#settings.log("warn", "bad line", { address: this.address, code: error.code, why: error.message });
    this.#member.replyError(error);
    if (++this.#badInARow < MAX_BAD_LINES_IN_A_ROW) return;
    const message =
      `Cannot go on: ${MAX_BAD_LINES_IN_A_ROW} lines in a row were bad, one JSON value a line is allowed`;
    this.refuse({ code: "too_many_errors", message, line: error.line });
  }

  /** @internal For the input. */
  onTooFast(): void {
    const { maxLinesPerSecond, log } = this.#settings;
    const message = `Cannot read so fast: ${maxLinesPerSecond} lines a second are allowed, more have to wait`;
    log("warn", "client sends too fast, reading slowly", { address: this.address, maxLinesPerSecond });
    this.#member.replyError({ code: "rate_limited", message });
  }

  // Writing

  // One write after the other, by callbacks: a loop that awaits makes three times the garbage, at each flush, for each member.

  #writeNext(nowMs?: number): void {
    this.#isWriting = true;
    try {
      const bytes = this.#takeNext(nowMs);
      if (bytes !== undefined) this.#write(bytes);
      else if (this.#ending !== undefined && !this.#isCut) void this.#sayGoodbye();
      else this.#isWriting = false;
    } catch (error) {
      this.#onWriteFailed(error);
    }
  }

  #write(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#line.write(bytes).then(this.#onWritten, this.#onWriteFailed);
  }

  readonly #onWritten = (n: number): void => {
    this.#sentBytes += n;
    if (n < this.#writing.length) {
      this.#progressAt = this.#settings.clock();
      return this.#write(this.#writing.subarray(n));
    }
    this.#writing = NOTHING; // it would keep a block of the log alive
    this.#endBatch();
    this.#writeNext();
  };

  readonly #onWriteFailed = (error: unknown): void => {
    this.#endBatch();
    this.#fail(error);
    this.#isWriting = false;
  };

  #endBatch(): void {
    this.#batch?.written();
    this.#batch = undefined;
  }

  /** Takes what is to be written next. `nowMs` saves a look at the clock, which would cost a few percent of a write. */
  #takeNext(nowMs?: number): Uint8Array | undefined {
    if (this.#isCut) return undefined;
    this.#batch = this.#member.hasNews ? this.#takeFromMember(nowMs) : undefined;
    if (this.#batch !== undefined || this.#isCut) return this.#batch?.bytes;
    const lastLine = this.#lastLine;
    this.#lastLine = undefined;
    return lastLine;
  }

  #takeFromMember(nowMs = this.#settings.clock()): Batch | undefined {
    this.#progressAt = nowMs;
    if (this.#ending === "refused") return this.#member.takeReplies();
    if (this.#session?.isOn(this) === false) return undefined; // it may have another connection by now
    const batch = this.#member.take(nowMs, this.#line.maxWriteBytes);
    if (batch !== BEHIND) return batch;
    this.cut("behind");
  }

  async #sayGoodbye(): Promise<void> {
    try {
      await this.#line.closeWrite(); // the time for a goodbye goes on until this is done
      if (this.#isCut) return;
      this.#settings.timers.clearTimeout(this.#timer);
      this.#timer = this.#settings.timers.setTimeout(() => this.cut(this.#ending!), LINGER_MS);
      this.#noteWritten();
    } catch (error) {
      this.#fail(error);
    }
  }

  #noteWritten(): void {
    this.#isWritten = true;
    this.#onAllWritten?.();
  }

  /** Ends it after an error of the socket: those that a network has are expected, others are logged. */
  #fail(error: unknown): void {
    if (!this.#isCut && !isExpectedEnd(error)) {
      const level = error instanceof Deno.errors.InvalidData ? "warn" : "error"; // TLS that the client got wrong
      this.#settings.log(level, "connection failed", { address: this.address, error: String(error) });
    }
    this.cut("lost");
  }
}

/** Whether an error is one of those by which a connection ends in everyday life, or by our own close. */
function isExpectedEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
