// A session as a client speaks it: what comes and what it means, acknowledgements, and what a broken
// connection means. How it begins is in opening.ts, what it writes in session_outbox.ts, when it pings in
// pinger.ts, what is too old in stream_age.ts. Touches no socket: its link does.
//
//   receive(bytes) ─→ LineDecoder ─→ {"$…: control line ─→ roster, age, marks, asks, outbox
//                                 └─→ event ─→ too old? counted : sink.onEvent(line)

import { Asks } from "./asks.ts";
import type { RelayClock } from "./clock.ts";
import { isTime, readControlLine, readCount, readError } from "./relay_control.ts";
import type { ControlLine, RelayError } from "./relay_control.ts";
import type { Hello } from "./hello.ts";
import type { SessionLimits, Welcome } from "./welcome.ts";
import { type Opened, openSession } from "./opening.ts";
import { Pinger } from "./pinger.ts";
import { LineDecoder, type LineSink } from "../link/line_decoder.ts";
import { CONTROL_OPENING, type Tag } from "../../wire/protocol.ts";
import { isCount } from "../../wire/untrusted.ts";
import type { Lost } from "./lost.ts";
import { ReadPosition } from "./read_position.ts";
import { noteRoomValue, settleRoom } from "./room_values.ts";
import { type Peer, Roster, type RosterSink, selfPeer } from "./roster.ts";
import { followControl } from "./roster_control.ts";
import { SessionOutbox } from "./session_outbox.ts";
import { StreamAge } from "./stream_age.ts";
import { type Origin, StreamMarks } from "./stream_marks.ts";
import type { LiveLink, Pipe, Speaker } from "../link/speaker.ts";

/** The longest time to stay away that a relay may ask for, in ms. */
const MAX_RETRY_AFTER_MS = 60_000;

/** What a session hands on, in the order of the bytes. */
export interface SessionSink extends RosterSink {
  /** Takes a question of another member, as a line; the answer names it `ask`. */
  onQuestion(line: string, from: Peer, ask: string): void;
  /** Is told that another member, or nobody, leads the room. */
  onHost(host: Peer | undefined): void;
  /** Takes an event as a line; `isRepair` where a break had held it back. */
  onEvent(line: string, isRepair: boolean, origin: Origin): void;
  /** Takes what can be shown of a line that is none. */
  onInvalidLine(line: string, error: Error): void;
  onLost(lost: Lost): void;
  onError(error: RelayError): void;
  /** Takes the version of the relay's program, with each welcome; "" if it says none, as before 0.2. */
  onRelayVersion(version: string): void;
}

/** What a {@linkcode Session} is made of. */
export interface SessionOptions extends Omit<Hello, "resume" | "nonce"> {
  sink: SessionSink;
  /** The bytes a received line may have without having ended. */
  maxUnfinishedBytes: number;
  /** How long a relay may take to answer a hello, in ms. Default: 3,000; 10,000 if it has answered before. */
  welcomeTimeoutMs?: number;
  /** A clock in ms that never goes back. Default: `performance.now()`. */
  now?: () => number;
}

/**
 * Speaks level 1 over one link; a session goes on from connection to connection as long as the relay keeps
 * it.
 */
export class Session implements Speaker {
  readonly #options: SessionOptions;
  readonly #sink: SessionSink;
  readonly #now: () => number;
  readonly #lines: LineSink;
  readonly #age: StreamAge;
  readonly #roster = new Roster();
  readonly #marks = new StreamMarks(this.#roster);
  readonly #position = new ReadPosition();
  #decoder: LineDecoder;
  #pinger: Pinger | undefined;
  #connection: LiveLink | undefined;
  #retryMs: number | undefined;

  /** The welcome of the session that goes on, and whether it can: not after something that can't be. */
  #welcome: Welcome | undefined;
  #canResume = false;

  /** What this program has asked. */
  readonly asks = new Asks();

  /** What is to be written. */
  readonly source: SessionOutbox;

