// A member of level 1: an identity that outlives its connection. It has a name that others see, presence, and
// a stream to its client that goes on where a connection broke: what is sent comes in which order. What has
// been sent already, and what of it is confirmed, sent_stream.ts knows; what its client asks for
// session_control.ts does.

import type { Hello, PingLine, Told } from "./client_control.ts";
import { limitToPiece } from "./common_piece.ts";
import { type Gap, isNothing, peersBytes, writeLost, writeRest } from "./gap_report.ts";
import { joinLines, maxJoinedBytes } from "./joined_lines.ts";
import { type EndReason, Member, type Outlet } from "./member.ts";
import { encodeControl, encodeFrom, type WireError } from "../../wire/protocol.ts";
import type { Settings } from "../options.ts";
import type { LeaveReason, Room } from "../room/room.ts";
import type { Cursor } from "../room/cursor.ts";
import { Letter } from "../room/letter.ts";
import type { Receiver } from "../room/post.ts";
import { SentStream } from "./sent_stream.ts";
import { type ControlledSession, followLine } from "./session_control.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import { collectChanges } from "./state_changes.ts";
import { greet, type WelcomeRest, writeWelcome } from "./welcome.ts";

/** How long others see a member whose connection broke: a resume within this time goes unnoticed. */
const ABSENCE_MS = 5000;

/** What a session takes in memory beside what is counted elsewhere, in bytes. */
const SESSION_BYTES = 2048;

const NOTHING_TOLD: Told = {};

/** Who keeps sessions whose clients are away. */
export interface SessionKeeper {
  /** Is told that a session has lost its connection, and may be resumed. */
  onAway(member: SessionMember): void;
  /** Is told that a session is over. */
  onOver(member: SessionMember): void;
  /** Names the rooms that are open. */
  listRooms(): unknown;
}

/** A session in a room, with or without a connection. */
export class SessionMember extends Member implements ControlledSession {
  readonly id: string;
  readonly name: string;
  /** With this the session can be resumed: nobody else knows it. */
  readonly secret: string;
  readonly joinLine: Uint8Array;
  #fromLine: Uint8Array | undefined;
  readonly hearsItself: boolean;
  readonly canHost: boolean;
  readonly #stream: SentStream<WireError>;
  #told: Told = NOTHING_TOLD;
  /** Whose turn it is: state's or that of events. */
  #isStateNext = false;
  /** The `$welcome`, until it is written; it isn't part of the counted stream. */
  #welcome: Uint8Array | undefined;
  /** The lines that belong to the welcome and follow it, until they are written. */
  #rest: WelcomeRest | undefined;
  #received = 0;
  /** Whether the client has shown that its welcome arrived. */
  #isConfirmed = false;
  #isPresent = true;
  #isOver = false;
  #absentSince: number | undefined;
  /** What lies before these places in log and letters was missed before a resume: it is never too old. */
  #repairTo = 0;
  #repairLettersTo = 0;
  /** When the last `$time` line among its letters was made, in ms. */
  #letterTimeMs = -Infinity;
  #isWakeDue = false;
  readonly #keeper: SessionKeeper | undefined;

  constructor(
    room: Room,
    peer: { id: string; name: string },
    secret: string,
    settings: Settings,
    keeper?: SessionKeeper,
    { echo = false, canHost = false }: Partial<Pick<Hello, "echo" | "canHost">> = {},
  ) {
    super(room, room.sessions, settings);
    this.id = peer.id;
    this.name = peer.name;
    this.secret = secret;
    this.#keeper = keeper;
    this.hearsItself = echo;
    this.canHost = canHost;
    this.joinLine = encodeControl("join", { id: peer.id, name: peer.name });
    room.enter(this);
    this.#stream = new SentStream(this.feed.openCursor(), room.state.version, settings.memory.letters);
    this.feed.join(this);
  }

  get cursor(): Cursor {
    return this.#stream.cursor;
  }

  get fromLine(): Uint8Array {
    return this.#fromLine ??= encodeFrom(this.id); // many never say anything
  }

