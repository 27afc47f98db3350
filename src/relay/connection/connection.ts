// One connection, from accept to close. It owns the socket and ends it in one of two ways: `end()` (no more input, what is due is written, FIN, a
// short wait for the other side) or `cut()` (at once). What it is, its arrival says; whom it speaks for then is a member, of one of
// the two levels, and nobody before.
//
//   conn ─read→ arrival ─→ input ─┬─good lines→ member.onLines → room      room.flush → wake ─→ writer ─write→ conn
//                                 ├─control lines→ hello, session.onControl        member.take ─↗
//                                 └─bad lines→ $error, a reply ─────────────────────────────────↗

import { type Hello, Misunderstood, readControl, readHello, readNonce } from "../member/client_control.ts";
import { Input, type InputSink } from "./input.ts";
import { type Batch, BEHIND, type EndReason, type Member, type Outlet } from "../member/member.ts";
import { Arrival, HELLO_MS, type Opening } from "./arrival.ts";
import { HTTP_REFUSAL } from "./first_bytes.ts";
import { PlainMember } from "../member/plain_member.ts";
import { encodeControl, type ErrorCode, type WireError } from "../../wire/protocol.ts";
import type { Settings, Timer } from "../options.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import type { FrameFault, Transport, WebSocketSide } from "./transport.ts";
import type { MemoryAccount } from "../memory_budget.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { Writer, type WriterSource } from "./writer.ts";
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
  /** What carries it. */
  transport: "tcp" | "websocket";
  room: string;
  /** The member's name and id; "" for plain members. */
  name: string;
  id: string;
  ageMs: number;
  /** How far the member is behind the room, its own lines not counted. */
  behindBytes: number;
  behindMs: number;
  /** How long a write has made no progress; 0 if none is under way. */
  stuckMs: number;
  /** How long an answer takes, and how old what comes is when it comes, where the client or the transport says so. */
  rttMs: number | undefined;
  lagMs: number | undefined;
  receivedLines: number;
  receivedBytes: number;
  sentLines: number;
  sentBytes: number;
  skippedLines: number;
  /** Lines that were refused. */
  errors: number;
}

/** The part of it that can be added up. */
export type Counts = Pick<
  ConnectionStats,
  "receivedLines" | "receivedBytes" | "sentLines" | "sentBytes" | "skippedLines" | "errors"
>;

/** Lines and bytes that came in and went out. */
export interface Traffic {
  inLines: number;
  inBytes: number;
  outLines: number;
  outBytes: number;
}

/** After this many bad lines in a row the connection is closed. */
const MAX_BAD_LINES_IN_A_ROW = 100;

/** How long an ending connection has for writing what is due… */
const GOODBYE_MS = 1000;

/** …and how long it then waits for the other side's end. Closing before that, with input unread, would make the kernel discard what the client has not read yet. */
const LINGER_MS = 250;

/** After what share of `pingTimeoutMs` without a word of its program a host gives way; pings come at least three times in it. */
const HOST_SILENCE_SHARE = 0.6;

/** What a connection takes in memory beside its buffers, in bytes. */
const CONNECTION_BYTES = 8 * 1024;

/** How long a half line may be that is kept even if all memory is in use, in bytes. */
const MAX_FREE_LINE_BYTES = 4 * 1024;

/** To whom a connection is left that turns out to be HTTP. */
export interface HttpTaker {
  /** Whether the host of this connection speaks HTTP on others, now or a moment ago. */
  isBrowsing(): boolean;
}

/** How long a silent connection of a host that browses may be a browser's socket in reserve, in ms: they drop those after 10 s. */
const RESERVE_MS = 15_000;

