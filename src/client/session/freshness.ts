// How old is what arrives? The relay marks its stream with the time at which it received what follows; this
// compares the marks with its clock, and says when events are too old to be of use. Pure: the caller passes
// the time on the relay's clock.

/**
 * Judges the age of received lines by the last `$time` mark before them. As a mark is the earliest time of
 * what follows, ages are at most over-estimated, by the distance of two marks.
 */
export class Freshness {
  #markMs: number | undefined;
  #hasMarkSincePong = false;
  #lagMs = 0;
  /** While a resumed connection is being repaired: the relay's time when that began. */
  #repairMs: number | undefined;

  /** Whether the lines that come now are older than allowed. */
  isStale = false;

  /** Whether what comes is what a break held back. */
  get isRepairing(): boolean {
    return this.#repairMs !== undefined;
  }

  /** How old the newest received thing was when it came, in ms. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Notes a mark: what follows was received by the relay at `markMs` or later. */
  mark(markMs: number, nowMs: number, maxAgeMs: number): void {
    this.#markMs = markMs;
    this.#hasMarkSincePong = true;
    this.#lagMs = Math.max(0, nowMs - markMs);
    if (this.#repairMs !== undefined && markMs > this.#repairMs) this.#repairMs = undefined;
    this.check(nowMs, maxAgeMs);
  }

  /** Looks again at the age of what follows the last mark, before more of it is read. */
  check(nowMs: number, maxAgeMs: number): void {
    this.isStale = this.#markMs !== undefined && this.#repairMs === undefined &&
      nowMs - this.#markMs > maxAgeMs;
  }

  /**
   * Says whether what follows the last mark is no older than allowed by the relay's own word that it is
   * `timeMs` there.
   */
  isFreshBy(timeMs: number, maxAgeMs: number): boolean {
    return this.#markMs === undefined || timeMs - this.#markMs <= maxAgeMs;
  }

  /**
   * Notes an answer to a ping. It tells the lag only where no events come: those may be older than the
   * answer, which overtakes them.
   */
  pong(timeMs: number, nowMs: number): void {
    if (!this.#hasMarkSincePong) this.#lagMs = Math.max(0, nowMs - timeMs);
    this.#hasMarkSincePong = false;
  }

  /**
   * Notes that the stream goes on after a break, at `timeMs` on the relay's clock: what was missed comes
   * first and is never stale, until a mark later than that. (An answer to a ping overtakes what waits, so it
   * ends nothing.)
   */
  repair(timeMs: number): void {
    this.#repairMs = timeMs;
    this.isStale = false;
  }

  /** Forgets the last mark: another stream begins, or this one skips to its newest line. */
  reset(): void {
    this.#markMs = this.#repairMs = undefined;
    this.isStale = false;
  }
}
