// How long to wait before the next attempt to connect: exponential with full jitter, so that a room full of
// clients does not come back in one and the same moment. Pure: time and chance are passed in.

/** The upper bound of the first wait, in milliseconds; it doubles with every attempt. */
const FIRST_RETRY_MS = 250;

/**
 * The upper bound of any wait, in milliseconds. A connection that lasted as long lets the waits start anew.
 */
const MAX_RETRY_MS = 5000;

/**
 * Counts attempts and says how long to wait before the next.
 *
 * The wait is drawn evenly between 0 and the bound. The bound starts anew only after a connection that lasted
 * {@linkcode MAX_RETRY_MS}: a relay that accepts and closes at once is not hammered.
 */
export class Backoff {
  #boundMs = FIRST_RETRY_MS;

  /** Returns the milliseconds to wait now; `random` is at least 0 and less than 1. */
  nextDelayMs(random: number = Math.random()): number {
    const delayMs = random * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, MAX_RETRY_MS);
    return delayMs;
  }

  /** Notes that a connection ended after so long. */
  noteConnection(lastedMs: number): void {
    if (lastedMs >= MAX_RETRY_MS) this.#boundMs = FIRST_RETRY_MS;
  }
}
