// One attempt at something that the other side may never answer.

import { Countdown } from "./countdown.ts";

/** One attempt to open a session: ends with an error when what is expected doesn't come in time. */
export class Attempt {
  readonly #failed = Promise.withResolvers<never>();
  #countdown: Countdown | undefined;
  /** Whether its time is over, or it was ended. */
  isOver = false;
  /** Why its time is over. */
  error: Error | undefined;

  /** Allows so much time from now on for what comes next; `describe` then says what is missing. */
  expect(ms: number, describe: () => string): void {
    this.#countdown?.stop();
    if (this.isOver) return;
    this.#countdown = new Countdown(ms, () => {
      this.isOver = true;
      this.error = new Error(describe());
      this.#failed.reject(this.error);
    });
  }

  /** Waits for the work, but no longer than what is expected may take. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed.promise]);
  }

  /** Ends it, and its timer. */
  end(): void {
    this.isOver = true;
    this.#countdown?.stop();
  }
}