/** The service of one connection. */
export class Connection implements Outlet, InputSink, WriterSource {
  readonly address: string;
  readonly #conn: Transport;
  /** What is known beside the bytes, if it is a WebSocket. */
  readonly #websocket: WebSocketSide | undefined;
  readonly #lobby: Room;
  readonly #door: Door;
  readonly #settings: Settings;
  readonly #httpTaker: HttpTaker | undefined;
  readonly #input: Input;
  readonly #writer: Writer;
  readonly #startedAt: number;
  /** Until its first bytes have said what it is. */
  #arrival: Arrival | undefined;
  /** Whom it speaks for, nobody at first; if that is a session's member, #session is the same. */
  #member: Member | undefined;
  #session: SessionMember | undefined;
  #isHelloDue = false;
  /** What the client's hello asks to be repeated. */
  #nonce: string | undefined;
  /** How many bytes of lines the session was told of. */
  #countedBytes = 0;
  #ending: EndReason | undefined;
  #isCut = false;
  #timer: Timer | undefined;
  readonly #outputEnded = Promise.withResolvers<void>();
  #badInARow = 0;
  /** When the client was told last that it sends too fast. */
  #toldSlowAt = -Infinity;
  #receivedLines = 0;
  #receivedBytes = 0;
  #errors = 0;
  /** What has been added to a sum of the traffic. */
  readonly #traffic: Traffic = { inLines: 0, inBytes: 0, outLines: 0, outBytes: 0 };

  /** What it has begun with, once that is HTTP and another one serves it. */
  #handedOver: Uint8Array | undefined;

  /**
   * @param lobby where a connection has its place until it says hello
   * @param httpTaker to whom it is left if it turns out to be HTTP; otherwise that is refused
   */
  constructor(
    conn: Transport,
    address: string,
    lobby: Room,
    settings: Settings,
    door: Door,
    httpTaker?: HttpTaker,
  ) {
    this.address = address;
    this.#conn = conn;
    this.#websocket = conn.websocket;
    this.#lobby = lobby;
    this.#door = door;
    this.#settings = settings;
    this.#httpTaker = httpTaker;
    this.#input = new Input(this, settings);
    this.#writer = new Writer(conn, this, settings);
    this.#startedAt = settings.clock();
    this.#arrival = new Arrival(lobby, settings, () => this.#onSilence());
  }

  /** Counts what reading takes. When all memory is in use, a line that may become long is not kept. */
  #countInput(account: MemoryAccount, bufferBytes: number): void {
    const { sorter } = this.#input;
    account.resize(CONNECTION_BYTES + bufferBytes + sorter.heldBytes);
    if (sorter.heldBytes <= MAX_FREE_LINE_BYTES || this.#settings.memory.hasRoomFor(0)) return;
    const line = sorter.lineNumber + 1;
    const message = `Cannot keep the beginning of line ${line}: the memory of the relay is full`;
    this.refuse({ code: "relay_full", message, line });
  }

  /** Why the connection is ending or has ended; undefined while it goes on. */
  get ending(): EndReason | undefined {
    return this.#ending;
  }

  /** Whether it takes part: somebody is there for whom it speaks. */
  get isMember(): boolean {
    return this.#member !== undefined;
  }

  /** Whether it speaks for a session's member, not for a plain client. */
  get isSession(): boolean {
    return this.#session !== undefined;
  }

