// One connection, from accept to close: it reads, hands on what comes and writes what there is for its
// client. What it becomes entry.ts says, and until then it speaks for nobody; how far its end has come
// ending.ts. It owns the socket and ends it in one of two ways: `end()` (no more input, what is due is
// written, FIN, a short wait for the other side) or `cut()` (at once).
//
//   conn ─read→ entry ─→ input ─┬─good lines→ member.onLines → room  room.flush → wake ─→ writer ─write→ conn
//                               ├─control lines→ hello, session.onControl    member.take ─↗
//                               └─bad lines→ $error, a reply ─────────────────────────────↗

import { Input, type InputSink } from "./input.ts";
import { Complaints } from "./complaints.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import { Ending, logLevelOf } from "./ending.ts";
import { type Door, type Entrant, Entry, type HttpTaker } from "./entry.ts";
import { type Batch, BEHIND, type EndReason, type Member } from "../member/member.ts";
import { encodeControl, type ErrorCode, type WireError } from "../../wire/protocol.ts";
import type { Settings } from "../options.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import { type FrameFault, isExpectedEnd, type Transport, type WebSocketSide } from "./transport.ts";
import type { MemoryAccount } from "../memory_budget.ts";
import { findOverdue } from "./overdue.ts";
import { ReadBuffer } from "./read_buffer.ts";
import type { ConnectionStats, Counts, Traffic } from "../relay_stats.ts";
import { Writer, type WriterSource } from "./writer.ts";
import type { Room } from "../room/room.ts";
import type { SessionMember } from "../member/session_member.ts";

/**
 * After this share of `pingTimeoutMs` without a word a host gives way: three pings, at least, are missing.
 */
const HOST_SILENCE_SHARE = 0.6;

/** What a connection takes in memory beside its buffers, in bytes. */
const CONNECTION_BYTES = 8 * 1024;

/** How much a half line may take that is kept even if all memory is in use, in bytes. */
const MAX_FREE_LINE_BYTES = 4 * 1024;

