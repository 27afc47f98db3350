// Adds up what was dropped, so that a program is told of a flood in one call instead of a thousand. Knows
// reasons and numbers, not events.

import { afterThisTurn } from "./link/after_turn.ts";
import type { Lost } from "./session/lost.ts";

/** How far apart two calls about the same flood are at least, in ms. */
const PERIOD_MS = 1000;

/**
 * Tells what was noted: the first of it after this turn of the event loop, what comes then once a second. No
 * timer is left after `close()`: what comes too soon then is told with what comes later, if anything does, so
 * that a callback that says something, which is lost, is not told of that for ever.
 */
export class LossTally {
  readonly #tell: (lost: Lost) => void;
  readonly #now: () => number;
  readonly #sums = new Map<Lost["reason"], { lines: number; bytes: number; keys: Set<string> }>();
  #cancelTurn: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** After `close()`: until when nothing is told. */
  #restUntilMs = -Infinity;

  /** Makes a tally in which there is nothing; `now` is a clock in ms that never goes back. */
  constructor(tell: (lost: Lost) => void, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Adds something to what is to be told: lines and their bytes, or a key. */
  note(reason: Lost["reason"], lines: number, bytes: number, keys: readonly string[] = []): void {
    const sum = this.#sums.get(reason) ?? { lines: 0, bytes: 0, keys: new Set<string>() };
    sum.lines += lines;
    sum.bytes += bytes;
    for (const key of keys) sum.keys.add(key);
    this.#sums.set(reason, sum);
    if (this.#timer !== undefined || this.#now() < this.#restUntilMs) return;
    this.#cancelTurn ??= afterThisTurn(() => this.#onTurnEnd());
  }

  /** Tells what there is to tell, now. */
  flush(): void {
    this.#cancelTurn?.();
    clearTimeout(this.#timer);
    this.#cancelTurn = this.#timer = undefined;
    const sums = [...this.#sums];
    this.#sums.clear();
    for (const [reason, { lines, bytes, keys }] of sums) {
      this.#tell(keys.size === 0 ? { reason, lines, bytes } : { reason, lines, bytes, keys: [...keys] });
    }
  }

  /** Tells what there is to tell, and keeps no timer from now on. */
  close(): void {
    this.#isClosed = true;
    this.flush();
  }

  #onTurnEnd(): void {
    if (this.#isClosed) this.#restUntilMs = this.#now() + PERIOD_MS;
    this.flush();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#sums.size > 0) this.#onTurnEnd();
    }, PERIOD_MS);
  }
}
