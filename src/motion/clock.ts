// Turns a sender's own time into the receiver's, from nothing but the times at which its samples arrive.
// Used by Track for senders that don't share the relay's clock. Holds two numbers and no samples.

/** How long the quickest delivery is remembered, in milliseconds; half of it at least. Long enough to span a spike. */
export const MIN_DELAY_WINDOW_MS = 60_000;

/**
 * Estimates the offset of a sender's clock by its quickest delivery.
 *
 * Every arrival gives `arrival - t = offset + delay`, and a delay is never negative, so the smallest of these is
 * nearest to the offset. It is the one-way form of the minimum filter that NTP applies to its last eight round trips
 * (RFC 5905, section 10) and of Cristian's rule to trust the shortest exchange (F. Cristian, "Probabilistic clock
 * synchronization", 1989). What one direction can't tell is the smallest delay itself: ages come out short by it.
 *
 * The minimum is taken over the current and the previous half window, so that a clock that drifts is followed.
 */
export class MinDelayFilter {
  #previousMs = Infinity;
  #currentMs = Infinity;
  #turnMs = -Infinity;
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
    if (arrivalMs - this.#turnMs >= this.#halfMs) {
      this.#previousMs = this.#turnMs === -Infinity ? Infinity : this.#currentMs;
      this.#currentMs = Infinity;
      this.#turnMs = arrivalMs;
    }
    this.#currentMs = Math.min(this.#currentMs, arrivalMs - senderMs);
    return this.offsetMs;
  }
}
