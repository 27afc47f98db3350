// Turns a sender's own time into the receiver's, from nothing but the times at which its samples arrive.
// Holds a few numbers and no samples.

/**
 * How long the quickest delivery is remembered, in milliseconds; half of it at least. Long enough to span a
 * spike.
 */
const MIN_DELAY_WINDOW_MS = 60_000;

/**
 * Deliveries that are all later than the quickest one by more than this, in milliseconds, are of another
 * offset …
 */
export const LATE_MS = 500;

/** … once they have come for so long, in milliseconds. What a stall held back comes at once. */
export const LATE_FOR_MS = 1_000;

/**
 * Estimates the offset of a sender's clock by its quickest delivery.
 *
 * Every arrival gives `arrival - t = offset + delay`, and a delay is never negative, so the smallest of these
 * is nearest to the offset. It is the one-way form of the minimum filter that NTP applies to its last eight
 * round trips (RFC 5905, section 10) and of Cristian's rule to trust the shortest exchange (F. Cristian,
 * "Probabilistic clock synchronization", 1989). What one direction can't tell is the smallest delay itself:
 * ages come out short by it.
 *
 * The minimum is taken over the current and the previous half window, so that a clock that drifts is
 * followed. A step of either clock that makes deliveries look quicker holds at once, one that makes them look
 * slower after {@linkcode LATE_FOR_MS}.
 */
export class MinDelayFilter {
  #previousMs = Infinity;
  #currentMs = Infinity;
  #turnMs = -Infinity;
  /** The quickest of the late deliveries that came last, and when they began. */
  #lateMs = Infinity;
  #lateSinceMs = 0;
  readonly #halfMs: number;

  constructor(windowMs: number = MIN_DELAY_WINDOW_MS) {
    this.#halfMs = windowMs / 2;
  }

  /** Milliseconds to add to the sender's time; Infinity until the first update. */
  get offsetMs(): number {
    return Math.min(this.#previousMs, this.#currentMs);
  }

  /** Takes one arrival and gives the offset that now holds. */
  update(senderMs: number, arrivalMs: number): number {
    if (arrivalMs - this.#turnMs >= this.#halfMs || arrivalMs < this.#turnMs) {
      this.#previousMs = this.#currentMs;
      this.#currentMs = Infinity;
      this.#turnMs = arrivalMs;
    }
    const tookMs = arrivalMs - senderMs;
    if (tookMs <= this.offsetMs + LATE_MS) {
      this.#lateMs = Infinity;
    } else {
      if (this.#lateMs === Infinity || arrivalMs < this.#lateSinceMs) this.#lateSinceMs = arrivalMs;
      this.#lateMs = Math.min(this.#lateMs, tookMs);
      if (arrivalMs - this.#lateSinceMs >= LATE_FOR_MS) {
        this.#previousMs = this.#currentMs = this.#lateMs;
        this.#lateMs = Infinity;
      }
    }
    this.#currentMs = Math.min(this.#currentMs, tookMs);
    return this.offsetMs;
  }
}
