// A piece of a room's log: bytes that are never changed once they are there, who stands in it and which
// writes read from it. Counts lines; knows neither sockets nor members.

import { BufferPool, freeBuffer } from "../../wire/buffer_pool.ts";
import { isControlLine, type Level, LF } from "../../wire/protocol.ts";

/**
 * The size of all blocks but the first ones: larger blocks make writes no cheaper, smaller ones make more
 * writes.
 */
export const BLOCK_BYTES = 256 * 1024;

/**
 * How far apart the places are up to which a block remembers its lines, in bytes (a power of two): to count
 * from there costs about a microsecond.
 */
const MARK_EVERY_BYTES = 1024;

/** How long the pieces are, about, in which a block is read by members who take the same ones. */
export const PIECE_BYTES = BLOCK_BYTES / 2;

/** How many views of a block are known: members that are not equally far ask for others by turns. */
const MAX_VIEWS = 4;

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);

interface View {
  start: number;
  end: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Who stands in a block: a cursor. */
export interface Occupant {
  /** Is told that the log is letting go of the block, while its bytes are still there. */
  onEvict(): void;
  /** Whether there is nothing more to take from the block. */
  readonly isAtEnd: boolean;
  /**
   * Moves on to the next block, if there is one and nothing more to take from this one; says whether it did.
   */
  leaveEnd(): boolean;
}

const blockPool = new BufferPool(BLOCK_BYTES, 32);

/** Makes the memory of a block, used again where it is of the usual size. */
export function takeBlockBytes(size: number): Uint8Array<ArrayBuffer> {
  return size === BLOCK_BYTES ? blockPool.take() : new Uint8Array(size);
}

/** A block of a log. */
export class Block {
  length = 0;
  next: Block | undefined;
  /** The cursors that stand here. */
  readonly cursors = new Set<Occupant>();
  /** How many writes are reading from here. */
  writes = 0;
  /** Whether the log has let go of it. Nobody stands here then, or only who can't go on. */
  evicted = false;
  #bytes: Uint8Array<ArrayBuffer>;
  /** The views that were asked for last, the newest anywhere among them. */
  #views: View[] = [];
  #nextView = 0;
  /** Where its second piece begins, once that is there. */
  #secondPiece: number | undefined;
  /** How many lines begin before each multiple of MARK_EVERY_BYTES, as far as somebody asked. */
  #marks: Uint32Array | undefined;
  #lastMark = 0;

  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    /** The offset in the log of the first byte. */
    readonly base: number,
    /** How many lines the log had taken before this block. */
    readonly baseLine: number,
  ) {
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get end(): number {
    return this.base + this.length;
  }

  /**
   * Returns the bytes from `start` to `end`. All members that keep up ask for the same, and get the same
   * view.
   */
  view(start: number, end: number): Uint8Array<ArrayBuffer> {
    for (const view of this.#views) if (view.start === start && view.end === end) return view.bytes;
    const bytes = this.#bytes.subarray(start, end);
    this.#views[this.#nextView] = { start, end, bytes };
    this.#nextView = (this.#nextView + 1) % MAX_VIEWS;
    return bytes;
  }

  /** Where the piece ends that `start` lies in: behind a line, at the same place for all who ask. */
  pieceEnd(start: number): number {
    if (this.length <= PIECE_BYTES) return this.length;
    this.#secondPiece ??= this.#bytes.lastIndexOf(LF, PIECE_BYTES - 1) + 1;
    return start < this.#secondPiece ? this.#secondPiece : this.length;
  }

  /** Gives the memory back, which nobody reads any more. */
  recycle(): void {
    if (this.#bytes.length === BLOCK_BYTES) blockPool.give(this.#bytes);
    else if (this.#bytes.length > 0) freeBuffer(this.#bytes);
    this.#bytes = NOTHING;
    this.#views = [];
    this.#marks = undefined;
  }

  /**
   * Counts the lines that end before `index`, a line's end; of those that sessions read, control lines don't
   * count. Looks at each byte once for all who ask, and then at no more than MARK_EVERY_BYTES of them.
   */
  linesBefore(index: number, level: Level): number {
    const mark = Math.floor(index / MARK_EVERY_BYTES);
    const marks = this.#marks ??= new Uint32Array(Math.ceil(this.#bytes.length / MARK_EVERY_BYTES) + 1);
    for (; this.#lastMark < mark; this.#lastMark++) {
      const at = this.#lastMark * MARK_EVERY_BYTES;
      marks[this.#lastMark + 1] = marks[this.#lastMark] +
        countLineStarts(this.#bytes, at, at + MARK_EVERY_BYTES, level);
    }
    return marks[mark] + countLineStarts(this.#bytes, mark * MARK_EVERY_BYTES, index, level);
  }
}

/** Counts the lines that begin in `bytes[start, end)`. */
function countLineStarts(bytes: Uint8Array, start: number, end: number, level: Level): number {
  let lines = 0;
  if (start === 0 && end > 0 && (level === "plain" || !isControlLine(bytes, 0))) lines++;
  for (let before = Math.max(start - 1, 0); before < end - 1; before++) {
    if (bytes[before] === LF && (level === "plain" || !isControlLine(bytes, before + 1))) lines++;
  }
  return lines;
}
