// Notices a loop that calls drain() and never awaits: in such a loop the network never gets to run, so
// nothing ever arrives.

import { afterThisTurn } from "./link/after_turn.ts";

/** The calls in one and the same turn of the event loop that make a loop; fewer may be chance. */
const SUSPICIOUS_CALLS = 10;

/** How long one turn must have lasted, in milliseconds, before it counts as one that doesn't end. */
const SUSPICIOUS_MS = 1000;

/** Counts calls of one turn of the event loop. Speaks once, then rests for good. */
export class DrainWatch {
  #calls = 0;
  #firstAtMs = 0;
  #cancel: (() => void) | undefined;
  #isOver = false;
  readonly #now: () => number;

  /** @param now tells the time in ms; never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Notes a call, and returns true, once, when the turn has lasted suspiciously long and has seen many calls.
   */
  noteCall(): boolean {
    if (this.#isOver) return false;
    this.#calls++;
    if (this.#cancel === undefined) {
      this.#firstAtMs = this.#now();
      // Comes only when the event loop turns; a timer would come late in a hidden page, whose loop turns.
      this.#cancel = afterThisTurn(() => {
        this.#cancel = undefined;
        this.#calls = 0;
      });
      return false;
    }
    if (this.#calls < SUSPICIOUS_CALLS || this.#now() - this.#firstAtMs < SUSPICIOUS_MS) return false;
    this.stop();
    return true;
  }

  /** Ends the watch and what it waits for. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}