  /** Makes a session that begins with the first connection. */
  constructor(options: SessionOptions) {
    const { sink, now = () => performance.now() } = options;
    this.#options = options;
    this.#sink = sink;
    this.#now = now;
    const age = this.#age = new StreamAge(now);
    const isWanted = (ask?: string) => ask === undefined || this.asks.isOpen(ask);
    this.source = new SessionOutbox(now, undefined, () => age.measure(), isWanted);
    this.#lines = {
      onLine: (line) => this.#onLine(line),
      onInvalidLine: (line, error) => sink.onInvalidLine(line, error),
    };
    this.#decoder = this.#newDecoder();
  }

  /** This member's id; empty before the first welcome. */
  get id(): string {
    return this.#welcome?.id ?? "";
  }

  /** The other members by id. */
  get peers(): ReadonlyMap<string, Peer> {
    return this.#roster.peers;
  }

  /** The room's own state. */
  get state(): Readonly<Record<string, unknown>> {
    return this.#roster.state;
  }

  /** The room that it is in; the one that was asked for before the first welcome. */
  get room(): string {
    return this.#welcome?.room ?? this.#options.room;
  }

  /** Who leads the room. */
  get host(): Peer | undefined {
    return this.#roster.host;
  }

  /** Whether this member leads the room, as far as it was told. */
  get isHost(): boolean {
    return this.#roster.hostId === this.id;
  }

  /** What the relay allows. */
  get limits(): SessionLimits | undefined {
    return this.#welcome?.limits;
  }

  /** The relay's clock. */
  get clock(): RelayClock {
    return this.#age.clock;
  }

  /** How old the newest received thing was when it came, in ms. */
  get lagMs(): number {
    return this.#age.lagMs;
  }

  /**
   * Says hello, and reads the welcome with all that belongs to it.
   *
   * @throws {RefusedError} when the relay refuses
   * @throws {Error} when it says something else, ends the connection, or says nothing in time
   */
  async open(pipe: Pipe): Promise<{ resumed?: boolean }> {
    const { room } = this, before = this.#welcome;
    const { sink: _, maxUnfinishedBytes, ...hello } = this.#options;
    const resume = before !== undefined && this.#canResume
      ? { session: before.session, bytes: this.#position.lineEndBytes }
      : undefined;
    const opened = await openSession(pipe, {
      ...{ ...hello, room, resume },
      base: hello.any === true && before !== undefined ? hello.room : undefined,
      maxLineBytes: maxUnfinishedBytes,
      isKnown: before !== undefined,
      now: this.#now,
    });
    const { welcome, sentAtMs, receivedAtMs, rest } = opened;
    this.#age.begin(sentAtMs, receivedAtMs, welcome.timeMs, welcome.limits.maxLagMs);
    this.#decoder = this.#newDecoder();
    this.#sink.onRelayVersion(welcome.relayVersion);
    const isResumed = resume !== undefined && welcome.resumed;
    if (isResumed) this.#resume(welcome);
    else this.#restart(opened);
    if (rest.length > 0) this.receive(rest);
    return before === undefined ? {} : { resumed: isResumed };
  }

  /** Begins to write events and to ping. */
  begin(connection: LiveLink): void {
    this.#connection = connection;
    this.source.isOpen = true;
    this.#pinger = new Pinger({
      timeoutMs: this.#welcome!.limits.pingTimeoutMs,
      now: this.#now,
      countChanges: () => this.source.changes,
      onTick: (isPingDue) => this.#onTick(isPingDue),
      flush: () => connection.flush(),
      onDead: (error) => connection.fail(error),
    });
    this.#pinger.start();
  }

  /**
   * Takes received bytes, and acknowledges them when that is due.
   *
   * @throws {RangeError} when the relay tells more of who and what is there than can be kept: the session
   * can't go on then
   */
  receive(bytes: Uint8Array): void {
    this.#pinger?.noteReceived();
    this.#age.check();
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      this.#canResume = false; // nobody knows how far it came
      throw error;
    }
    this.#position.add(bytes);
    const due = this.#position.dueAck(this.source.ackedBytes, this.#welcome!.limits.windowBytes);
    if (due !== undefined) this.#acknowledge();
    if (due === "alone") this.#connection?.flush();
  }

  /** Pings at once, and gives the connection up if nothing is heard soon. */
  wake(): void {
    this.#pinger?.wake();
  }

  /** Stops pinging, and reports what was dropped. */
  end(): void {
    this.#pinger?.stop();
    this.#connection = this.#pinger = undefined;
    this.#reportStale();
  }

  /** Makes `$bye` the last line. */
  finish(): void {
    this.source.end();
  }

  /** Returns, once, what the relay's `$bye` asked for. */
  takeRetryMs(): number | undefined {
    const retryMs = this.#retryMs;
    this.#retryMs = undefined;
    return retryMs;
  }

  #resume(welcome: Welcome): void {
    if (!this.source.resume(welcome.bytes)) {
      this.#canResume = false;
      throw new Error(`the relay says that it has ${welcome.bytes} bytes of this session, which can't be`);
    }
    const { id, session } = this.#welcome!;
    this.#welcome = { ...welcome, id, session };
    this.#position.resume();
    this.source.ackedBytes = this.#position.lineEndBytes;
    this.#age.repair(welcome.timeMs);
  }

  /** Begins another session: takes over who and what is there, and tells what is lost. */
  #restart({ welcome, streamBytes, written }: Opened): void {
    const before = this.#welcome;
    const isOtherRelay = before !== undefined && welcome.relay !== before.relay;
    const { lines, bytes, roomChanges, unasked } = this.source.restart(written, isOtherRelay);
    this.#welcome = welcome;
    this.#canResume = true;
    this.#position.restart(streamBytes);
    this.source.ackedBytes = streamBytes;
    this.#age.reset();
    this.#marks.reset(welcome.timeMs);
    const { member } = this.source;
    this.#roster.self = selfPeer(welcome.id, this.#options.name, () => member.values());
    const { hostId } = this.#roster;
    this.#roster.hostId = welcome.host;
    this.asks.failAll("not_resumed", "the session could not go on, so it may have been done or not", unasked);
    if (before === undefined) {
      this.#roster.become(welcome.roster);
      const { onJoin, onState, onLeave } = this.#sink;
      this.#roster.sink = {
        onJoin,
        onState,
        onLeave: (peer, reason) => {
          this.asks.failPeer(peer.id);
          onLeave(peer, reason);
        },
      };
      return;
    }
    const lostKeys = settleRoom(this.source.room, welcome.roster.state, roomChanges, isOtherRelay);
    this.#sink.onLost({ reason: "unconfirmed", lines, bytes });
    if (isOtherRelay) { // there, an id that was here is somebody else's
      this.#roster.compare([]);
      this.#roster.forgetDeparted();
    }
    this.#roster.become(welcome.roster);
    const hadHost = hostId !== undefined || welcome.host !== undefined;
    if (hadHost && (isOtherRelay || hostId !== welcome.host)) this.#sink.onHost(this.host);
    if (lostKeys.length > 0) this.#sink.onLost({ reason: "state", lines: 0, bytes: 0, keys: lostKeys });
  }

  #onLine(line: string): void {
    if (line.startsWith(CONTROL_OPENING)) return this.#onControlLine(line);
    const tag = this.#marks.takeTag();
    if (tag !== undefined) return this.#onTagged(line, tag);
    if (this.#age.isStale) return this.#age.drop(line);
    this.#pinger?.noteEvent();
    this.#sink.onEvent(line, this.#age.isRepairing, this.#marks.origin);
  }

  /** Takes a question, or the answer to one of this program's. */
  #onTagged(line: string, tag: Tag): void {
    const from = this.#marks.sender;
    if (from === undefined) return;
    if (tag.ask !== undefined) return this.#sink.onQuestion(line, from, tag.ask);
    this.asks.takeReply(line, tag, from.id);
  }

  #onControlLine(line: string): void {
    this.#marks.noteControlLine();
    if (this.#marks.takePlainFrom(line)) return; // there is one before most events
    const control = readControlLine(line);
    if (control !== undefined) return this.#onControl(control, line.length);
    this.#sink.onInvalidLine(
      line,
      new SyntaxError("Cannot read control line: an object with one member is allowed"),
    );
  }

  #onControl(control: ControlLine, size: number): void {
    const { name, body } = control;
    switch (name) {
      case "pong":
        return this.#onPong(body);
      case "time":
        return this.#onTime(body);
      case "from":
        return this.#marks.takeFrom(body);
      case "answer":
        return this.asks.takeAnswer(body);
      case "host":
        this.#roster.hostId = typeof body.id === "string" ? body.id : undefined;
        return this.#sink.onHost(this.host);
      case "lost":
        this.#reportStale();
        this.#age.reset(); // the mark of what follows may have been skipped, too
        this.#marks.takeTag();
        this.#position.noteGap();
        return this.#sink.onLost({
          reason: "behind",
          lines: readCount(body.lines),
          bytes: readCount(body.bytes),
        });
      case "error":
        return this.#onError(body);
      case "bye":
        this.#retryMs = Math.min(readCount(body.retryMs), MAX_RETRY_AFTER_MS);
        return;
      case "set":
        noteRoomValue(this.source, this.id, body);
    }
    followControl(this.#roster, control, size);
    // Whatever else there is, a newer relay says it: it is ignored.
  }

  /** Hands on a complaint; a value that the relay did not take is not this program's any more. */
  #onError(body: Record<string, unknown>): void {
    const error = readError(body);
    if (error === undefined) return;
    const refused = error.line === undefined ? undefined : this.source.refuse(error.line);
    this.#sink.onError(refused === undefined ? error : { ...error, key: refused.key, room: refused.isRoom });
  }

  #onPong({ t: sentAtMs, time, bytes }: Record<string, unknown>): void {
    if (!isTime(sentAtMs) || !isTime(time) || !isCount(bytes)) return;
    this.source.confirmStream(bytes);
    this.#pinger?.notePong(sentAtMs);
    if (this.source.hasMore) this.#connection?.flush();
    if (this.#pinger === undefined) return;
    const nowMs = this.#now();
    this.#age.notePong(sentAtMs, nowMs, time, this.#pinger.isMeasure(sentAtMs, nowMs));
  }

  #onTime({ time }: Record<string, unknown>): void {
    if (!isTime(time)) return;
    this.#marks.takeTime(time);
    this.#age.mark(time);
    if (!this.#age.isStale) this.#reportStale();
  }

  #onTick(isPingDue: boolean): void {
    if (isPingDue) {
      this.source.askPing();
      this.#acknowledge();
    }
    this.#reportStale();
  }

  #reportStale(): void {
    const stale = this.#age.takeStale();
    if (stale !== undefined) this.#sink.onLost({ reason: "stale", ...stale });
  }

  #acknowledge(): void {
    this.source.ack(this.#position.lineEndBytes);
  }

  #newDecoder(): LineDecoder {
    return new LineDecoder(this.#options.maxUnfinishedBytes, this.#lines);
  }
}
