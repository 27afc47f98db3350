// Adds up what was dropped, so that a program is told of a flood in one call instead of a thousand. Knows
// reasons and numbers, not events.

import { afterThisTurn } from "./link/after_turn.ts";
import type { Lost } from "./session/lost.ts";

/** How far apart two calls about the same flood are at least, in ms. */
const PERIOD_MS = 1000;

/**
 * Tells what was noted: the first of it after this turn of the event loop, what comes then once a second.
 * After `close()` after each turn, so that no timer is left.
 */
export class LossTally {
  readonly #tell: (lost: Lost) => void;
  readonly #sums = new Map<Lost["reason"], { lines: number; bytes: number; keys: Set<string> }>();
  #cancelTurn: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Makes a tally in which there is nothing. */
  constructor(tell: (lost: Lost) => void) {
    this.#tell = tell;
  }

  /** Adds something to what is to be told: lines and their bytes, or a key. */
  note(reason: Lost["reason"], lines: number, bytes: number, keys: readonly string[] = []): void {
    const sum = this.#sums.get(reason) ?? { lines: 0, bytes: 0, keys: new Set<string>() };
    sum.lines += lines;
    sum.bytes += bytes;
    for (const key of keys) sum.keys.add(key);
    this.#sums.set(reason, sum);
    if (this.#timer === undefined) this.#cancelTurn ??= afterThisTurn(() => this.#onTurnEnd());
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
    this.flush();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#sums.size > 0) this.#onTurnEnd();
    }, PERIOD_MS);
  }
}
