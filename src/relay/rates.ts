// How much came in and went out in each of the last seconds. Pure: the caller passes time.

import { noTraffic, type Traffic } from "./relay_stats.ts";

/** How many seconds are kept. */
const MAX_SECONDS = 120;

/** The rates of a relay. */
export class Rates {
  readonly #seconds: Readonly<Traffic>[] = [];
  #since: number;
  #sum = noTraffic();

  /** @param nowMs when it begins */
  constructor(nowMs: number) {
    this.#since = nowMs;
  }

  /** What is to be added to: of the second that is not over yet. */
  get sum(): Traffic {
    return this.#sum;
  }

  /** Ends seconds that are over: what was added belongs to them in equal parts. */
  note(nowMs: number): void {
    const seconds = Math.floor((nowMs - this.#since) / 1000);
    if (seconds < 1) return;
    this.#since += seconds * 1000;
    const { inLines, inBytes, outLines, outBytes } = this.#sum;
    const part = {
      inLines: Math.round(inLines / seconds),
      inBytes: Math.round(inBytes / seconds),
      outLines: Math.round(outLines / seconds),
      outBytes: Math.round(outBytes / seconds),
    };
    for (let i = 0; i < Math.min(seconds, MAX_SECONDS); i++) this.#seconds.push(part);
    this.#seconds.splice(0, Math.max(0, this.#seconds.length - MAX_SECONDS));
    this.#sum = noTraffic();
  }

  /** The last seconds, the oldest first. */
  list(): Readonly<Traffic>[] {
    return [...this.#seconds];
  }
}
