// A session as a client speaks it: the hello and the welcome, control lines in both directions,
// acknowledgements, pings, what is too old, and what a broken connection means. Touches no socket: its link
// does.
//
//   receive(bytes) ─→ LineDecoder ─→ {"$…: control line ─→ roster, clock, freshness, outbox
//                                 └─→ event ─→ too old? counted : sink.onEvent(line)

import { RelayClock } from "./clock.ts";
import { type ControlLine, readControlLine, readError, type RelayError } from "./relay_control.ts";
import { Freshness } from "./freshness.ts";
import { Attempt } from "../link/attempt.ts";
import { encodeHello, findAnswer, type Hello } from "./hello.ts";
import { readAnswer, readPeers, type SessionLimits, type Welcome } from "./welcome.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LineDecoder, type LineSink } from "../link/line_decoder.ts";
import { CONTROL_OPENING, LF } from "../../wire/protocol.ts";
import { type Peer, Roster, type RosterSink } from "./roster.ts";
import { type LineCount, SessionOutbox } from "./session_outbox.ts";
import type { LiveLink, Pipe, Speaker } from "../link/speaker.ts";

/** How long a relay may take to answer a hello; one that doesn't know sessions never does. */
export const WELCOME_TIMEOUT_MS = 3000;

/** The share of the relay's window after which an acknowledgement goes out with the next events, as alone it would wake the relay once more… */
const RIDE_SHARE = 1 / 2;

/** …and after which it goes out alone: the rest of the window is on its way meanwhile. */
const ACK_SHARE = 3 / 4;

/** How long a ping may wait, in ms, to go out with the next events of a program that sends: alone, it would wake the relay once more. */
const RIDE_MS = 100;

/** After so many answers to pings during which all events were too old, the clock is doubted. */
const DOUBT_PONGS = 3;

/** The longest time to stay away that a relay may ask for, in ms. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Lines that are lost, as exactly as can be known.
 *
 * - `behind`: others' events that the relay skipped because this program was too slow.
 * - `stale`: others' events that arrived, but too old, and were dropped here.
 * - `unconfirmed`: a session could not be resumed. `lines` are this program's own events that were written and not
 *   confirmed, so they may have arrived or not; 0 is possible. What others sent in the time between is missing, too, and
 *   nobody can count it.
 */
export interface Lost {
  /** Why, and so whose lines. */
  reason: "behind" | "stale" | "unconfirmed";
  /** How many lines. */
  lines: number;
  /** The bytes of these lines; as the relay counts them where it does. */
  bytes: number;
}

/** What a session hands on, in the order of the bytes. */
export interface SessionSink extends RosterSink {
  /** Takes an event as a line. */
  onEvent(line: string): void;
  /** Takes what can be shown of a line that is none. */
  onInvalidLine(line: string, error: Error): void;
  onLost(lost: Lost): void;
  onError(error: RelayError): void;
}

/** What a {@linkcode Session} is made of. */
export interface SessionOptions extends Omit<Hello, "resume"> {
  sink: SessionSink;
  /** The bytes a received line may have without having ended. */
  maxUnfinishedBytes: number;
  /** How long a relay may take to answer a hello. Default: {@linkcode WELCOME_TIMEOUT_MS}. */
  welcomeTimeoutMs?: number;
  /** A clock in ms that never goes back. Default: `performance.now()`. */
  now?: () => number;
}

/** Speaks level 1 over one link; a session goes on from connection to connection as long as the relay keeps it. */
export class Session implements Speaker {
  readonly #options: SessionOptions;
  readonly #sink: SessionSink;
  readonly #now: () => number;
  readonly #lines: LineSink;
  readonly #clock = new RelayClock();
  readonly #freshness = new Freshness();
  readonly #roster: Roster;
  #decoder: LineDecoder;
  #heartbeat: Heartbeat | undefined;
  #connection: LiveLink | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rideTimer: ReturnType<typeof setTimeout> | undefined;
  #retryMs: number | undefined;

