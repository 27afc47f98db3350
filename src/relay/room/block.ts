// A piece of a room's log: bytes that are never changed once they are there, and how long they are needed.
// Knows lines, not who reads.

import { BufferPool } from "../../wire/buffer_pool.ts";
import { isControlLine, LF } from "../../wire/protocol.ts";

/** The size of all blocks but the first ones: larger blocks make writes no cheaper, smaller ones make more writes. */
export const BLOCK_BYTES = 256 * 1024;

const NOTHING = new Uint8Array(0);

const blockPool = new BufferPool(BLOCK_BYTES, 32);

/** Makes the memory of a block, used again where it is of the usual size. */
export function takeBlockBytes(size: number): Uint8Array<ArrayBuffer> {
  return size === BLOCK_BYTES ? blockPool.take() : new Uint8Array(size);
}

/** Gives the memory of a block back that nobody reads any more. */
export function recycle(block: Block): void {
  if (block.bytes.length === BLOCK_BYTES) blockPool.give(block.bytes);
}

/** A block of a log. */
export class Block {
  length = 0;
  next: Block | undefined;
  /** How many cursors stand here, and how many writes are reading from here. */
  holds = 0;
  evicted = false;
  /** The view that was asked for last. */
  #view = { start: 0, end: 0, bytes: NOTHING };

  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    /** The offset in the log of the first byte. */
    readonly base: number,
    /** How many lines the log had taken before this block. */
    readonly baseLine: number,
  ) {}

  get end(): number {
    return this.base + this.length;
  }

  /** Returns the bytes from `start` to `end`. All members that keep up ask for the same, and get the same view. */
  view(start: number, end: number): Uint8Array<ArrayBuffer> {
    if (this.#view.start !== start || this.#view.end !== end) {
      this.#view = { start, end, bytes: this.bytes.subarray(start, end) };
    }
    return this.#view.bytes;
  }

  /** Counts the lines that end before `index`; `withControl` says whether control lines count. */
  linesBefore(index: number, withControl: boolean): number {
    let lines = 0;
    for (let start = 0; start < index; start = this.bytes.indexOf(LF, start) + 1) {
      if (withControl || !isControlLine(this.bytes, start)) lines++;
    }
    return lines;
  }
}
