// A session as a client speaks it: what comes and what it means, acknowledgements, what is too old, and what
// a broken connection means. How it begins is in opening.ts, what it writes in session_outbox.ts, when it
// pings in pinger.ts. Touches no socket: its link does.
//
//   receive(bytes) ─→ LineDecoder ─→ {"$…: control line ─→ roster, clock, freshness, outbox
//                                 └─→ event ─→ too old? counted : sink.onEvent(line)

import { Asks, MAX_REASON_LENGTH } from "./asks.ts";
import { RelayClock } from "./clock.ts";
import {
  type ControlLine,
  readControlLine,
  readError,
  readPlainFrom,
  type RelayError,
} from "./relay_control.ts";
import { Freshness } from "./freshness.ts";
import type { Hello } from "./hello.ts";
import { followControl, isTime, type SessionLimits, type Welcome } from "./welcome.ts";
import { type Opened, openSession, WELCOME_TIMEOUT_MS } from "./opening.ts";
import { Pinger } from "./pinger.ts";
import { LineDecoder, type LineSink } from "../link/line_decoder.ts";
import { CONTROL_OPENING, LF, type Tag } from "../../wire/protocol.ts";
import { isSameJson, type Peer, Roster, type RosterSink } from "./roster.ts";
import { type LineCount, SessionOutbox, type Unconfirmed } from "./session_outbox.ts";
import type { LiveLink, Pipe, Speaker } from "../link/speaker.ts";

/**
 * The share of the relay's window after which an acknowledgement goes out with the next events, as alone it
 * would wake the relay once more…
 */
const RIDE_SHARE = 1 / 2;

/** …and after which it goes out alone: the rest of the window is on its way meanwhile. */
const ACK_SHARE = 3 / 4;

/** After so many answers to pings during which all events were too old, but not by the relay's clock, the clock is doubted. */
const DOUBT_PONGS = 3;

/** The longest time to stay away that a relay may ask for, in ms. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * What is lost, as exactly as can be known. Whatever is dropped anywhere is told so, several lines in one.
 *
 * - `behind`: others' events that the relay skipped because this program was too slow.
 * - `stale`: others' events that arrived, but too old, and were dropped here.
 * - `inbox`: others' events that waited here for longer than `inboxLimit` allows, and were pushed out by
 *   newer ones.
 * - `outbox`: this program's own events that were dropped before they were sent: more waited than
 *   `offlineBytes` or, on a connection that takes them, `maxQueuedBytes` allow.
 * - `closed`: this program's own events that had not been sent when `close()` gave up, or were given to
 *   `send()` after it, or had been written to a connection that was broken by then, so that they may have
 *   arrived or not. `keys` are the keys of the room of which the same holds.
 * - `unconfirmed`: a session could not be resumed. `lines` are this program's own events that were written
 *   and not confirmed, so they may have arrived or not; 0 is possible. What others sent in the time between
 *   is missing, too, and nobody can count it.
 * - `state`: a session could not be resumed, and this program had changed `keys` of the room's state, which
 *   may have arrived or not. They are not changed again, since others may have changed them after that:
 *   `relay.state` tells what holds now. `lines` is 0.
 */
export interface Lost {
  /** Why, and so whose lines. */
  reason: "behind" | "stale" | "inbox" | "outbox" | "closed" | "unconfirmed" | "state";
  /** How many lines. */
  lines: number;
  /**
   * The bytes of these lines; as the relay counts them where it does; characters where they were in the
   * inbox.
   */
  bytes: number;
  /** The keys of the room whose change is lost, or may be. */
  keys?: string[];
}

/** Where an event comes from. One object serves all events that have the same origin. */
export interface Origin {
  /** Who sent it; `undefined` for a plain client. */
  readonly from: Peer | undefined;
  /** When the relay received it, by its clock, in ms; up to 100 ms less. */
  readonly time: number;
}

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
  /** Takes the version of the relay's program, with each welcome that says it. */
  onRelayVersion(version: string): void;
}

/** What a {@linkcode Session} is made of. */
export interface SessionOptions extends Omit<Hello, "resume" | "nonce"> {
  sink: SessionSink;
  /** The bytes a received line may have without having ended. */
  maxUnfinishedBytes: number;
  /** How long a relay may take to answer a hello. Default: {@linkcode WELCOME_TIMEOUT_MS}. */
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
  readonly #clock = new RelayClock();
  readonly #freshness = new Freshness();
  readonly #roster = new Roster();
  #decoder: LineDecoder;
  #pinger: Pinger | undefined;
  #connection: LiveLink | undefined;
  #retryMs: number | undefined;

