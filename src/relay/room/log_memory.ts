// What a log and its cursors take of the relay's memory.

import type { MemoryAccount, MemoryBudget } from "../memory_budget.ts";

/** The memory of a log and its cursors. */
export class LogMemory {
  readonly #budget: MemoryBudget;
  readonly #account: MemoryAccount;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
    this.#account = budget.open();
  }

  /** Whether all memory is short. */
  get isShort(): boolean {
    return this.#budget.isShort;
  }

  /** Counts `bytes` more, or fewer if negative. */
  grow(bytes: number): void {
    this.#account.grow(bytes);
  }
}
