// What those who say little have said of late, while others say so much that the log overflows: so that a
// reader who is skipped ahead gets it all the same. Copies of a few lines, none while nobody is behind. Pure:
// the caller passes time. All of a sender's skipped lines are kept, or none: there is one gap in what it
// said, or there is no gap.
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

/**
 * The size of each of the two buffers with copies: when the newer one is full, the older one is forgotten.
 */
const BUFFER_BYTES = 32 * 1024;

/** What an entry takes in memory beside its bytes, in bytes. */
const ENTRY_BYTES = 100;

/** Who has said something. */
interface Sender {
  who: object;
  /** How many bytes it may say at `atMs` and be quiet. */
  allowance: number;
  atMs: number;
  /** The offset in the log before which some of its lines are not kept. */
  gapEnd: number;
}

/** Some lines of one sender. */
interface Entry {
  sender: Sender;
  /** Where they stand in the log. */
  offset: number;
  bytes: Uint8Array;
  lines: number;
  atMs: number;
}

/** Some kept lines, who said them, and when. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Not known of what is no part of the log. */
  readonly sender?: { readonly who: unknown };
  /** Where they stand in the log. */
  readonly offset: number;
  readonly atMs: number;
}

/** Lines that were skipped and are told after all. */
export interface Kept {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
  readonly lines: number;
}

export const NOTHING_KEPT: Kept = { pieces: [], bytes: 0, lines: 0 };

/** The last lines of quiet senders. */
export class QuietLines {
  readonly #memory: MemoryAccount;
  /**
   * Held weakly: while one floods for hours, thousands may come, say a word and go. Made when somebody is
   * noted: weak maps are a burden to the collector, and most rooms never need one.
   */
  #senders: WeakMap<object, Sender> | undefined;
  /** The offset from which on lines are looked at; none before the first. */
  #startsAt: number | undefined;
  #older: Entry[] = [];
  #newer: Entry[] = [];
  #newerBytes = 0;

  constructor(memory: MemoryAccount) {
    this.#memory = memory;
  }

  /**
   * Looks at lines that were just appended at `offset`: `bytes[start, end)`, which are copied if their sender
   * is quiet.
   */
  note(
    who: object,
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    nowMs: number,
  ): void {
    const length = end - start;
    this.#startsAt ??= offset;
    const sender = this.#senderOf(who, nowMs);
    if (!isQuiet(sender, length, nowMs)) {
      sender.gapEnd = offset + length;
      return;
    }
    if (this.#newerBytes + length > BUFFER_BYTES) {
      for (const { sender, offset, bytes } of this.#older) {
        sender.gapEnd = Math.max(sender.gapEnd, offset + bytes.length);
      }
      this.#older = this.#newer;
      this.#newer = [];
      this.#newerBytes = 0;
    }
    this.#newer.push({ sender, offset, bytes: bytes.slice(start, end), lines, atMs: nowMs });
    this.#newerBytes += length + ENTRY_BYTES;
    this.#memory.resize(2 * BUFFER_BYTES);
  }

  /** Finds what others than `reader` said from `offset` on: of each all of that, or nothing. */
  since(offset: number, reader: object | undefined): Kept {
    if (this.#startsAt === undefined || offset < this.#startsAt) return NOTHING_KEPT;
    const pieces: Entry[] = [];
    let bytes = 0, lines = 0;
    for (const entry of [...this.#older, ...this.#newer]) {
      if (entry.offset < offset || entry.sender.gapEnd > offset || entry.sender.who === reader) continue;
      pieces.push(entry);
      bytes += entry.bytes.length;
      lines += entry.lines;
    }
    return pieces.length === 0 ? NOTHING_KEPT : { pieces, bytes, lines };
  }

  /** Forgets everything. It can be used again. */
  clear(): void {
    this.#senders = undefined;
    this.#startsAt = undefined;
    this.#older = [];
    this.#newer = [];
    this.#newerBytes = 0;
    this.#memory.close();
  }

  #senderOf(who: object, nowMs: number): Sender {
    const senders = this.#senders ??= new WeakMap(), known = senders.get(who);
    if (known !== undefined) return known;
    const sender = { who, allowance: BURST_BYTES, atMs: nowMs, gapEnd: 0 };
    senders.set(who, sender);
    return sender;
  }
}

/** Takes `bytes` from a sender's allowance; says whether it had them. */
function isQuiet(sender: Sender, bytes: number, nowMs: number): boolean {
  const grown = (nowMs - sender.atMs) / 1000 * QUIET_BYTES_PER_S;
  const allowance = Math.min(BURST_BYTES, sender.allowance + grown) - bytes;
  sender.atMs = nowMs;
  // Who says less from now on is quiet again within half a second.
  sender.allowance = Math.max(allowance, -BURST_BYTES);
  return allowance >= 0;
}

/** Joins kept lines; `separate(piece)`, if given, makes the lines that come before a piece. */
export function joinKept({ pieces }: Kept, separate?: (piece: Piece) => Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) {
    if (separate !== undefined) parts.push(...separate(piece));
    parts.push(piece.bytes);
  }
  return concat(parts);
}
