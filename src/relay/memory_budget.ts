// How much memory the relay holds for its clients: one sum for the whole process, from which logs, state,
// what waits to be written, absent sessions and half-read lines draw, and what is given up when it runs
// short. Counts what it is told; frees nothing itself.
//
//   0 ──────────────────────────────── target ──── short ──── max
//                                        ▲           │         └ what can be refused is refused
//                                        └───────────┴ so much is given up, in the order of RELIEF_ORDER

import type { Timer, Timers } from "./timers.ts";

/** How much the relay may hold for its clients, in bytes, unless it is told otherwise. */
export const DEFAULT_MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** What is given up when memory runs short, the first thing first. After that, what is new is refused. */
export const RELIEF_ORDER = [
  /** Blocks of logs that everybody has read, or that are kept for writes only that will never end. */
  "read blocks",
  /** Sessions whose clients are away: the oldest absence first. */
  "absent sessions",
  /** Blocks of logs that somebody has not read: who is behind jumps, or is closed if its write is stuck. */
  "unread blocks",
] as const;

/** One step of {@linkcode RELIEF_ORDER}. */
export type Relief = typeof RELIEF_ORDER[number];

/**
 * Gives up about `neededBytes` bytes, if it has them, in a bounded time; returns how many are free now or
 * will soon be.
 */
export type GiveUp = (neededBytes: number) => number;

/** The part of the maximum from which on memory is short… */
const SHORT_SHARE = 7 / 8;

/** …and the part that is left in use when so much has been given up. */
const TARGET_SHARE = 3 / 4;

/**
 * The part of it that lines for single members take at most before each of these is kept less: they must not
 * make memory short for what all say.
 */
const LETTERS_SHARE = 1 / 2;

/** How long to wait before giving up more: what was given up before is free by then, in ms. */
const RELIEF_PAUSE_MS = 50;

/** Options of a {@linkcode MemoryBudget}. */
export interface MemoryBudgetOptions {
  /** Default: the global ones. */
  timers?: Timers;
  /** How much may be in use in all, in bytes. Default: 64 MiB. */
  maxMemoryBytes?: number;
  /** Is told, each time, that something was given up. */
  onRelief?: (relief: Relief, bytes: number) => void;
}

/** The memory of a relay. */
export class MemoryBudget {
  readonly maxBytes: number;
  /** What is kept for single members. */
  readonly letters: MemoryPart;
  readonly #timers: Timers;
  readonly #onRelief: MemoryBudgetOptions["onRelief"];
  readonly #givers = new Map<Relief, Set<GiveUp>>(RELIEF_ORDER.map((relief) => [relief, new Set()]));
  #usedBytes = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: MemoryBudgetOptions = {}) {
    const { maxMemoryBytes = DEFAULT_MAX_MEMORY_BYTES, timers = globalThis, onRelief } = options;
    this.maxBytes = maxMemoryBytes;
    this.letters = new MemoryPart(this, LETTERS_SHARE * maxMemoryBytes);
    this.#timers = timers;
    this.#onRelief = onRelief;
  }

  /** How much is in use, in bytes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether memory is short: who can do with less should, until it is not. */
  get isShort(): boolean {
    return this.#usedBytes > SHORT_SHARE * this.maxBytes;
  }

  /** Opens the account of one holder: a log, a member, a connection. It starts at 0 bytes. */
  open(): MemoryAccount {
    return new MemoryAccount(this);
  }

  /** Whether `bytes` more may be used. */
  hasRoomFor(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.maxBytes;
  }

  /**
   * Has `giveUp` called, from a turn of its own, when memory is short and all that comes earlier in the order
   * was not enough.
   */
  onShort(relief: Relief, giveUp: GiveUp): void {
    this.#givers.get(relief)!.add(giveUp);
  }

  /** Gives up nothing any more. Accounts may still be closed. */
  close(): void {
    this.#isClosed = true;
    this.#timers.clearTimeout(this.#timer);
  }

  /** @internal For accounts. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
    if (bytes > 0 && this.isShort) this.#relieveIn(0);
  }

  #relieveIn(ms: number): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#timers.setTimeout(() => {
      this.#timer = undefined;
      this.#relieve();
    }, ms);
  }

  #relieve(): void {
    if (!this.isShort) return;
    let neededBytes = this.#usedBytes - TARGET_SHARE * this.maxBytes;
    for (const relief of RELIEF_ORDER) {
      for (const giveUp of this.#givers.get(relief)!) {
        if (neededBytes <= 0) break;
        const bytes = giveUp(neededBytes);
        neededBytes -= bytes;
        if (bytes > 0) this.#onRelief?.(relief, bytes);
      }
    }
    this.#relieveIn(RELIEF_PAUSE_MS);
  }
}

/**
 * A part of the memory for one purpose. What it has is counted in the budget by whoever holds it; here it is
 * summed up once more.
 */
export class MemoryPart {
  readonly #budget: MemoryBudget;
  readonly #maxBytes: number;
  #usedBytes = 0;

  /** @internal Use those of {@linkcode MemoryBudget}. */
  constructor(budget: MemoryBudget, maxBytes: number) {
    this.#budget = budget;
    this.#maxBytes = maxBytes;
  }

  /** Whether this part is used up, or all memory short: who can do with less should, until it is not. */
  get isShort(): boolean {
    return this.#usedBytes > this.#maxBytes || this.#budget.isShort;
  }

  /** Opens the account of one holder. It starts at 0 bytes. */
  open(): MemoryAccount {
    return new MemoryAccount(this);
  }

  /** Whether `bytes` more may be used, of all memory. */
  hasRoomFor(bytes: number): boolean {
    return this.#budget.hasRoomFor(bytes);
  }

  /** @internal For accounts. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }
}

/**
 * What one holder uses. Say how much that is whenever it changes; close it in the end. Costs next to nothing.
 *
 * Count what is really there: a buffer by its whole size, not by what is in it; an object or an entry of a
 * map by about 100 bytes.
 */
export class MemoryAccount {
  readonly #budget: Pick<MemoryBudget, "add" | "hasRoomFor">;
  #bytes = 0;

  /** @internal Use {@linkcode MemoryBudget.open}. */
  constructor(budget: Pick<MemoryBudget, "add" | "hasRoomFor">) {
    this.#budget = budget;
  }

  /** How much the holder uses, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Says that the holder uses `bytes` bytes now. Is never refused: for what is there already, or can't be
   * done without.
   */
  resize(bytes: number): void {
    const growth = bytes - this.#bytes;
    this.#bytes = bytes;
    if (growth !== 0) this.#budget.add(growth);
  }

  /** Says that the holder uses `bytes` more, or fewer if negative. Is never refused. */
  grow(bytes: number): void {
    this.resize(this.#bytes + bytes);
  }

  /** Asks for `bytes` more: returns false, and counts nothing, if there is no room for them. */
  tryGrow(bytes: number): boolean {
    if (bytes > 0 && !this.#budget.hasRoomFor(bytes)) return false;
    this.grow(bytes);
    return true;
  }

  /** Gives all back. The account can be used again. */
  close(): void {
    this.resize(0);
  }
}
