// How many lines one client may send by now, and when it may send the next. Pure.

/** How much of a second's allowance may come at once. */
const BURST_S = 1;

/** A line counts as allowed if so little of it is missing: times are fractions, and sums of them inexact. */
const EPSILON = 1e-6;

/**
 * How long it takes at least until further lines are looked at, in ms: where many are allowed, some come
 * together.
 */
const MIN_WAIT_MS = 10;

/**
 * A token bucket (as in RFC 2697, with one rate): it holds a second's worth of lines and fills at the allowed
 * rate.
 */
export class RateMeter {
  readonly #linesPerSecond: number;
  #tokens: number;
  #filledAt: number | undefined;

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond;
    this.#tokens = this.#most;
  }

  /** Returns how many lines may be taken at `nowMs`. */
  allowance(nowMs: number): number {
    const elapsedS = (nowMs - (this.#filledAt ?? nowMs)) / 1000;
    this.#filledAt = nowMs;
    this.#tokens = Math.min(this.#tokens + elapsedS * this.#linesPerSecond, this.#most);
    return Math.floor(this.#tokens + EPSILON);
  }

  /** Takes lines: no more than the allowance. */
  take(lines: number): void {
    this.#tokens -= lines;
  }

  /** Returns how long after the last look at the allowance, in ms, to look again where more lines wait. */
  get waitMs(): number {
    return Math.max(MIN_WAIT_MS, Math.ceil((1 - this.#tokens) / this.#linesPerSecond * 1000));
  }

  /** One line at least, or nobody could ever send any. */
  get #most(): number {
    return Math.max(1, this.#linesPerSecond * BURST_S);
  }
}