  /** The welcome of the session that goes on, and whether it can: not after something that can't be. */
  #welcome: Welcome | undefined;
  #canResume = false;
  /** Positions in the stream from the relay: what came, the end of its last whole line. */
  #receivedBytes = 0;
  #lineEndBytes = 0;
  /** When the connection in use began: an answer to a ping from before measures nothing. */
  #beganAtMs = 0;
  /** The answers to pings since events have been too old. */
  #stalePongs = 0;
  #stale: LineCount = { lines: 0, bytes: 0 };
  /** Whose the events are that come now, and since when, as the marks in the stream say; as an origin once one is needed. */
  #fromId: string | undefined;
  #markMs = 0;
  #origin: Origin | undefined;
  /** What the next line is, if the mark before it says that it is a question or the answer to one. */
  #tag: Tag | undefined;
  #hostId: string | undefined;
  /** This member itself, once something of its own came. */
  #self: Peer | undefined;

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
    this.source = new SessionOutbox(now, undefined, () => this.#measure());
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
    return this.#hostId === undefined ? undefined : this.#find(this.#hostId);
  }

  /** Whether this member leads the room, as far as it was told. */
  get isHost(): boolean {
    return this.#hostId !== undefined && this.#hostId === this.id;
  }

  /** What the relay allows. */
  get limits(): SessionLimits | undefined {
    return this.#welcome?.limits;
  }

  /** The relay's clock. */
  get clock(): RelayClock {
    return this.#clock;
  }

  /** How old the newest received thing was when it came, in ms. */
  get lagMs(): number {
    return this.#freshness.lagMs;
  }

  /**
   * Says hello, and reads the welcome with all that belongs to it.
   *
   * @throws {RefusedError} when the relay refuses
   * @throws {Error} when it says something else, ends the connection, or says nothing in time
   */
  async open(pipe: Pipe): Promise<{ resumed?: boolean }> {
    const { name, token, simulate, echo, canHost, maxMembers, any } = this.#options;
    const { room, welcomeTimeoutMs = WELCOME_TIMEOUT_MS } = { ...this.#options, room: this.room };
    const before = this.#welcome;
    const resume = before !== undefined && this.#canResume
      ? { session: before.session, bytes: this.#lineEndBytes }
      : undefined;
    const opened = await openSession(pipe, {
      ...{ room, name, token, simulate, echo, canHost, maxMembers, any, resume, welcomeTimeoutMs },
      maxLineBytes: this.#options.maxUnfinishedBytes,
      isKnown: before !== undefined,
      now: this.#now,
    });
    const { welcome, sentAtMs, receivedAtMs, rest } = opened;
    this.#clock.addSample({ sentAtMs, receivedAtMs, relayTimeMs: welcome.timeMs });
    this.#beganAtMs = receivedAtMs;
    this.#decoder = this.#newDecoder();
    if (welcome.relayVersion !== "") this.#sink.onRelayVersion(welcome.relayVersion);
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
    const lastLf = bytes.lastIndexOf(LF);
    const lineEndBytes = lastLf < 0 ? this.#lineEndBytes : this.#receivedBytes + lastLf + 1;
    this.#receivedBytes += bytes.length;
    this.#pinger?.noteReceived();
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      this.#canResume = false; // nobody knows how far it came
      throw error;
    }
    this.#lineEndBytes = lineEndBytes;
    const windowShare = (lineEndBytes - this.source.ackedBytes) / this.#welcome!.limits.windowBytes;
    if (windowShare >= RIDE_SHARE) this.#acknowledge(); // with the next events…
    if (windowShare >= ACK_SHARE) this.#connection?.flush(); // …or alone
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
    this.#receivedBytes = this.source.ackedBytes = this.#lineEndBytes;
    this.#freshness.repair(welcome.timeMs);
  }

  /** Begins another session: takes over who and what is there, and tells what is lost. */
  #restart({ welcome, streamBytes, written }: Opened): void {
    const before = this.#welcome;
    const unconfirmed = this.source.restart(written);
    this.#welcome = welcome;
    this.#canResume = true;
    this.#receivedBytes = this.#lineEndBytes = this.source.ackedBytes = streamBytes;
    this.#freshness.reset();
    [this.#fromId, this.#markMs, this.#origin] = [undefined, welcome.timeMs, undefined];
    this.#self = this.#tag = undefined;
    const hostId = this.#hostId;
    this.#hostId = welcome.host;
    this.asks.failAll("not_resumed", "the session could not go on, so it may have been done or not");
    if (before !== undefined && welcome.relay !== before.relay) this.source.dropLetters();
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
    // Where the relay ran on, its room is as others left it: a key that is missing was removed. A relay that
    // was restarted knows nothing, and whoever set a value last sets it again.
    const isOtherRelay = welcome.relay !== before.relay;
    const lostKeys = this.#bringRoomUpToDate(welcome.roster.state, unconfirmed, isOtherRelay);
    this.#sink.onLost({ reason: "unconfirmed", lines: unconfirmed.lines, bytes: unconfirmed.bytes });
    if (isOtherRelay) { // there, an id that was here is somebody else's
      this.#roster.compare([]);
      this.#roster.forgetDeparted();
    }
    this.#roster.become(welcome.roster);
    const hadHost = hostId !== undefined || welcome.host !== undefined;
    if (hadHost && (isOtherRelay || hostId !== welcome.host)) this.#sink.onHost(this.host);
    if (lostKeys.length > 0) this.#sink.onLost({ reason: "state", lines: 0, bytes: 0, keys: lostKeys });
  }

  /**
   * Decides which values of the room this program sets again; returns the keys whose last change by it may be
   * lost.
   */
  #bringRoomUpToDate(
    present: Readonly<Record<string, unknown>>,
    { roomChanges }: Unconfirmed,
    isOtherRelay: boolean,
  ): string[] {
    const { room } = this.source;
    for (const [key, json] of roomChanges) if (json === undefined) room.forget(key);
    if (isOtherRelay) room.setAgainWhereMissing(present);
    else room.giveUp();
    return [...roomChanges].filter(([key, json]) => {
      if (room.isNews(key)) return false; // it is told again, or a newer one is
      const isThere = Object.hasOwn(present, key);
      return json === undefined ? isThere : !isThere || !isSameJson(present[key], JSON.parse(json));
    }).map(([key]) => key);
  }

