// What those who say little have said of late, while others say so much that the log overflows: so that a reader who is
// skipped ahead gets it all the same. Copies of a few lines, none while nobody is behind. Pure: the caller passes time.
//
//   log      ▒▒▒▒▒▒▒ a ▒▒▒▒▒▒▒▒▒▒▒▒▒▒ b ▒▒▒▒▒▒ c ▒▒▒▒│ end      ▒ who says a lot
//            └─────────── skipped ─────────────────┘
//   reader    $lost (▒), a, b, c, then what is new

import { concat } from "../../wire/concat.ts";
import type { MemoryAccount } from "../memory_budget.ts";

/** How much one sender may say and still be quiet, in bytes a second… */
const QUIET_BYTES_PER_S = 32 * 1024;

/** …and at once, in bytes. */
const BURST_BYTES = 8 * 1024;

/** The size of each of the two buffers with copies: when the newer one is full, the older one is forgotten. */
const BUFFER_BYTES = 16 * 1024;

/** What an entry takes in memory beside its bytes, in bytes. */
const ENTRY_BYTES = 100;

/** Some lines of one sender. */
interface Entry {
  sender: unknown;
  /** Where they stand in the log. */
  offset: number;
  bytes: Uint8Array;
  lines: number;
  atMs: number;
}

/** Lines that were skipped and are told after all. */
export interface Kept {
  readonly pieces: readonly { readonly bytes: Uint8Array; readonly atMs: number }[];
  readonly bytes: number;
  readonly lines: number;
}

export const NOTHING_KEPT: Kept = { pieces: [], bytes: 0, lines: 0 };

/** The last lines of quiet senders. */
export class QuietLines {
  readonly #memory: MemoryAccount;
  readonly #allowances = new Map<unknown, { bytes: number; atMs: number }>();
  #older: Entry[] = [];
  #newer: Entry[] = [];
  #newerBytes = 0;

  constructor(memory: MemoryAccount) {
    this.#memory = memory;
  }

  /** Looks at lines that were just appended at `offset`: `bytes[start, end)`, which are copied if their sender is quiet. */
  note(
    sender: unknown,
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    nowMs: number,
  ): void {
    const length = end - start;
    if (!this.#isQuiet(sender, length, nowMs)) return;
    if (this.#newerBytes + length > BUFFER_BYTES) {
      this.#older = this.#newer;
      this.#newer = [];
      this.#newerBytes = 0;
    }
    this.#newer.push({ sender, offset, bytes: bytes.slice(start, end), lines, atMs: nowMs });
    this.#newerBytes += length + ENTRY_BYTES;
    this.#memory.resize(2 * BUFFER_BYTES);
  }

  /** Finds what others than `reader` said from `offset` on, as far as it is there. */
  since(offset: number, reader: unknown): Kept {
    const pieces: Entry[] = [];
    let bytes = 0, lines = 0;
    for (const entry of [...this.#older, ...this.#newer]) {
      if (entry.offset < offset || entry.sender === reader) continue;
      pieces.push(entry);
      bytes += entry.bytes.length;
      lines += entry.lines;
    }
    return pieces.length === 0 ? NOTHING_KEPT : { pieces, bytes, lines };
  }

  /** Forgets everything. It can be used again. */
  clear(): void {
    this.#allowances.clear();
    this.#older = [];
    this.#newer = [];
    this.#newerBytes = 0;
    this.#memory.close();
  }

  #isQuiet(sender: unknown, bytes: number, nowMs: number): boolean {
    const allowance = this.#allowances.get(sender) ?? { bytes: BURST_BYTES, atMs: nowMs };
    this.#allowances.set(sender, allowance);
    const grown = (nowMs - allowance.atMs) / 1000 * QUIET_BYTES_PER_S;
    allowance.atMs = nowMs;
    allowance.bytes = Math.min(BURST_BYTES, allowance.bytes + grown) - bytes;
    if (allowance.bytes >= 0) return true;
    allowance.bytes = Math.max(allowance.bytes, -BURST_BYTES); // who says less from now on is quiet again within half a second
    return false;
  }
}

/** Joins kept lines; `separate(atMs)`, if given, makes a line that comes before those that were said at `atMs`. */
export function joinKept({ pieces }: Kept, separate?: (atMs: number) => Uint8Array | undefined): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { bytes, atMs } of pieces) {
    const line = separate?.(atMs);
    if (line !== undefined) parts.push(line);
    parts.push(bytes);
  }
  return concat(parts);
}
