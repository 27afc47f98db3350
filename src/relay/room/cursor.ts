// A place in a room's log, and what its reader takes from there: views of blocks, or copies of short pieces
// gathered into one. Holds one block at a time, so that an evicted one keeps none behind it alive.

import { BufferPool } from "../../wire/buffer_pool.ts";
import { LF } from "../../wire/protocol.ts";
import { Block } from "./block.ts";
import { OwnRanges } from "./own_ranges.ts";
import type { RoomLog } from "./room_log.ts";

/** Spans shorter than this are copied together into one write: a write costs as much as copying about this many bytes. */
const GATHER_BELOW_BYTES = 16 * 1024;

/** How much a gathered write holds at most, in bytes. */
const GATHER_BYTES = 64 * 1024;

const gatherPool = new BufferPool(GATHER_BYTES, 64);

/** What a cursor passed over without taking it. */
export interface Lost {
  lines: number;
  bytes: number;
}

/**
 * A place in a log, and the ranges ahead of it that its owner doesn't want (its own lines).
 *
 * `take()` hands out what comes next and moves on; until `commit()`, which says that the bytes are written, they stay as they are.
 */
export class Cursor {
  readonly #log: RoomLog;
  #firstLine: number;
  #block: Block;
  #index: number;
  #unwanted = new OwnRanges();
  #unwantedLines = 0;
  #lost: Lost = { lines: 0, bytes: 0 };
  // What take() handed out and commit() gives back: a piece of a block, or a buffer of copies.
  #takenFrom: Block | undefined;
  #gathered: Uint8Array<ArrayBuffer> | undefined;

  /** @internal Use {@linkcode RoomLog.openCursor}. */
  constructor(log: RoomLog, block: Block) {
    this.#log = log;
    this.#block = block;
    this.#index = block.length;
    this.#firstLine = log.lines;
    block.holds++;
  }

  /** The offset of the next byte. */
  get offset(): number {
    return this.#block.base + this.#index;
  }

  /** The offset of the next byte that is not the owner's own; the end of the log if there is none. */
  get wantedOffset(): number {
    return this.#unwanted.start === this.offset ? this.#unwanted.end : this.offset;
  }

  /** How many bytes lie between here and the end of the log, the owner's own not counted. */
  get behindBytes(): number {
    return this.#log.end - this.offset - this.#unwanted.bytes;
  }

  /** Whether the log has dropped what comes next: only {@linkcode jumpToEnd} leads on. */
  get isEvicted(): boolean {
    return this.#block.evicted;
  }

  /** All that this cursor has jumped over so far. */
  get lost(): Readonly<Lost> {
    return this.#lost;
  }

  /** Counts the lines taken so far. Costs a look at up to one block, unless the cursor is at the end. */
  countTakenLines(): number {
    return this.#lineNumber() - this.#firstLine - this.#unwantedLines - this.#lost.lines;
  }

