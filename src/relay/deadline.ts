// A deadline for what a client has to do in time. A timer that ends much too late shows that the relay itself
// stood still: it was stopped, or its machine held. What clients did meanwhile lies unread then, and nobody is
// blamed before it is read.

import type { Timer, Timers } from "./timers.ts";

/** How much later than it should a timer has to end to show that, in ms… */
const LATE_MS = 500;

/** …and how long what has come meanwhile is read before the deadline passes, once, in ms. */
const CATCH_UP_MS = 1000;

/** What a deadline takes from its surroundings. */
export interface DeadlineSettings {
  /** Tells the time in ms; never goes back. */
  clock: () => number;
  timers: Timers;
}

/** One deadline, until it passes or is ended. */
export class Deadline {
  readonly #settings: DeadlineSettings;
  readonly #onPassed: () => void;
  #timer: Timer | undefined;

  /** @param onPassed is called after `ms` ms, or after some more where the relay stood still */
  constructor(settings: DeadlineSettings, ms: number, onPassed: () => void) {
    this.#settings = settings;
    this.#onPassed = onPassed;
    this.#wait(ms, true);
  }

  /** Ends it: it does not pass any more. */
  end(): void {
    this.#settings.timers.clearTimeout(this.#timer);
  }

  #wait(ms: number, mayPutOff: boolean): void {
    const { clock, timers } = this.#settings;
    const dueMs = clock() + ms;
    this.#timer = timers.setTimeout(() => {
      if (mayPutOff && clock() - dueMs > LATE_MS) this.#wait(CATCH_UP_MS, false);
      else this.#onPassed();
    }, ms);
  }
}
