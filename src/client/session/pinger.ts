// The pings of one connection, by the clock: when one is due, whether it waits for events to ride with, and
// when silence means that the connection is dead. What a ping says and what its answer means is the
// session's.

import { Heartbeat } from "./heartbeat.ts";

/**
 * How long a ping may wait, in ms, to go out with the next events of a program that sends: alone, it would
 * wake the relay once more.
 */
const RIDE_MS = 100;

/** What a {@linkcode Pinger} is made of. */
export interface PingerOptions {
  /** How long the other side may be silent, in ms. */
  timeoutMs: number;
  /** A clock in ms that never goes back. */
  now(): number;
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
  #seenChanges: number;

  /** Makes a pinger that waits for `start()`. */
  constructor(options: PingerOptions) {
    this.#options = options;
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
  }

  /** Notes that bytes were received: a sign of life. */
  noteReceived(): void {
    this.#heartbeat.noteReceived();
  }

  /** Notes that an event was received: pings come often while there are some. */
  noteEvent(): void {
    this.#heartbeat.isActive = true;
  }

  /** Tells whether the answer to a ping sent at `sentMs`, read now, measures the network. */
  isMeasure(sentMs: number, nowMs: number): boolean {
    return this.#heartbeat.isMeasure(sentMs, nowMs);
  }

  #tick = (): void => {
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
    this.#timer = setTimeout(this.#tick, this.#heartbeat.planTick());
  };
}