  /** Leaves out what was appended last: the `lines` lines from offset `start` to the end of the log. */
  skipOwn(start: number, lines: number): void {
    // A cursor that can only jump needs to know how much it leaves out, but not where that is.
    if (this.#block.evicted) this.#unwanted.count(this.#log.end - start, lines);
    else this.#unwanted.push(start, this.#log.end, lines);
  }

  /**
   * Takes the complete lines that come next: at most `limitBytes`, but at least one line; undefined when there are none.
   * They are a piece of a block, or a copy of several short pieces. Call {@linkcode commit} before taking again.
   * @param until the offset, at a line's end, behind which nothing is taken
   */
  take(limitBytes: number, until = Infinity): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#findNext() || this.offset >= until) return undefined;
    const block = this.#block, start = this.#index;
    const end = Math.min(this.#spanEnd(), until - block.base);
    const isShort = end - start < GATHER_BELOW_BYTES && end - start < limitBytes;
    if (isShort && block.base + end < Math.min(this.#log.end, until)) {
      return this.#gather(Math.min(limitBytes, GATHER_BYTES), until);
    }
    const to = end - start <= limitBytes ? end : cutAtLine(block.bytes, start, limitBytes);
    this.#index = to;
    this.#takenFrom = block;
    block.holds++;
    return block.view(start, to);
  }

  /** Says that what {@linkcode take} returned is written, or never will be read again. */
  commit(): void {
    if (this.#gathered !== undefined) {
      gatherPool.give(this.#gathered);
      this.#gathered = undefined;
    } else if (this.#takenFrom !== undefined) {
      this.#log.release(this.#takenFrom);
      this.#takenFrom = undefined;
    }
  }

  /** Moves the cursor to the end of the log and says what it missed, own lines not counted. */
  jumpToEnd(): Lost {
    const lines = this.#log.lines - this.#lineNumber() - this.#unwanted.lines;
    const bytes = this.behindBytes;
    this.#unwantedLines += this.#unwanted.lines;
    this.#unwanted.clear();
    this.#lost = { lines: this.#lost.lines + lines, bytes: this.#lost.bytes + bytes };
    this.#moveTo(this.#log.tail, this.#log.tail.length);
    return { lines, bytes };
  }

  /**
   * Passes over the next `bytes` bytes, own ones not counted, as {@linkcode take} and {@linkcode commit} would. They end with a line.
   * Does less where the log has dropped them.
   */
  pass(bytes: number): void {
    while (bytes > 0 && this.#findNext()) {
      const step = Math.min(bytes, this.#spanEnd() - this.#index);
      this.#index += step;
      bytes -= step;
    }
  }

  /** Opens another cursor at the same place, with the same ranges to leave out and the same counts. */
  clone(): Cursor {
    const twin = new Cursor(this.#log, this.#block);
    twin.#index = this.#index;
    twin.#firstLine = this.#firstLine;
    twin.#unwanted = this.#unwanted.clone();
    twin.#unwantedLines = this.#unwantedLines;
    twin.#lost = this.#lost;
    return twin;
  }

  /**
   * Gives up the place. Nothing can be taken any more; the counts stay, and so do bytes that were taken, until {@linkcode commit}:
   * a write may not have noticed yet that its connection is closed.
   */
  close(): void {
    const left = this.#block;
    this.#block = new Block(new Uint8Array(0), this.offset, this.#lineNumber());
    this.#index = 0;
    this.#log.release(left);
  }

  #lineNumber(): number {
    if (this.offset === this.#log.end) return this.#log.lines;
    return this.#block.baseLine + this.#block.linesBefore(this.#index, this.#log.level === "plain");
  }

  /** Steps over block ends and unwanted ranges to the next wanted byte; false if the log ends first. */
  #findNext(): boolean {
    for (;;) {
      const block = this.#block;
      if (this.#index === block.length) {
        if (block.next === undefined) return false;
        this.#moveTo(block.next, 0);
      } else if (this.#unwanted.start === this.offset) {
        // Where the log was cut within a range, its lines behind the cut can't be told from those before it.
        if (block.evicted && this.#unwanted.end > block.end) return false;
        this.#index = Math.min(this.#unwanted.end - block.base, block.length);
        this.#unwantedLines += this.#unwanted.passTo(this.offset);
      } else return true;
    }
  }

  /** Where the wanted bytes that begin at the cursor end: at an unwanted range or at the end of the block. */
  #spanEnd(): number {
    return Math.min(this.#unwanted.start - this.#block.base, this.#block.length);
  }

  /** Copies wanted spans together, as many as fit whole. The first one does. */
  #gather(limitBytes: number, until: number): Uint8Array<ArrayBuffer> {
    const buffer = this.#gathered = gatherPool.take();
    let length = 0;
    while (this.#findNext() && this.offset < until) {
      const start = this.#index, end = Math.min(this.#spanEnd(), until - this.#block.base);
      if (length + end - start > limitBytes) break;
      buffer.set(this.#block.bytes.subarray(start, end), length);
      length += end - start;
      this.#index = end;
    }
    return buffer.subarray(0, length);
  }

  #moveTo(block: Block, index: number): void {
    const left = this.#block;
    this.#block = block;
    this.#index = index;
    if (block === left) return;
    block.holds++;
    this.#log.release(left);
  }
}

/** Finds the last line end within `limit` bytes from `start`, or the first one behind that. */
function cutAtLine(bytes: Uint8Array, start: number, limit: number): number {
  const last = bytes.lastIndexOf(LF, start + limit - 1);
  return (last >= start ? last : bytes.indexOf(LF, start)) + 1;
}
