// How fast one client sends, and how long to wait before reading on so that it doesn't send faster than it
// may. Pure.

/** How much of a second's allowance may come at once. */
const BURST_S = 1;

/** A token bucket (as in RFC 2697, with one rate): it holds a second's worth of lines and fills at the allowed rate. */
export class RateMeter {
  readonly #linesPerSecond: number;
  #tokens: number;
  #filledAt: number | undefined;

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond;
    this.#tokens = linesPerSecond * BURST_S;
  }

  /** Takes `lines` lines at `nowMs`; returns how long to wait before taking more, in ms, 0 within the allowance. */
  take(lines: number, nowMs: number): number {
    const elapsedS = (nowMs - (this.#filledAt ?? nowMs)) / 1000;
    this.#filledAt = nowMs;
    this.#tokens = Math.min(this.#tokens + elapsedS * this.#linesPerSecond, this.#linesPerSecond * BURST_S) -
      lines;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#linesPerSecond * 1000;
  }
}
