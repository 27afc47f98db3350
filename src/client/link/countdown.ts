// Waiting for another side, but not for ever. Nothing here knows what is waited for.

import { MAX_TIMER_MS } from "./runtime.ts";

/** How many parts the time is counted in. */
const PARTS = 4;

/**
 * Calls back once so much time has passed in which the program could have heard the other side. A program
 * that stands still, in a long turn or a debugger, hears nothing: what came meanwhile is read before the rest
 * of the time passes.
 */
export class Countdown {
  readonly #callback: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to count; `ms` is 0 to Infinity, which is never. */
  constructor(ms: number, callback: () => void) {
    this.#callback = callback;
    if (ms < Infinity) this.#wait(ms, Math.min(ms / PARTS || ms, MAX_TIMER_MS));
  }

  /** Ends it; it calls back no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(leftMs: number, partMs: number): void {
    this.#timer = setTimeout(() => {
      if (leftMs > partMs) this.#wait(leftMs - partMs, Math.min(leftMs - partMs, partMs));
      else this.#callback();
    }, partMs);
  }
}