  /**
   * Serves the connection until both directions have ended; or until it turns out to be HTTP, which is left to the caller: then the
   * socket is open, nothing was written to it, and what was read of it is returned. Never rejects.
   */
  async run(): Promise<Uint8Array | undefined> {
    const buffer = new ReadBuffer();
    const { memory } = this.#settings, account = memory.open();
    try {
      for (;;) {
        const n = await this.#conn.read(buffer.bytes);
        if (n === null) break;
        const taken = this.#ending === undefined && n > 0 ? this.#receive(buffer.filled(n)) : undefined;
        if (this.#handedOver !== undefined) break;
        if (taken !== undefined) await taken;
        if (this.#websocket?.fault !== undefined) this.#refuseFrames(this.#websocket.fault);
        buffer.fit(this.#websocket?.filledBytes ?? n, !memory.isShort);
        this.#countInput(account, buffer.heldBytes);
      }
      if (this.#handedOver === undefined) {
        await this.#inTurn(() => {
          if (this.#ending === undefined) this.#receiveEnd();
          this.end("closed");
        });
      }
    } catch (error) {
      await this.#inTurn(() => this.#fail(error));
    }
    buffer.release();
    account.close();
    if (this.#handedOver !== undefined) return this.#handedOver;
    await this.#outputEnded.promise;
    this.cut("closed");
    if (this.#session === undefined) this.#member?.cursor.close();
    this.#settings.log("debug", "connection ended", { address: this.address, reason: this.#ending! });
  }

  /** Does something when it is its turn: a thousand connections may end at once. Rejects if it throws. */
  #inTurn(work: () => void): Promise<void> | void {
    const { clock, loop } = this.#settings;
    if (!loop.isBusy(clock())) return work();
    return new Promise((done, fail) =>
      loop.callLater(() => {
        try {
          done(work());
        } catch (error) {
          fail(error); // to who waits: thrown here it would end the relay
        }
      })
    );
  }

  /**
   * Ends the connection: input is ignored from now on, what is due is written (for a second at most), then the connection is closed.
   * `lastLine` is written last; a client that is refused is written nothing but replies before it. `code` is that of its refusal.
   */
  end(reason: EndReason, lastLine?: Uint8Array, code?: ErrorCode): void {
    if (this.#ending !== undefined) return;
    if (reason === "shutdown" && !this.#settings.needsToken) this.#becomePlain(); // it has waited long enough
    if (this.#ending !== undefined) return; // there was no place for a plain client
    this.#ending = reason;
    this.#arrival?.leave();
    if (reason !== "shutdown") this.#member?.detach(this, reason);
    this.#settings.timers.clearTimeout(this.#timer);
    this.#timer = this.#settings.timers.setTimeout(() => this.cut(reason), GOODBYE_MS);
    this.#input.stop();
    this.#writer.end(lastLine, { reason, code });
  }

  /** Ends the connection with an `$error` line that says why. */
  refuse(error: WireError): void {
    if (this.#ending !== undefined) return;
    const fields = { address: this.address, code: error.code, why: error.message };
    this.#settings.log("warn", "connection refused", fields);
    const isAnswer = this.#session === undefined && this.#nonce !== undefined;
    this.end(
      "refused",
      encodeControl("error", isAnswer ? { ...error, nonce: this.#nonce } : error),
      error.code,
    );
  }

  /** Ends a WebSocket whose client does not keep to its rules. The close frame says why. */
  #refuseFrames({ code, message }: FrameFault): void {
    if (this.#ending !== undefined) return;
    this.#errors++;
    this.#settings.log("warn", "connection refused", { address: this.address, code, why: message });
    this.end("refused");
  }

  wake(nowMs?: number): void {
    this.#writer.wake(nowMs);
  }

  simulate(options: SimulationOptions): void {
    this.#writer.simulate(options);
  }

  leave(): void {
    if (this.#ending !== undefined) return;
    this.#ending = "bye";
    this.#input.stop();
    void this.#inTurn(() => this.cut("bye"));
  }

  /** Closes the connection at once. */
  cut(reason: EndReason): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#ending ??= reason;
    this.#settings.timers.clearTimeout(this.#timer);
    this.#input.stop();
    this.#arrival?.leave();
    this.#member?.detach(this, this.#ending);
    this.#writer.close();
    this.#outputEnded.resolve();
  }

  /** Looks after what no event announces: a stuck write, a half line, silence, a member that has fallen behind. Is called every so often. */
  sweep(nowMs: number): void {
    if (this.#ending !== undefined) return;
    const { writeDeadlineMs, idleLineMs, pingTimeoutMs, log } = this.#settings;
    if (this.#writer.stuckMs(nowMs) > writeDeadlineMs) {
      log("warn", "member took no byte, closed", { address: this.address, afterMs: writeDeadlineMs });
      return this.cut("stuck");
    }
    this.#websocket?.sweep(nowMs);
    if (this.#input.silentMs(nowMs) > HOST_SILENCE_SHARE * pingTimeoutMs) this.#session?.noteSilence();
    if (this.#silentMs(nowMs) > pingTimeoutMs) {
      const what = this.#session === undefined ? "member" : "session";
      log("warn", `${what} was not heard of, closed`, { address: this.address, afterMs: pingTimeoutMs });
      return this.cut("timeout");
    }
    const midLineMs = (this.#arrival ?? this.#input).midLineMs(nowMs);
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
    if (this.#member?.sweep(nowMs) === BEHIND) this.cut("behind");
  }

  /** How long nothing has been heard of who has to be heard: of sessions, and of all WebSockets, which are asked for a sign of life. */
  #silentMs(nowMs: number): number {
    const websocket = this.#websocket;
    if (websocket === undefined) return this.#session === undefined ? 0 : this.#input.silentMs(nowMs);
    return Math.min(this.#input.silentMs(nowMs), websocket.silentMs(nowMs));
  }

  /** Counts what happened so far. */
  stats(): ConnectionStats {
    const now = this.#settings.clock();
    const member = this.#member;
    return {
      address: this.address,
      kind: this.#session === undefined ? "plain" : "session",
      transport: this.#conn.kind ?? "tcp",
      room: (member?.room ?? this.#lobby).name,
      name: this.#session?.name ?? "",
      id: this.#session?.id ?? "",
      ageMs: now - this.#startedAt,
      behindBytes: member?.cursor.behindBytes ?? 0,
      behindMs: member?.lagMs(now) ?? 0,
      stuckMs: this.#writer.stuckMs(now),
      rttMs: this.#session?.told.rttMs ?? this.#conn.rttMs,
      lagMs: this.#session?.told.lagMs,
      receivedLines: this.#receivedLines,
      receivedBytes: this.#receivedBytes,
      sentLines: member?.cursor.countTakenLines() ?? 0,
      sentBytes: this.#writer.sentBytes,
      skippedLines: member?.cursor.lost.lines ?? 0,
      errors: this.#errors,
    };
  }

  /** Adds to `sum` what happened so far: less work than {@linkcode stats}. */
  addCounts(sum: Counts): void {
    const cursor = this.#member?.cursor;
    sum.receivedLines += this.#receivedLines;
    sum.receivedBytes += this.#receivedBytes;
    sum.sentLines += cursor?.countTakenLines() ?? 0;
    sum.sentBytes += this.#writer.sentBytes;
    sum.skippedLines += cursor?.lost.lines ?? 0;
    sum.errors += this.#errors;
  }

  /** Adds to `sum` what has come and gone since the last call. */
  addTraffic(sum: Traffic): void {
    const last = this.#traffic, { sentBytes } = this.#writer;
    if (sentBytes !== last.outBytes) {
      const lines = this.#member?.cursor.countTakenLines() ?? last.outLines;
      sum.outLines += lines - last.outLines;
      sum.outBytes += sentBytes - last.outBytes;
      last.outLines = lines;
      last.outBytes = sentBytes;
    }
    sum.inLines += this.#receivedLines - last.inLines;
    sum.inBytes += this.#receivedBytes - last.inBytes;
    last.inLines = this.#receivedLines;
    last.inBytes = this.#receivedBytes;
  }

  // Reading

  /** Takes what was read; the promise, if any, resolves when reading may go on. */
  #receive(chunk: Uint8Array): Promise<void> | undefined {
    const nowMs = this.#settings.clock();
    this.#receivedBytes += chunk.length;
    if (this.#arrival === undefined) return this.#input.take(chunk, nowMs);
    const opening = this.#arrival.look(chunk, nowMs);
    if (opening === undefined) return undefined;
    this.#begin(opening);
    return this.#input.take(opening.bytes, nowMs, this.#isHelloDue); // nothing, if it has been refused
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

  /** Lets the connection be what its first bytes say it is. */
  #begin({ kind, bytes }: Opening): void {
    const { address } = this;
    switch (kind) {
      case "hello":
        this.#leaveLobby();
        this.#isHelloDue = this.#input.sorter.takesControl = true;
        break;
      case "lines":
        this.#becomePlain();
        break;
      case "http":
        if (this.#httpTaker !== undefined && this.#writer.isUntouched) {
          this.#handOver(bytes);
          break;
        }
        this.#settings.log("warn", "HTTP request refused", { address });
        this.end("refused", this.#writer.isUntouched && !this.#websocket ? HTTP_REFUSAL : undefined);
        break;
      case "foreign":
        this.#settings.log("warn", "another protocol refused", { address, begins: beginning(bytes) });
        this.end("refused");
    }
    this.#arrival = undefined;
  }

  /** Leaves the socket to who serves HTTP, with nothing of this connection left on it. */
  #handOver(bytes: Uint8Array): void {
    this.#leaveLobby();
    this.#writer.release();
    this.#input.stop();
    this.#ending = "handed over";
    this.#isCut = true;
    this.#handedOver = bytes.slice();
  }

  /** Gives up what a client has that may yet be a plain one. */
  #leaveLobby(): void {
    this.#arrival?.leave();
    this.#member?.detach(this, "replaced");
    this.#member?.cursor.close();
    this.#member = undefined;
  }

  /** It has said nothing for a moment: a client that only listens, or a browser's socket in reserve, which must not be written to. */
  #onSilence(): void {
    const isYoung = this.#settings.clock() - this.#startedAt < RESERVE_MS;
    if (isYoung && this.#httpTaker?.isBrowsing()) return this.#arrival?.waitOn();
    this.#becomePlain();
  }

  /** Lets a connection that did not say hello take part as a plain client; its first bytes are looked at all the same. */
  #becomePlain(): void {
    if (this.#arrival === undefined || this.#member !== undefined || this.#ending !== undefined) return;
    const refusal = this.#door.refusePlain();
    if (refusal !== undefined) return this.refuse(refusal);
    this.#member = this.#arrival.handOn((cursor) =>
      new PlainMember(this.#lobby, this, this.#settings, cursor)
    );
    this.wake();
  }

  #receiveEnd(): void {
    if (this.#session !== undefined) return; // a half line of a session is sent again when it resumes
    if (this.#websocket?.isMidMessage) return; // a message without its end is none
    const rest = this.#arrival?.bytes;
    if (rest !== undefined && rest.length > 0) {
      this.#becomePlain();
      if (this.#ending === undefined) this.#input.sorter.push(rest);
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
    this.#member!.onLines(bytes, start, end, lines, lookalikes);
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
    const control = readControl(bytes, start, end);
    if (!(control instanceof Misunderstood)) this.#nonce = readNonce(control);
    const hello = control instanceof Misunderstood ? control : readHello(control);
    if (hello instanceof Misunderstood) return this.#refuseHello(hello.message);
    const answer = this.#door.admit(hello, this);
    if ("error" in answer) return this.refuse(answer.error);
    this.#isHelloDue = false;
    this.#member = this.#session = answer.member;
    this.#traffic.outLines = answer.member.cursor.countTakenLines(); // those of its earlier connections
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
    this.#member?.replyError(error);
    if (++this.#badInARow < MAX_BAD_LINES_IN_A_ROW) return;
    const message =
      `Cannot go on: ${MAX_BAD_LINES_IN_A_ROW} lines in a row were bad, one JSON value a line is allowed`;
    this.refuse({ code: "too_many_errors", message, line: error.line });
  }

  /** @internal For the input. */
  onTooFast(): void {
    const { maxLinesPerSecond, pingTimeoutMs, clock, log } = this.#settings;
    const nowMs = clock();
    if (nowMs - this.#toldSlowAt < pingTimeoutMs / 3) return;
    if (this.#toldSlowAt > -Infinity) this.#session?.tellSlow();
    else {
      const message =
        `Cannot read so fast: ${maxLinesPerSecond} lines a second are allowed, more have to wait`;
      log("warn", "client sends too fast, reading slowly", { address: this.address, maxLinesPerSecond });
      if (!this.#member?.replyError({ code: "rate_limited", message })) return; // again the next time
    }
    this.#toldSlowAt = nowMs;
  }

  // Writing

  /** @internal For the writer. */
  get hasNews(): boolean {
    return this.#member !== undefined && this.#member.hasNews;
  }

  /** @internal For the writer. */
  takeBatch(nowMs: number, maxBytes: number | undefined): Batch | undefined {
    if (this.#ending === "refused") return this.#member!.takeReplies();
    if (this.#session?.isOn(this) === false) return undefined; // it may have another connection by now
    if (this.#ending !== undefined && this.#websocket?.hasClosed) return undefined; // nobody would read it
    const batch = this.#member!.take(nowMs, maxBytes);
    if (batch !== BEHIND) return batch;
    this.cut("behind");
  }

  /** @internal For the writer. */
  onOutputEnded(): void {
    this.#settings.timers.clearTimeout(this.#timer); // the time for a goodbye went on until now
    this.#timer = this.#settings.timers.setTimeout(() => this.cut(this.#ending!), LINGER_MS);
    this.#outputEnded.resolve();
  }

  /** @internal For the writer. */
  onWriteFailed(error: unknown): void {
    this.#fail(error);
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

/** Shows how another protocol begins, in hexadecimal digits. */
function beginning(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