  /** The newest welcome; its session is the one to resume once all of it has been read. */
  #welcome: Welcome | undefined;
  /** The lines that belong to the welcome and have not come yet; who is there, as far as is known meanwhile. */
  #moreLeft = 0;
  #incoming: Roster | undefined;
  #isFirst = true;
  /** Whether the newest welcome is of another run of the relay than the one before. */
  #isOtherRelay = false;

  /** Positions in the stream from the relay: what came, the end of its last whole line, what was acknowledged. */
  #receivedBytes = 0;
  #lineEndBytes = 0;
  /** When the connection in use began: an answer to a ping from before measures nothing. */
  #beganAtMs = 0;
  #seenPushed = 0;
  /** The answers to pings since events have been too old. */
  #stalePongs = 0;
  #stale: LineCount = { lines: 0, bytes: 0 };
  #unconfirmed: LineCount | undefined;

  /** What is to be written. */
  readonly source: SessionOutbox;

  /** Makes a session that begins with the first connection. */
  constructor(options: SessionOptions) {
    const { sink, now = () => performance.now() } = options;
    this.#options = options;
    this.#sink = sink;
    this.#now = now;
    this.source = new SessionOutbox(now);
    this.#roster = new Roster({
      onJoin: (peer) => this.#isFirst || sink.onJoin(peer),
      onLeave: (peer, reason) => this.#isFirst || sink.onLeave(peer, reason),
      onState: (peer, key, value) => this.#isFirst || sink.onState(peer, key, value),
    });
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

  /** Sets a value of this member, or of the room; `undefined` removes it. Goes out after this turn. */
  set(key: string, json: string | undefined, isRoom: boolean): void {
    (isRoom ? this.source.room : this.source.member).set(key, json);
    if (this.#heartbeat !== undefined) this.#heartbeat.isActive = true;
    this.#connection?.flush();
  }

  /**
   * Says hello, and reads the welcome with all that belongs to it.
   *
   * @throws {RefusedError} when the relay refuses
   * @throws {Error} when it says something else, ends the connection, or says nothing in time
   */
  async open(pipe: Pipe): Promise<{ resumed?: boolean }> {
    const { welcomeTimeoutMs = WELCOME_TIMEOUT_MS } = this.#options;
    const attempt = new Attempt();
    try {
      attempt.expect(
        welcomeTimeoutMs,
        `no $welcome within ${welcomeTimeoutMs / 1000} s, this looks like an older relay, connect with ` +
          "{ plain: true } to speak to it",
      );
      return await attempt.race(this.#greet(pipe, attempt));
    } finally {
      attempt.end();
    }
  }

  /** Begins to write events and to ping. */
  begin(connection: LiveLink): void {
    this.#connection = connection;
    this.source.isOpen = true;
    this.#heartbeat = new Heartbeat(this.#welcome!.limits.pingTimeoutMs, this.#now());
    this.#tick();
  }

  /** Takes received bytes, and acknowledges them when that is due. */
  receive(bytes: Uint8Array): void {
    const lastLf = bytes.lastIndexOf(LF);
    const lineEndBytes = lastLf < 0 ? this.#lineEndBytes : this.#receivedBytes + lastLf + 1;
    this.#receivedBytes += bytes.length;
    this.#heartbeat?.noteReceived();
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
    this.#decoder.push(bytes);
    this.#lineEndBytes = lineEndBytes;
    const windowShare = (lineEndBytes - this.source.ackedBytes) / this.#welcome!.limits.windowBytes;
    if (windowShare >= RIDE_SHARE) this.#acknowledge(); // with the next events…
    if (windowShare >= ACK_SHARE) this.#connection?.flush(); // …or alone
  }

  /** Stops pinging, and reports what was dropped. */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#rideTimer);
    this.#connection = this.#heartbeat = undefined;
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

  async #greet(pipe: Pipe, attempt: Attempt): Promise<{ resumed?: boolean }> {
    const { room, name, token, simulate } = this.#options;
    // A session whose welcome was never read to its end has nothing worth going on with.
    const session = this.#incoming === undefined ? this.#welcome?.session : undefined;
    const resume = session === undefined ? undefined : { session, bytes: this.#lineEndBytes };
    const sentAtMs = this.#now();
    await pipe.write(encodeHello({ room, name, token, simulate, resume }));
    const { line, rest } = await findAnswer(pipe);
    const receivedAtMs = this.#now();
    if (attempt.isOver) throw attempt.error;
    const welcome = readAnswer(line);
    this.#clock.addSample({ sentAtMs, receivedAtMs, relayTimeMs: welcome.timeMs });
    this.#beganAtMs = receivedAtMs;
    if (resume !== undefined && welcome.resumed) this.#resume(welcome);
    else this.#restart(welcome);
    this.#decoder = this.#newDecoder();
    if (rest.length > 0) this.receive(rest);
    while (this.#moreLeft > 0) {
      attempt.expect(welcome.limits.pingTimeoutMs, "its $welcome stopped in the middle");
      const bytes = await pipe.read();
      if (attempt.isOver) throw attempt.error;
      if (bytes === null) throw new Error("the relay closed the connection in the middle of its $welcome");
      this.receive(bytes);
      const acknowledgement = this.source.nextBatch(Infinity);
      if (acknowledgement === undefined) continue;
      await pipe.write(acknowledgement);
      this.source.confirm(acknowledgement.length);
    }
    return resume === undefined ? {} : { resumed: welcome.resumed };
  }

  #resume(welcome: Welcome): void {
    if (!this.source.resume(welcome.bytes)) {
      this.#incoming = new Roster(); // this session is beyond repair: the next attempt begins another
      throw new Error(`the relay says that it has ${welcome.bytes} bytes of this session, which can't be`);
    }
    const { id, session } = this.#welcome!;
    this.#welcome = { ...welcome, id, session };
    this.#receivedBytes = this.source.ackedBytes = this.#lineEndBytes;
    this.#freshness.repair(welcome.timeMs);
  }

  #restart(welcome: Welcome): void {
    const unconfirmed = this.source.restart();
    unconfirmed.lines += this.#unconfirmed?.lines ?? 0;
    unconfirmed.bytes += this.#unconfirmed?.bytes ?? 0;
    this.#unconfirmed = unconfirmed;
    this.#isOtherRelay = welcome.relay !== this.#welcome?.relay;
    this.#welcome = welcome;
    this.#receivedBytes = this.#lineEndBytes = this.source.ackedBytes = 0;
    this.#freshness.reset();
    this.#incoming = welcome.roster;
    this.#moreLeft = welcome.more;
    if (this.#moreLeft === 0) this.#settle();
  }

  /** Takes over who and what is there, now that the whole welcome has been read. */
  #settle(): void {
    const incoming = this.#incoming!;
    this.#incoming = undefined;
    this.source.room.setAgainWhereMissing(incoming.state);
    if (!this.#isFirst) this.#sink.onLost({ reason: "unconfirmed", ...this.#unconfirmed! });
    this.#unconfirmed = undefined;
    if (this.#isOtherRelay) this.#roster.compare([]); // there, an id that was here is somebody else's
    this.#roster.become(incoming);
    this.#isFirst = false;
  }

  #onLine(line: string): void {
    if (line.startsWith(CONTROL_OPENING)) return this.#onControlLine(line);
    if (this.#freshness.isStale) return this.#dropStale(line);
    if (this.#heartbeat !== undefined) this.#heartbeat.isActive = true;
    this.#sink.onEvent(line);
  }

  #onControlLine(line: string): void {
    const control = readControlLine(line);
    if (control === undefined) {
      this.#sink.onInvalidLine(
        line,
        new SyntaxError("Cannot read control line: an object with one member is allowed"),
      );
    } else this.#onControl(control);
    if (this.#moreLeft > 0 && --this.#moreLeft === 0) this.#settle();
  }

  #onControl({ name, body }: ControlLine): void {
    switch (name) {
      case "pong":
        return this.#onPong(body);
      case "time":
        return this.#onTime(body);
      case "join":
        if (typeof body.id !== "string") return;
        return this.#there.join(body.id, typeof body.name === "string" ? body.name : "");
      case "leave":
        if (typeof body.id !== "string") return;
        return this.#there.leave(body.id, typeof body.reason === "string" ? body.reason : "lost");
      case "set":
        return this.#onSet(body);
      case "peers":
        return this.#there.compare(readPeers(body.peers));
      case "lost":
        this.#reportStale();
        this.#freshness.reset(); // the mark of what follows may have been skipped, too
        return this.#sink.onLost({ reason: "behind", lines: count(body.lines), bytes: count(body.bytes) });
      case "error": {
        const error = readError(body);
        return error && this.#sink.onError(error);
      }
      case "bye":
        this.#retryMs = Math.min(count(body.retryMs), MAX_RETRY_AFTER_MS);
    }
    // Whatever else there is, a newer relay says it: it is ignored.
  }

  get #there(): Roster {
    return this.#incoming ?? this.#roster;
  }

  #onSet({ key, value, from, room }: Record<string, unknown>): void {
    if (typeof key !== "string") return;
    if (room !== true) {
      if (typeof from === "string") this.#there.set(from, key, value);
      return;
    }
    // Only whoever set a room's value last sets it again after a restart of the relay.
    if (from !== this.id || value === undefined) this.source.room.forget(key);
    else if (!this.source.room.has(key)) this.source.room.keep(key, JSON.stringify(value));
    this.#there.set(null, key, value);
  }

  #onPong({ t, time, bytes }: Record<string, unknown>): void {
    if (!isFiniteNumber(t) || !isFiniteNumber(time) || !isFiniteNumber(bytes)) return;
    this.source.confirmStream(bytes);
    if (this.source.hasMore) this.#connection?.flush();
    const nowMs = this.#now();
    if (t < this.#beganAtMs || t > nowMs || this.#heartbeat === undefined) return;
    this.#stalePongs = this.#freshness.isStale ? this.#stalePongs + 1 : 0;
    // All that comes is too old, and goes on being so: is it the clock that is wrong?
    if (this.#stalePongs >= DOUBT_PONGS) this.#clock.doubt();
    // An answer that this program was too busy to read tells nothing of the network, but what it says of the clock holds.
    const isMeasure = this.#heartbeat.isMeasure(t, nowMs);
    this.#clock.addSample({ sentAtMs: t, receivedAtMs: nowMs, relayTimeMs: time }, isMeasure);
    if (isMeasure) this.#freshness.pong(time, this.#relayNow());
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
  }

  #onTime({ time }: Record<string, unknown>): void {
    if (!isFiniteNumber(time)) return;
    this.#freshness.mark(time, this.#relayNow(), this.#maxAgeMs());
    if (!this.#freshness.isStale) this.#reportStale();
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

  #acknowledge(): void {
    this.source.ack(this.#lineEndBytes);
  }

  #tick = (): void => {
    const heartbeat = this.#heartbeat!;
    const isSending = this.source.pushed !== this.#seenPushed;
    if (isSending) heartbeat.isActive = true;
    this.#seenPushed = this.source.pushed;
    const { isPingDue, isDead } = heartbeat.tick(this.#now());
    if (isDead) {
      const seconds = this.#welcome!.limits.pingTimeoutMs / 1000;
      return this.#connection!.fail(new Error(`nothing was heard of the relay for ${seconds} s`));
    }
    if (isPingDue) {
      this.source.askPing();
      this.#acknowledge();
      if (isSending) this.#rideTimer = setTimeout(() => this.#connection?.flush(), RIDE_MS);
      else this.#connection!.flush();
    }
    this.#reportStale();
    this.#timer = setTimeout(this.#tick, heartbeat.planTick());
  };

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

const encoder = new TextEncoder();

/** Tells a number that can be reckoned with; JSON can hold 1e999. */
function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function count(value: unknown): number {
  return isFiniteNumber(value) && value >= 0 ? value : 0;
}