  /** Whether it has left for good. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there is a connection. */
  get isConnected(): boolean {
    return this.outlet !== undefined;
  }

  /** The version of the state that the client surely has. */
  get confirmedStateVersion(): number {
    return this.#stream.confirmedStateVersion;
  }

  /** Gives the new member its first connection, over a bad network if given. The welcome repeats `nonce`. */
  attach(outlet: Outlet, simulation: SimulationOptions | undefined, nonce?: string): void {
    this.outlet = outlet;
    if (simulation !== undefined) outlet.simulate(simulation);
    const { state, owner, roster, host } = this.room, maxBytes = maxJoinedBytes(this.settings.memory);
    const greeting = greet(this.settings, this, { nonce, resumed: false, host: host?.id, more: 0 });
    const welcome = writeWelcome(greeting, roster.describe(this), state, owner, maxBytes);
    this.#welcome = welcome.line;
    if (!welcome.rest.isEmpty) this.#rest = welcome.rest;
    this.countMemory();
  }

  /**
   * Goes on with a session on a new connection, whose client has received `bytes` of the stream. The old
   * connection, if any, is cut. The welcome repeats `nonce`. Returns false if the log doesn't hold any more
   * what is missing: then the session is over.
   */
  resume(outlet: Outlet, bytes: number, simulation: SimulationOptions | undefined, nonce?: string): boolean {
    if (this.#rest === undefined && this.#stream.canGoOnAt(bytes)) this.#isConfirmed = true;
    this.outlet?.cut("replaced");
    if (this.#isOver || !this.#stream.canGoOnAt(bytes)) return false;
    this.#stream.confirm(bytes);
    const errors = this.#stream.rewind();
    if (errors === undefined) return false;
    this.#repairTo = this.feed.end;
    this.#repairLettersTo = this.#stream.letters.end;
    this.#absentSince = undefined;
    this.outlet = outlet;
    if (simulation !== undefined) outlet.simulate(simulation);
    if (!this.#isPresent) this.#appear();
    const more = this.#stream.owedLines;
    this.#welcome = encodeControl("welcome", greet(this.settings, this, { nonce, resumed: true, more }));
    this.replyAgain(errors);
    return true;
  }

  /** Notes that the connection is gone: for good, or for a while if the client has had its welcome. */
  detach(outlet: Outlet, reason: EndReason): void {
    if (outlet !== this.outlet) return;
    this.outlet = undefined;
    this.#welcome = undefined;
    this.#absentSince = this.settings.clock();
    this.#keeper?.onAway(this);
    switch (reason) {
      case "bye":
      case "refused":
        return this.close("closed");
      case "behind":
        return this.close("behind");
      case "shutdown":
        return this.#leave(); // all leave: nobody is told
    }
    // Whoever comes back without having had its welcome begins anew.
    if (!this.#isConfirmed) return this.close(reason === "timeout" ? "timeout" : "lost");
    if (reason !== "timeout") return;
    this.#absentSince -= this.settings.pingTimeoutMs;
    this.#disappear("timeout");
  }

  /** Looks whether the time is over in which the client may come back. */
  sweepAbsence(nowMs: number): void {
    if (this.#absentSince === undefined || this.#isOver) return;
    const awayMs = nowMs - this.#absentSince;
    if (awayMs > ABSENCE_MS) this.#disappear("lost");
    if (awayMs > this.settings.resumeMs) this.close("lost");
  }

  /** What the client has told of its network last. */
  get told(): Told {
    return this.#told;
  }

  /** Notes that the client was silent for longer than pings are apart: another one should lead meanwhile. */
  noteSilence(): void {
    if (this.room.host === this) this.room.passHost();
  }

  /** Ends the session for good. */
  close(reason: LeaveReason): void {
    if (this.#isOver) return;
    this.#leave();
    this.#disappear(reason);
  }

  #leave(): void {
    this.#isOver = true;
    this.#rest?.close();
    this.#keeper?.onOver(this);
    this.room.state.removeOwner(this);
    this.room.leave(this, this.feed);
    this.#stream.close();
    this.#welcome = this.#rest = undefined;
    this.releaseMemory();
  }

  /** How many bytes of complete lines have come from the client. */
  get receivedBytes(): number {
    return this.#received;
  }

  /** Counts bytes of complete lines that came from the client. */
  noteReceived(bytes: number): void {
    this.#received += bytes;
    if (bytes > 0 && this.#rest === undefined) this.#isConfirmed = true;
  }

  get receiver(): Receiver {
    return this;
  }

  receive(letter: Letter, place: number, nowMs: number): void {
    if (this.#isOver) return;
    const { letters: memory } = this.settings.memory, { letters } = this.#stream;
    const timeLine = this.feed.timeLineSince(this.#letterTimeMs, nowMs);
    if (timeLine !== undefined && letters.push(new Letter([timeLine], {}), place, nowMs, memory)) {
      this.#letterTimeMs = nowMs;
    }
    letters.push(letter, place, nowMs, memory);
    this.countMemory();
  }

  override skipOwn(start: number, lines: number): void {
    if (this.hearsItself && lines > 0) return; // of its own coming and going it is not told
    this.#stream.skipOwn(start, lines);
  }

  /** Tells a client whose lines wait for its rate that the relay is there: its pings wait with them. */
  tellSlow(): void {
    this.reply(encodeControl("slow", { linesPerSecond: this.settings.maxLinesPerSecond }));
  }

  /** Handles one control line, `bytes[start, end)` with its LF; returns what is wrong with it. */
  onControl(bytes: Uint8Array, start: number, end: number, lineNumber: number): WireError | undefined {
    const wrong = followLine(this, bytes, start, end, this.settings.isChecked);
    if (wrong === undefined) return undefined;
    return { ...wrong, message: `Cannot follow line ${lineNumber}: ${wrong.message}`, line: lineNumber };
  }

  override get hasNews(): boolean {
    return super.hasNews || this.#stream.letters.nextPlace < Infinity ||
      this.#stream.stateVersion !== this.room.state.version ||
      this.#welcome !== undefined || this.#rest !== undefined;
  }

  protected override get ownBytes(): number {
    return SESSION_BYTES + this.#stream.memoryBytes + (this.#welcome?.length ?? 0) +
      (this.#rest?.memoryBytes ?? 0);
  }

  protected override get canTakeNews(): boolean {
    return this.#freeBytes > 0;
  }

  protected override isTooFarBehind(nowMs: number): boolean {
    if (this.cursor.isEvicted) return true;
    if (nowMs - this.#stream.letters.nextAtMs(this.#repairLettersTo) > this.settings.maxLagMs) return true;
    return this.cursor.offset >= this.#repairTo && super.isTooFarBehind(nowMs);
  }

  protected override onReplyTaken(bytes: number, error: WireError | undefined): void {
    this.#stream.addAnswer(bytes, error, this.settings.memory.isShort);
  }

  /** Takes what is left of the welcome, then lines about a gap. */
  protected override takeFirst(): Uint8Array | undefined {
    if (this.#welcome === undefined && this.#rest === undefined) return this.#stream.takeOwed();
    const bytes = this.#welcome ?? this.#rest!.take(maxJoinedBytes(this.settings.memory))!;
    if (this.#welcome === undefined) this.#stream.addOpening(bytes.length);
    this.#welcome = undefined;
    if (this.#rest?.isEmpty) this.#rest = undefined;
    this.countMemory();
    return bytes;
  }

  protected takeNews(maxBytes: number): Uint8Array | undefined {
    const limit = Math.min(this.#freeBytes, maxBytes), eventLimit = this.#eventLimit(maxBytes);
    // By turns, so that neither events nor state can keep the other waiting.
    this.#isStateNext = !this.#isStateNext;
    return this.#isStateNext
      ? this.#takeState(limit) ?? this.#takeEvents(eventLimit)
      : this.#takeEvents(eventLimit) ?? this.#takeState(limit);
  }

  /** Jumps, and takes the lines that tell it; only state as long as the stream can't take these. */
  protected takeBehind(maxBytes: number): Uint8Array | undefined {
    const from = this.cursor.offset, nowMs = this.settings.clock();
    const stateBytes = Math.min(this.#freeBytes, maxBytes);
    if (!this.#stream.canJump(peersBytes(from, this.room))) return this.#takeState(stateBytes);
    const skipped = this.feed.jump(this, nowMs);
    const letters = this.#stream.letters.skip(nowMs - this.settings.maxLagMs);
    const gap: Gap = { from, nowMs, ...skipped, letters };
    if (isNothing(gap)) return this.takeNews(maxBytes);
    this.#stream.jump(writeLost(gap), writeRest(gap, this, this.room, this.settings));
    this.countMemory();
    return this.#stream.takeOwed();
  }

  /** How many bytes the window has room for. */
  get #freeBytes(): number {
    return this.settings.windowBytes - this.#stream.unconfirmedBytes;
  }

  /** How much of the log is to be taken at most; 0 where that has to wait. */
  #eventLimit(maxBytes: number): number {
    const limit = Math.min(this.#freeBytes, maxBytes), { unconfirmedBytes, letters } = this.#stream;
    if (this.outlet?.isFramed !== true || letters.nextPlace < Infinity) return limit; // copied in any case
    const { nextPieceBytes } = this.cursor, { windowBytes } = this.settings;
    return limitToPiece(limit, maxBytes, nextPieceBytes, unconfirmedBytes, windowBytes);
  }

  #takeEvents(limitBytes: number): Uint8Array | undefined {
    if (limitBytes === 0) return undefined;
    const { letters } = this.#stream, copyBytes = maxJoinedBytes(this.settings.memory);
    if (letters.nextPlace < Infinity) return this.#stream.takeWithLetters(limitBytes, copyBytes);
    const bytes = this.cursor.take(limitBytes);
    if (bytes !== undefined) this.#stream.addLog(bytes.length);
    return bytes;
  }

  /** Takes the changes of state that the client has not seen, as far as it knows whose they are. */
  #takeState(limitBytes: number): Uint8Array | undefined {
    const { stateVersion } = this.#stream;
    if (stateVersion === this.room.state.version) return undefined;
    const { offset } = this.cursor, maxBytes = Math.min(limitBytes, maxJoinedBytes(this.settings.memory));
    const { lines, bytes, version } = collectChanges(this.room, this, stateVersion, offset, maxBytes);
    if (lines.length === 0) {
      this.#stream.passState(version);
      return undefined;
    }
    this.#stream.addState(bytes, version);
    return joinLines(lines);
  }

  /** @internal For control lines. */
  onPing({ t, told }: PingLine): void {
    this.#told = told;
    this.reply(encodeControl("pong", { t, time: this.settings.relayTime(), bytes: this.#received }));
  }

  /** @internal For control lines. */
  onBye(): void {
    this.outlet?.leave();
  }

  /** @internal For control lines. */
  hasRoomForAnswer(bytes: number): boolean {
    return this.#stream.letters.hasRoomForAnswer(bytes, this.settings.memory.letters);
  }

  /** @internal For control lines. */
  listRooms(): unknown {
    return this.#keeper?.listRooms() ?? { rooms: [], more: 0 };
  }

  /** @internal For control lines. */
  onAck(bytes: number): void {
    this.#stream.confirm(bytes);
    this.countMemory();
    if (!this.hasNews || this.#isWakeDue) return;
    // A thousand may acknowledge at once, and a window is much to be written.
    const { loop, clock } = this.settings;
    if (!loop.isBusy(clock())) return this.wake();
    this.#isWakeDue = true;
    loop.callLater(this.#wakeLater);
  }

  readonly #wakeLater = (): void => {
    this.#isWakeDue = false;
    this.wake();
  };

  #appear(): void {
    this.#isPresent = true;
    this.room.enter(this, this);
    this.room.state.touch(this);
  }

  #disappear(reason: LeaveReason): void {
    if (!this.#isPresent) return;
    this.#isPresent = false;
    this.room.exit(this, reason, this.#isOver ? undefined : this);
  }
}
