// Who has connected and said nothing so far, and when that tells something: one timer for all of them, as
// each is waited for equally long. A thousand who connect at once would be a thousand timers, which nearly
// all are cleared a moment later. What silence means it does not know.

import { Deadline, type DeadlineSettings } from "./deadline.ts";

/**
 * How long nothing is written to a connection that has sent nothing: a session's hello is usually there by
 * then.
 */
export const HOLD_MS = 250;

/** How long a hello may take from its first byte to its end, and to come at all where a token is needed. */
export const HELLO_MS = 5000;

/** How long those are called in one turn whose time is over, in ms. */
const PART_MS = 2;

/** What a {@linkcode SilenceWatch} takes from its surroundings. */
export interface SilenceWatchOptions extends DeadlineSettings {
  /** How long each is waited for, in ms. */
  waitMs: number;
}

/** Who may be silent for too long. */
export interface Silent {
  /** Is told that it was, once. */
  onSilence(): void;
}

/** Waits for many, each for the same time. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  /** Until when each is waited for, in ms: in the order of that. */
  readonly #untilMs = new Map<Silent, number>();
  #deadline: Deadline | undefined;
  /** When it passes, in ms. */
  #dueMs = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** Waits for `silent` from now on. */
  add(silent: Silent): void {
    const { clock, waitMs } = this.#options;
    this.#untilMs.delete(silent); // so that it is the last
    this.#untilMs.set(silent, clock() + waitMs);
    if (this.#deadline === undefined) this.#lookIn(waitMs);
  }

  /** Waits for `silent` no more, if it did. */
  delete(silent: Silent): void {
    if (!this.#untilMs.delete(silent) || this.#untilMs.size > 0) return;
    this.#deadline?.end();
    this.#deadline = undefined;
  }

  #lookIn(ms: number): void {
    this.#dueMs = this.#options.clock() + ms;
    this.#deadline = new Deadline(this.#options, ms, () => this.#look());
  }

  /** Calls those whose time is over; some of them, if they are many. */
  #look(): void {
    const { clock } = this.#options;
    const startMs = clock(), overMs = Math.max(startMs, this.#dueMs); // timers may be early, by the clock
    this.#deadline = undefined;
    let left = this.#untilMs.size; // who is added meanwhile is not called now
    for (const [silent, untilMs] of this.#untilMs) {
      if (left-- === 0 || untilMs > overMs || clock() - startMs > PART_MS) break;
      this.#untilMs.delete(silent);
      silent.onSilence();
    }
    const [next] = this.#untilMs.values();
    if (next !== undefined && this.#deadline === undefined) this.#lookIn(Math.max(0, next - clock()));
  }
}
