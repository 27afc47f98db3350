// Looks after what no event announces, every so often and a part per turn, so that a relay with many clients
// stops for none of them.

import { Deadline, type DeadlineSettings } from "./deadline.ts";

/** How long one part takes at the most, in ms; a step that takes longer ends it. */
const PART_MS = 2;

/** How many steps are done between two looks at the clock. */
const STEPS_A_LOOK = 16;

/** Goes through rounds of small steps. */
export class Sweeper {
  readonly #settings: DeadlineSettings;
  readonly #round: (nowMs: number) => Iterator<void>;
  readonly #everyMs: number;
  #deadline: Deadline | undefined;
  /** The round that is under way, and when it began. */
  #steps: Iterator<void> | undefined;
  #roundStartedAt = 0;

  /**
   * @param round begins a round at `nowMs`; each step of its iterator must be short
   * @param everyMs how far apart the beginnings of two rounds are, unless one takes longer
   */
  constructor(
    settings: DeadlineSettings,
    everyMs: number,
    round: (nowMs: number) => Iterator<void>,
  ) {
    this.#settings = settings;
    this.#everyMs = everyMs;
    this.#round = round;
    this.#deadline = new Deadline(settings, everyMs, () => this.#part());
  }

  /** Ends it, also in the middle of a round. */
  close(): void {
    this.#deadline?.end();
    this.#deadline = undefined;
  }

  #part(): void {
    const { clock } = this.#settings, startMs = clock();
    if (this.#steps === undefined) {
      this.#steps = this.#round(startMs);
      this.#roundStartedAt = startMs;
    }
    const isDone = this.#goOn(this.#steps, startMs + PART_MS);
    if (this.#deadline === undefined) return; // closed by a step
    if (isDone) this.#steps = undefined;
    const waitMs = isDone ? Math.max(0, this.#roundStartedAt + this.#everyMs - clock()) : 0;
    this.#deadline = new Deadline(this.#settings, waitMs, () => this.#part());
  }

  /** Does steps until `untilMs`; returns whether there are no more. */
  #goOn(steps: Iterator<void>, untilMs: number): boolean {
    do {
      for (let i = 0; i < STEPS_A_LOOK; i++) if (steps.next().done) return true;
    } while (this.#settings.clock() < untilMs);
    return false;
  }
}
