// How old is what arrives? The relay marks its stream with the time at which it received what follows; this compares the
// marks with its clock, and says when events are too old to be of use. Pure: the caller passes the time on the relay's
// clock. Used by the client's session, which drops and counts what is stale.

/**
 * Judges the age of received lines by the last `$time` mark before them. As a mark is the earliest time of what follows,
 * ages are at most over-estimated, by the distance of two marks.
 */
export class Freshness {
  #markMs: number | undefined;
  #hasMarkSincePong = false;
  #lagMs = 0;

  /** Whether the lines that come now are older than allowed. */
  isStale = false;

  /** How old the newest received thing was when it came, in ms. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Notes a mark: what follows was received by the relay at `markMs` or later. */
  mark(markMs: number, nowMs: number, maxAgeMs: number): void {
    this.#markMs = markMs;
    this.#hasMarkSincePong = true;
    this.#lagMs = Math.max(0, nowMs - markMs);
    this.isStale = nowMs - markMs > maxAgeMs;
  }

  /** Looks again at the age of what follows the last mark, before more of it is read. */
  check(nowMs: number, maxAgeMs: number): void {
    this.isStale = this.#markMs !== undefined && nowMs - this.#markMs > maxAgeMs;
  }

  /** Notes an answer to a ping. It tells the lag only where no events come: those may be older than the answer. */
  pong(timeMs: number, nowMs: number): void {
    if (!this.#hasMarkSincePong) this.#lagMs = Math.max(0, nowMs - timeMs);
    this.#hasMarkSincePong = false;
  }

  /** Forgets the last mark: another stream begins. */
  reset(): void {
    this.#markMs = undefined;
    this.isStale = false;
  }
}