/** The service of one connection. */
export class Connection implements Entrant, InputSink, WriterSource {
  readonly address: string;
  readonly #conn: Transport;
  /** What is known beside the bytes, if it is a WebSocket. */
  readonly #websocket: WebSocketSide | undefined;
  readonly #lobby: Room;
  readonly #settings: Settings;
  readonly #entry: Entry;
  /** What the client says, from its first bytes on: many never say anything. */
  #input: Input | undefined;
  readonly #writer: Writer;
  readonly #startedAt: number;
  readonly #endSteps: Ending;
  readonly #counts = new ConnectionCounts();
  readonly #complaints: Complaints;
  /** Whom it speaks for, nobody at first; if that is a session's member, #session is the same. */
  #member: Member | undefined;
  #session: SessionMember | undefined;
  /** How many bytes of lines the session was told of. */
  #countedBytes = 0;
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
    this.#settings = settings;
    this.#writer = new Writer(conn, this, settings);
    this.#startedAt = settings.clock();
    this.#complaints = new Complaints(address, settings);
    this.#endSteps = new Ending(this, settings.timers);
    this.#entry = new Entry(this, lobby, settings, door, httpTaker);
  }

  /** Counts what reading takes. A half line is kept while the connection goes on and there is memory for it. */
  #countInput(account: MemoryAccount, bufferBytes: number): void {
    if (this.ending !== undefined) this.#input?.sorter.close();
    const { heldBytes = 0, lineNumber = 0 } = this.#input?.sorter ?? {};
    account.resize(CONNECTION_BYTES + bufferBytes + heldBytes);
    if (heldBytes <= MAX_FREE_LINE_BYTES || this.#settings.memory.hasRoomFor(0)) return;
    const line = lineNumber + 1;
    const message = `Cannot keep the beginning of line ${line}: the memory of the relay is full`;
    this.refuse({ code: "relay_full", message, line });
    this.#countInput(account, bufferBytes);
  }

  /** Why the connection is ending or has ended; undefined while it goes on. */
  get ending(): EndReason | undefined {
    return this.#endSteps.reason;
  }

  get isFramed(): boolean {
    return this.#websocket !== undefined;
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
   * Serves the connection until both directions have ended; or until it turns out to be HTTP, which is left
   * to the caller: then the socket is open, nothing was written to it, and what was read of it is returned.
   * Never rejects.
   */
  async run(): Promise<Uint8Array | undefined> {
    const buffer = new ReadBuffer(), { memory } = this.#settings, account = memory.open();
    try {
      for (;;) {
        const n = await this.#conn.read(buffer.bytes);
        if (n === null) break;
        const taken = this.ending === undefined && n > 0 ? this.#receive(buffer.filled(n)) : undefined;
        if (this.#handedOver !== undefined) break;
        if (taken !== undefined) await taken;
        if (this.#websocket?.fault !== undefined) this.#refuseFrames(this.#websocket.fault);
        buffer.fit(this.#websocket?.filledBytes ?? n, !memory.isShort);
        this.#countInput(account, buffer.heldBytes);
      }
      if (this.#handedOver === undefined) await this.#settings.loop.inTurn(() => this.#receiveEnd());
    } catch (error) {
      await this.#settings.loop.inTurn(() => this.onFailed(error));
    }
    buffer.release();
    this.#input?.sorter.close();
    account.close();
    if (this.#handedOver !== undefined) return this.#handedOver;
    await this.#endSteps.outputEnded();
    this.cut("closed");
    if (this.#session === undefined) this.#member?.cursor.close();
    this.#settings.log("debug", "connection ended", { address: this.address, reason: this.ending! });
  }

  /**
   * Ends the connection: input is ignored from now on, what is due is written (for a second at most), then
   * the connection is closed. `lastLine` is written last; a client that is refused is written nothing but
   * replies before it. `code` is that of its refusal.
   */
  end(reason: EndReason, lastLine?: Uint8Array, code?: ErrorCode): void {
    if (this.ending !== undefined) return;
    const isGoodbye = reason === "shutdown";
    if (isGoodbye && !this.#settings.needsToken) this.#entry.becomePlain(); // it has waited long enough
    if (this.ending !== undefined) return; // there was no place for a plain client
    this.#endSteps.begin(reason);
    this.#entry.leave();
    if (!isGoodbye) this.#member?.detach(this, reason);
    this.#input?.stop();
    this.#writer.end(lastLine, { reason, code });
  }

  /** Ends the connection with an `$error` line that says why. */
  refuse(error: WireError): void {
    if (this.ending !== undefined) return;
    const fields = { address: this.address, code: error.code, why: error.message };
    this.#settings.log("warn", "connection refused", fields);
    const line = encodeControl("error", { ...error, nonce: this.#entry.nonce });
    this.end("refused", line, error.code);
  }

  /** Ends a WebSocket whose client does not keep to its rules. The close frame says why. */
  #refuseFrames({ code, message }: FrameFault): void {
    if (this.ending !== undefined) return;
    this.#counts.errors++;
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
    if (this.ending !== undefined) return;
    this.#endSteps.beginShort("bye");
    this.#input?.stop();
    void this.#settings.loop.inTurn(() => this.cut("bye"));
  }

  /** Closes the connection at once. */
  cut(reason: EndReason): void {
    if (!this.#endSteps.cut(reason)) return;
    this.#input?.stop();
    this.#entry.leave();
    this.#member?.detach(this, this.ending!);
    this.#writer.close();
  }

  /** Looks after what no event announces: a stuck write, a half line, silence, a member that is behind. */
  sweep(nowMs: number): void {
    if (this.ending !== undefined) return;
    this.#websocket?.sweep(nowMs);
    const { pingTimeoutMs, log } = this.#settings;
    if (this.#unheardMs(nowMs) > HOST_SILENCE_SHARE * pingTimeoutMs) this.#session?.noteSilence();
    const midLineMs = (this.#entry.isDecided ? this.#input : this.#entry)?.midLineMs(nowMs) ?? 0;
    this.#entry.sweep(midLineMs);
    if (this.ending !== undefined) return;
    const waits = { stuckMs: this.#writer.stuckMs(nowMs), silentMs: this.#silentMs(nowMs), midLineMs };
    const who = this.isSession ? "session" : "member", line = (this.#input?.sorter.lineNumber ?? 0) + 1;
    const overdue = findOverdue(waits, this.#settings, who, line);
    if (overdue !== undefined) {
      if ("error" in overdue) return this.refuse(overdue.error);
      log("warn", overdue.message, { address: this.address, afterMs: overdue.afterMs });
      this.cut(overdue.reason);
    } else if (this.#member?.sweep(nowMs) === BEHIND) this.cut("behind");
  }

  /** How long nothing was heard of who has to be heard: sessions, and WebSockets, which are asked to. */
  #silentMs(nowMs: number): number {
    const websocket = this.#websocket;
    if (websocket === undefined) return this.#session === undefined ? 0 : this.#unheardMs(nowMs);
    return Math.min(this.#unheardMs(nowMs), websocket.silentMs(nowMs));
  }

  /** How long the client has said nothing. */
  #unheardMs(nowMs: number): number {
    return this.#input?.silentMs(nowMs) ?? nowMs - this.#startedAt;
  }

  /** Counts what happened so far. */
  stats(): ConnectionStats {
    const now = this.#settings.clock(), member = this.#member;
    return {
      ...this.#counts.total(member?.cursor, this.#writer.sentBytes),
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
    };
  }

  /** Adds to `sum` what happened so far: less work than {@linkcode stats}. */
  addCounts(sum: Counts): void {
    this.#counts.addTo(sum, this.#member?.cursor, this.#writer.sentBytes);
  }

  /** Adds to `sum` what has come and gone since the last call. */
  addTraffic(sum: Traffic): void {
    this.#counts.addTraffic(sum, this.#member?.cursor, this.#writer.sentBytes);
  }

  // Reading

  /** Takes what was read; the promise, if any, resolves when reading may go on. */
  #receive(chunk: Uint8Array): Promise<void> | undefined {
    const nowMs = this.#settings.clock();
    this.#counts.receivedBytes += chunk.length;
    if (this.#entry.isDecided) return this.#listen().take(chunk, nowMs);
    const bytes = this.#entry.look(chunk, nowMs);
    if (bytes === undefined || this.ending !== undefined) return undefined; // refused, or another one's
    const input = this.#listen();
    input.sorter.takesControl = this.#entry.isHelloDue;
    return input.take(bytes, nowMs, this.#entry.isHelloDue);
  }

  /** @internal For the input: tells a session's member how many bytes of lines have been dealt with. */
  onPart(): void {
    const { lineBytes } = this.#listen().sorter;
    this.#session?.noteReceived(lineBytes - this.#countedBytes);
    this.#countedBytes = lineBytes;
  }

  /** @internal For the entry. */
  get isBlank(): boolean {
    return this.#websocket === undefined && this.#writer.isUntouched;
  }

  /** @internal For the entry. */
  speakFor(member: Member | undefined, session?: SessionMember): void {
    this.#member = member;
    this.#session = session;
    if (session !== undefined) {
      this.#counts.startAt(session.cursor);
      this.#countedBytes = this.#listen().sorter.lineBytes;
    }
    if (member !== undefined) this.wake();
  }

  /** @internal For the entry: leaves the socket with nothing of this connection on it. */
  handOver(bytes: Uint8Array): void {
    this.#writer.release();
    this.#input?.stop();
    this.#endSteps.cut("handed over");
    this.#handedOver = bytes.slice();
  }

  #listen(): Input {
    return this.#input ??= new Input(this, this.#settings);
  }

  /** Takes the end of the input: no clean one where nothing could be written any more. */
  #receiveEnd(): void {
    if (this.#endSteps.isOutputEnded) return this.cut("lost");
    // A half line of a session is sent again when it resumes; a message without its end is none.
    if (this.ending === undefined && this.#session === undefined && !this.#websocket?.isMidMessage) {
      const rest = this.#entry.takeEnd();
      if (rest !== undefined) this.#listen().sorter.push(rest);
      this.#input?.end();
    }
    this.end("closed");
  }

  /** @internal For the sorter. */
  onLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[],
  ): void {
    if (this.ending !== undefined) return;
    this.#complaints.noteGood();
    this.#counts.receivedLines += lines;
    this.#member!.onLines(bytes, start, end, lines, lookalikes);
  }

  /** @internal For the sorter. */
  onControl(bytes: Uint8Array, start: number, end: number): void {
    if (this.ending !== undefined) return;
    if (this.#entry.isHelloDue) return this.#entry.onHello(bytes, start, end);
    this.onPart(); // a $pong tells it
    const error = this.#session!.onControl(bytes, start, end, this.#listen().sorter.lineNumber);
    if (error !== undefined) this.onBadLine(error);
    else this.#complaints.noteGood();
  }

  /** @internal For the sorter. */
  onBadLine(error: WireError, line?: Uint8Array): void {
    if (this.ending !== undefined) return;
    if (this.#entry.isHelloDue) return this.#entry.refuseHello(error.message);
    this.#counts.errors++;
    const tooMany = this.#complaints.tellBad(error, this.#member, line);
    if (tooMany !== undefined) this.refuse(tooMany);
  }

  /** @internal For the input. */
  onTooFast(): void {
    this.#complaints.tellTooFast(this.#member, this.#session);
  }

  // Writing

  /** @internal For the writer. */
  get hasNews(): boolean {
    if (this.#member === undefined) return false;
    return this.#member.hasNews || this.ending !== undefined; // what may wait can't any more
  }

  /** @internal For the writer. */
  takeBatch(nowMs: number, maxBytes: number | undefined): Batch | undefined {
    const { reason } = this.#endSteps;
    if (reason === "refused") return this.#member!.takeReplies();
    if (this.#session?.isOn(this) === false) return undefined; // it may have another connection by now
    if (reason !== undefined && this.#websocket?.hasClosed) return undefined; // nobody would read it
    const batch = this.#member!.take(nowMs, maxBytes);
    if (batch !== BEHIND) return batch;
    this.cut("behind");
  }

  /** @internal For the writer. Where writing failed, what the client said before it went is still read. */
  onOutputEnded(error?: unknown): void {
    if (error !== undefined && (this.ending !== undefined || !isExpectedEnd(error))) this.onFailed(error);
    else this.#endSteps.noteOutputEnded();
  }

  /** @internal Ends it after an error of the socket, which is logged unless a network has such. */
  onFailed(error: unknown): void {
    const level = this.#endSteps.isCut ? undefined : logLevelOf(error), { address } = this;
    if (level) this.#settings.log(level, "connection failed", { address, error: String(error) });
    this.cut("lost");
  }
}
