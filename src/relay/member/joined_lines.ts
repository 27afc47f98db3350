// Lines that are joined for one write, in a buffer that is used again once they are written: what is joined
// for who comes and goes all the time would be garbage outside of V8's heap, and each few MiB of that make it
// collect everything.

import { concat } from "../../wire/concat.ts";
import { BufferPool } from "../../wire/buffer_pool.ts";
import type { MemoryBudget } from "../memory_budget.ts";

/** Shorter ones cost little, and are left to the collector: in bytes. */
const MIN_POOLED_BYTES = 16 * 1024;

/** So many bytes are joined at a time, and the line that goes beyond them… */
const MAX_JOINED_BYTES = 64 * 1024;

/** …and when memory is short: a write that its client does not take keeps them. */
const MIN_JOINED_BYTES = 4 * 1024;

/** How large the buffers are, in bytes: the longest `$set` line goes beyond that by less. */
const BUFFER_BYTES = 96 * 1024;

const pool = new BufferPool(BUFFER_BYTES, 16);

/** Buffers that are lent; one that is never given back is the collector's. */
const lent = new WeakMap<ArrayBufferLike, Uint8Array<ArrayBuffer>>();

/** Says from how many bytes on no further line is joined. */
export function maxJoinedBytes(memory: Pick<MemoryBudget, "isShort">): number {
  return memory.isShort ? MIN_JOINED_BYTES : MAX_JOINED_BYTES;
}

/** Joins lines into one piece, which is valid until it is given to {@linkcode giveBack}. */
export function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const line of lines) bytes += line.length;
  if (lines.length === 1 || bytes < MIN_POOLED_BYTES || bytes > BUFFER_BYTES) return concat(lines);
  const buffer = pool.take();
  lent.set(buffer.buffer, buffer);
  let at = 0;
  for (const line of lines) {
    buffer.set(line, at);
    at += line.length;
  }
  return buffer.subarray(0, at);
}

/** Takes bytes back that nobody reads any more; those that were not joined here stay what they are. */
export function giveBack(bytes: Uint8Array): void {
  const buffer = lent.get(bytes.buffer);
  if (buffer === undefined) return;
  lent.delete(bytes.buffer);
  pool.give(buffer);
}
