// A time that stands still until the test moves it: a clock, and timers that follow it. For whatever takes
// `clock` and `timers`.

import { setImmediate } from "node:timers";
import type { Timer, Timers } from "../../src/relay/timers.ts";

/** The clock and the timers. */
export class ManualTime {
  nowMs = 0;
  #due = new Map<number, { at: number; callback: () => void }>();
  #lastId = 0;

  readonly clock = (): number => this.nowMs;

  readonly timers: Timers = {
    setTimeout: (callback, ms) => {
      this.#due.set(++this.#lastId, { at: this.nowMs + ms, callback });
      return this.#lastId as unknown as Timer;
    },
    clearTimeout: (timer) => void this.#due.delete(timer as unknown as number),
  };

  /** How many timers are running. */
  get running(): number {
    return this.#due.size;
  }

  /** Moves on by `ms`, from timer to timer, and lets each turn end. */
  async pass(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    for (;;) {
      await new Promise<void>((done) => setImmediate(done));
      const [next] = [...this.#due].sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined || next[1].at > until) break;
      this.#due.delete(next[0]);
      this.nowMs = Math.max(this.nowMs, next[1].at);
      next[1].callback();
    }
    this.nowMs = until;
  }
}