  #onLine(line: string): void {
    if (line.startsWith(CONTROL_OPENING)) return this.#onControlLine(line);
    const tag = this.#tag;
    this.#tag = undefined;
    if (tag !== undefined) return this.#onTagged(line, tag);
    if (this.#freshness.isStale) return this.#dropStale(line);
    this.#pinger?.noteEvent();
    this.#origin ??= { from: this.#findSender(), time: this.#markMs };
    this.#sink.onEvent(line, this.#freshness.isRepairing, this.#origin);
  }

  #findSender(): Peer | undefined {
    return this.#fromId === undefined ? undefined : this.#find(this.#fromId);
  }

  #find(id: string): Peer {
    return id === this.id ? this.#self ??= this.#makeSelf() : this.#roster.find(id);
  }

  /** Takes a question, or the answer to one of this program's. */
  #onTagged(line: string, { ask, reply, failed }: Tag): void {
    const from = this.#findSender();
    if (from === undefined) return;
    if (ask !== undefined) return this.#sink.onQuestion(line, from, ask);
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      return this.asks.fail(reply!, "failed", "its answer is not JSON", from.id);
    }
    if (failed !== true) this.asks.settle(reply!, answer, from.id);
    else this.asks.fail(reply!, "failed", String(answer).slice(0, MAX_REASON_LENGTH), from.id);
  }

  /** Takes the relay's answer to a question. */
  #onAnswer({ ask, code, message, ...answer }: Record<string, unknown>): void {
    if (typeof ask !== "string") return;
    if (typeof code !== "string") return this.asks.settle(ask, answer);
    this.asks.refuse(ask, code, String(message));
  }

  /** Makes this member as others see it: whose events come back. */
  #makeSelf(): Peer {
    const { id, source: { member } } = this;
    return {
      id,
      name: this.#options.name,
      get state() {
        return member.values();
      },
    };
  }

  #onControlLine(line: string): void {
    this.#origin = undefined; // the line may be about who it is, or when
    const fromId = readPlainFrom(line);
    if (fromId !== undefined) {
      this.#fromId = fromId;
      this.#tag = undefined;
      return;
    }
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
        this.#fromId = typeof body.id === "string" ? body.id : undefined;
        this.#tag = readTag(body);
        return;
      case "answer":
        return this.#onAnswer(body);
      case "host":
        this.#hostId = typeof body.id === "string" ? body.id : undefined;
        return this.#sink.onHost(this.host);
      case "lost":
        this.#reportStale();
        this.#freshness.reset(); // the mark of what follows may have been skipped, too
        this.#tag = undefined;
        return this.#sink.onLost({ reason: "behind", lines: count(body.lines), bytes: count(body.bytes) });
      case "error":
        return this.#onError(body);
      case "bye":
        this.#retryMs = Math.min(count(body.retryMs), MAX_RETRY_AFTER_MS);
        return;
      case "set":
        this.#noteRoomValue(body);
    }
    followControl(this.#roster, control, size);
    // Whatever else there is, a newer relay says it: it is ignored.
  }

  /** Notes whose value of the room it is: only who set it last sets it again after a restart of the relay. */
  #noteRoomValue({ key, value, from, room }: Record<string, unknown>): void {
    if (room !== true || typeof key !== "string") return;
    if (from !== this.id) return this.source.room.forget(key);
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch {
      return; // it is nested more deeply than anything that this program can have set
    }
    this.source.noteEcho(key, json);
    if (json === undefined) this.source.room.forget(key);
    else this.source.room.keep(key, json);
  }

  /** Hands on a complaint; a value that the relay did not take is not this program's any more. */
  #onError(body: Record<string, unknown>): void {
    const error = readError(body);
    if (error === undefined) return;
    const refused = error.line === undefined ? undefined : this.source.refuse(error.line);
    this.#sink.onError(refused === undefined ? error : { ...error, key: refused.key, room: refused.isRoom });
  }

  #onPong({ t, time, bytes }: Record<string, unknown>): void {
    if (!Number.isFinite(t) || !isTime(time) || !Number.isSafeInteger(bytes)) return;
    const sentAtMs = t as number;
    this.source.confirmStream(bytes as number);
    this.#pinger?.notePong(sentAtMs);
    if (this.source.hasMore) this.#connection?.flush();
    const nowMs = this.#now();
    if (sentAtMs < this.#beganAtMs || sentAtMs > nowMs || this.#pinger === undefined) return;
    // All that comes is too old, and goes on being so, but not by the relay's own word: is it the clock that is wrong?
    const { isStale } = this.#freshness;
    const isDoubtful = isStale && this.#freshness.isFreshBy(time, this.#welcome!.limits.maxLagMs);
    this.#stalePongs = isDoubtful ? this.#stalePongs + 1 : 0;
    if (this.#stalePongs >= DOUBT_PONGS) this.#clock.doubt();
    // An answer that this program was too busy to read tells nothing of the network, but what it says of the
    // clock holds.
    const isMeasure = this.#pinger.isMeasure(sentAtMs, nowMs);
    this.#clock.addSample({ sentAtMs, receivedAtMs: nowMs, relayTimeMs: time }, isMeasure);
    if (isMeasure) this.#freshness.pong(time, this.#relayNow());
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
  }

  #onTime({ time }: Record<string, unknown>): void {
    if (!isTime(time)) return;
    this.#markMs = time;
    this.#freshness.mark(time, this.#relayNow(), this.#maxAgeMs());
    if (!this.#freshness.isStale) this.#reportStale();
  }

  #onTick(isPingDue: boolean): void {
    if (isPingDue) {
      this.source.askPing();
      this.#acknowledge();
    }
    this.#reportStale();
  }

  #dropStale(line: string): void {
    this.#stale.lines++;
    this.#stale.bytes += encoder.encode(line).length + 1;
  }

  #reportStale(): void {
    if (this.#stale.lines === 0) return;
    const stale = this.#stale;
    this.#stale = { lines: 0, bytes: 0 };
    this.#sink.onLost({ reason: "stale", ...stale });
  }

  /** What the relay's dashboard shows of this connection, in ms, once it is known. */
  #measure(): Record<string, number> {
    const { rttMs } = this.#clock;
    return Number.isNaN(rttMs) ? {} : { rtt: toTenths(rttMs), lag: toTenths(this.lagMs) };
  }

  #acknowledge(): void {
    this.source.ack(this.#lineEndBytes);
  }

  #newDecoder(): LineDecoder {
    return new LineDecoder(this.#options.maxUnfinishedBytes, this.#lines);
  }

  #relayNow(): number {
    return this.#clock.now(this.#now());
  }

  /** How old an event may seem to be: what the clock may be wrong by is no age. */
  #maxAgeMs(): number {
    return this.#welcome!.limits.maxLagMs + this.#clock.rttMs + this.#clock.errorBoundMs(this.#now());
  }
}

function readTag({ ask, reply, failed }: Record<string, unknown>): Tag | undefined {
  if (typeof ask === "string") return { ask };
  if (typeof reply === "string") return { reply, ...(failed === true ? { failed } : {}) };
}

const encoder = new TextEncoder();

function toTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function count(value: unknown): number {
  return Number.isSafeInteger(value) && value as number >= 0 ? value as number : 0;
}
