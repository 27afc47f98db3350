// The pings of one connection, by the clock: when one is due, whether it waits for events to ride with, and
// when silence means that the connection is dead. What a ping says and what its answer means is the
// session's.

import { Heartbeat } from "./heartbeat.ts";

/**
 * How long a ping may wait, in ms, to go out with the next events of a program that sends: alone, it would
 * wake the relay once more.
 */
const RIDE_MS = 100;

/**
 * How much later than it should, by the clock on the wall, a tick has to come to show that the machine was
 * asleep, in ms: the other clock may have stood still meanwhile.
 */
const SLEPT_MS = 5000;

/** How long the other side may be silent, in ms, after it was asked whether it is still there… */
const WAKE_TIMEOUT_MS = 3000;

/** …how old, in ms, what was heard last may be then: what had arrived before the sleep comes first… */
const WAKE_FRESH_MS = 1000;

/**
 * …and how late, in ms, that look may come: more, and the program was busy and has not read what there is.
 */
const WAKE_LATE_MS = 250;

/** What a {@linkcode Pinger} is made of. */
export interface PingerOptions {
  /** How long the other side may be silent, in ms. */
  timeoutMs: number;
  /** A clock in ms that never goes back. */
  now(): number;
  /** The clock on the wall in ms, which goes on while the machine sleeps. Default: `Date.now`. */
  wallNow?: () => number;
  /** Counts what the program has said so far: while that grows, pings come often and ride along. */
  countChanges(): number;
  /** Is called with each tick; `isPingDue` says whether a ping is to be put among what waits. */
  onTick(isPingDue: boolean): void;
  /** Has what waits written. */
  flush(): void;
  /** Is told that nothing was heard for too long. No tick follows. */
  onDead(error: Error): void;
}

/** Pings from now on, until `stop()`. */
export class Pinger {
  readonly #options: PingerOptions;
  readonly #heartbeat: Heartbeat;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rideTimer: ReturnType<typeof setTimeout> | undefined;
  #wakeTimer: ReturnType<typeof setTimeout> | undefined;
  #wokenAtMs = 0;
  #judgeAtMs = 0;
  #receivedAtMs = -Infinity;
  #seenChanges: number;
  readonly #wallNow: () => number;
  /** When the next tick is due, by the clock on the wall. */
  #dueWallMs = Infinity;

  /** Makes a pinger that waits for `start()`. */
  constructor(options: PingerOptions) {
    this.#options = options;
    this.#wallNow = options.wallNow ?? (() => Date.now());
    this.#heartbeat = new Heartbeat(options.timeoutMs, options.now());
    this.#seenChanges = options.countChanges();
  }

  /** Begins with a ping. */
  start(): void {
    this.#tick();
  }

  /** Ends all timers. */
  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#rideTimer);
    clearTimeout(this.#wakeTimer);
    this.#wakeTimer = undefined;
  }

  /**
   * Asks at once whether the other side is still there, and gives it little time for an answer: a machine
   * that slept, or a page that was away, may have a connection of which nothing is left.
   */
  wake(): void {
    if (this.#wakeTimer !== undefined) return;
    const { now, onTick, flush } = this.#options;
    this.#wokenAtMs = now();
    this.#planJudgement();
    onTick(true);
    flush();
  }

  /** Notes that bytes were received: a sign of life. */
  noteReceived(): void {
    this.#heartbeat.noteReceived();
    if (this.#wakeTimer !== undefined) this.#receivedAtMs = this.#options.now();
  }

  /** Notes the answer to a ping that was sent then. */
  notePong(sentAtMs: number): void {
    if (this.#wakeTimer === undefined || sentAtMs < this.#wokenAtMs) return;
    clearTimeout(this.#wakeTimer);
    this.#wakeTimer = undefined;
  }

  /** Notes that an event was received: pings come often while there are some. */
  noteEvent(): void {
    this.#heartbeat.isActive = true;
  }

  /** Tells whether the answer to a ping sent at `sentMs`, read now, measures the network. */
  isMeasure(sentMs: number, nowMs: number): boolean {
    return this.#heartbeat.isMeasure(sentMs, nowMs);
  }

  get #wakeTimeoutMs(): number {
    return Math.min(this.#options.timeoutMs, WAKE_TIMEOUT_MS);
  }

  #planJudgement(): void {
    this.#judgeAtMs = this.#options.now() + this.#wakeTimeoutMs;
    this.#wakeTimer = setTimeout(this.#judge, this.#wakeTimeoutMs);
  }

  #judge = (): void => {
    const nowMs = this.#options.now();
    if (nowMs - this.#judgeAtMs > WAKE_LATE_MS) return this.#planJudgement();
    this.#wakeTimer = undefined;
    if (nowMs - this.#receivedAtMs <= WAKE_FRESH_MS) return; // it is there: the answer is behind much else
    const seconds = this.#wakeTimeoutMs / 1000;
    this.#options.onDead(new Error(`nothing was heard of the relay for ${seconds} s after a pause`));
  };

  #tick = (): void => {
    if (this.#wallNow() - this.#dueWallMs > SLEPT_MS) this.wake();
    const { timeoutMs, now, countChanges, onTick, flush, onDead } = this.#options;
    const changes = countChanges();
    const isSending = changes !== this.#seenChanges;
    if (isSending) this.#heartbeat.isActive = true;
    this.#seenChanges = changes;
    const { isPingDue, isDead } = this.#heartbeat.tick(now());
    if (isDead) return onDead(new Error(`nothing was heard of the relay for ${timeoutMs / 1000} s`));
    onTick(isPingDue);
    if (isPingDue && !isSending) flush();
    else if (isPingDue) {
      this.#rideTimer ??= setTimeout(() => {
        this.#rideTimer = undefined;
        flush();
      }, RIDE_MS);
    }
    const waitMs = this.#heartbeat.planTick();
    this.#dueWallMs = this.#wallNow() + waitMs;
    this.#timer = setTimeout(this.#tick, waitMs);
  };
}
