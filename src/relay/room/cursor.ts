// A place in a room's log, and what its reader takes from there: views of blocks, or copies of short pieces
// gathered into one. Holds one block at a time, and none that the log has let go of: only a write that is
// under way keeps its bytes.

import { BufferPool } from "../../wire/buffer_pool.ts";
import { type Level, LF } from "../../wire/protocol.ts";
import { Block, type Occupant } from "./block.ts";
import { OwnRanges } from "./own_ranges.ts";
import type { LogMemory } from "./log_memory.ts";

/**
 * Spans shorter than this are copied together into one write: a write costs as much as copying about this
 * many bytes.
 */
const GATHER_BELOW_BYTES = 16 * 1024;

/** How much a gathered write holds at most, in bytes. */
const GATHER_BYTES = 64 * 1024;

/** How much room there is before gathered bytes, for what a transport puts before them. */
export const LEAD_BYTES = 10;

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);

const gatherPool = new BufferPool(LEAD_BYTES + GATHER_BYTES, 64);

/**
 * How many ranges of its owner's lines may lie ahead of a cursor. One that has more is treated as if the log
 * had dropped what comes next: it costs a range each time that the owner speaks after somebody else, and who
 * reads has few of them.
 */
const MAX_OWN_RANGES = 8192;

/** What a cursor passed over without taking it. */
export interface Lost {
  lines: number;
  bytes: number;
}

const NOTHING_LOST: Lost = { lines: 0, bytes: 0 };

/** The ranges of all who have said nothing, which are none: not to be added to. */
const NO_RANGES = new OwnRanges({ grow() {} });

/**
 * What bytes are that a cursor hands out: a piece of a block, which all who take the same get as the same
 * object, and which must not be changed; or a copy for this cursor alone, with {@linkcode LEAD_BYTES} before
 * it that may be written to.
 */
export type Source = "block" | "copy";

/** What a cursor asks of the log it stands in. */
export interface ReadableLog {
  readonly level: Level;
  readonly memory: LogMemory;
  /** The offset at which the log ends, and how many lines it has taken. */
  readonly end: number;
  readonly lines: number;
  /** The newest block. */
  readonly tail: Block;
  /** Ends a write that reads from a block. */
  endWrite(block: Block): void;
  /** Lets go of what nobody needs any more. */
  trim(): void;
}

/**
 * A place in a log, and the ranges ahead of it that its owner doesn't want (its own lines).
 *
 * `take()` hands out what comes next and moves on; until `commit()`, which says that the bytes are written,
 * they stay as they are.
 */
export class Cursor implements Occupant {
  readonly #log: ReadableLog;
  #firstLine: number;
  #block: Block;
  #index: number;
  #unwanted = NO_RANGES;
  #unwantedLines = 0;
  #isClosed = false;
  #writes = 0;
  #lost = NOTHING_LOST;
  // What take() handed out and commit() gives back: a piece of a block, or a buffer of copies.
  #takenFrom: Block | undefined;
  #gathered: Uint8Array<ArrayBuffer> | undefined;

  /** @internal Use `openCursor()` of the log. */
  constructor(log: ReadableLog, block: Block) {
    this.#log = log;
    this.#block = block;
    this.#index = block.length;
    this.#firstLine = log.lines;
    block.cursors.add(this);
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

  /**
   * How many bytes come next until its owner's own lines, the end of the log, or a place where all readers
   * who take this much stop, too. So they get the same piece as the same object, however far apart they
   * began.
   */
  get nextPieceBytes(): number {
    if (!this.#findNext()) return 0;
    return Math.min(this.#spanEnd(), this.#block.pieceEnd(this.#index)) - this.#index;
  }

  /** Whether the log has dropped what comes next: only {@linkcode jumpToEnd} leads on. */
  get isEvicted(): boolean {
    return this.#block.evicted;
  }

  /** How much memory a write that is under way keeps, in bytes, which would be free otherwise. */
  get pinnedBytes(): number {
    if (this.#gathered !== undefined) return this.#gathered.length;
    return this.#takenFrom?.evicted ? this.#takenFrom.bytes.length : 0;
  }

  /** What {@linkcode take} returned last; undefined once that is committed. */
  get source(): Source | undefined {
    return this.#gathered !== undefined ? "copy" : this.#takenFrom !== undefined ? "block" : undefined;
  }

  /** How many writes were begun so far: tells one from the next. */
  get writes(): number {
    return this.#writes;
  }

  /** All that this cursor has jumped over so far. */
  get lost(): Readonly<Lost> {
    return this.#lost;
  }

  /**
   * Counts the lines taken so far. Costs about a microsecond, and a look at a block where nobody has counted
   * yet.
   */
  countTakenLines(): number {
    return this.#lineNumber() - this.#firstLine - this.#unwantedLines - this.#lost.lines;
  }

  /** Leaves out what was appended last: the `lines` lines from offset `start` to the end of the log. */
  skipOwn(start: number, lines: number): void {
    if (this.#isClosed) return;
    if (this.#unwanted === NO_RANGES) this.#unwanted = new OwnRanges(this.#log.memory);
    // A cursor that can only jump needs to know how much it leaves out, but not where that is.
    if (this.#block.evicted) return this.#unwanted.count(this.#log.end - start, lines);
    this.#unwanted.push(start, this.#log.end, lines);
    if (this.#unwanted.size <= MAX_OWN_RANGES) return;
    this.#block.cursors.delete(this);
    this.#fallOff();
    this.#log.trim();
  }

  /** @internal For the log. */
  onEvict(): void {
    if (!this.leaveEnd()) this.#fallOff();
  }

  /** @internal For the log. */
  get isAtEnd(): boolean {
    return this.#index === this.#block.length;
  }

  /** @internal For the log. */
  leaveEnd(): boolean {
    const { next, cursors } = this.#block;
    if (!this.isAtEnd || next === undefined) return false;
    cursors.delete(this);
    next.cursors.add(this);
    this.#block = next;
    this.#index = 0;
    return true;
  }

  /** Keeps its place as a number, without a block: there it can only jump from. */
  #fallOff(): void {
    const { offset } = this, line = this.#lineNumber();
    this.#unwanted.forgetPlaces();
    this.#block = new Block(NOTHING, offset, line);
    this.#block.evicted = true;
    this.#index = 0;
  }

  /**
   * Takes the complete lines that come next: at most `limitBytes`, but at least one line; undefined when
   * there are none. They are a piece of a block, or a copy of several short pieces. Call {@linkcode commit}
   * before taking again.
   * @param until the offset, at a line's end, behind which nothing is taken
   */
  take(limitBytes: number, until = Infinity): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#findNext() || this.offset >= until) return undefined;
    this.#writes++;
    const block = this.#block, start = this.#index;
    const end = Math.min(this.#spanEnd(), until - block.base);
    const isShort = end - start < GATHER_BELOW_BYTES && end - start < limitBytes;
    if (isShort && block.base + end < Math.min(this.#log.end, until) && !this.#log.memory.isShort) {
      return this.#gather(Math.min(limitBytes, GATHER_BYTES), until);
    }
    const to = end - start <= limitBytes ? end : cutAtLine(block.bytes, start, limitBytes);
    this.#index = to;
    this.#takenFrom = block;
    block.writes++;
    return block.view(start, to);
  }

  /** Says that what {@linkcode take} returned is written, or never will be read again. */
  commit(): void {
    if (this.#gathered !== undefined) {
      gatherPool.give(this.#gathered);
      this.#gathered = undefined;
      this.#log.memory.grow(-gatherPool.bytes);
    } else if (this.#takenFrom !== undefined) {
      this.#log.endWrite(this.#takenFrom);
      this.#takenFrom = undefined;
    }
  }

  /**
   * Moves the cursor to the end of the log and says what it missed; neither own lines count nor those of
   * `kept`, which its reader is given.
   */
  jumpToEnd(kept: Lost = NOTHING_LOST): Lost {
    const lines = this.#log.lines - this.#lineNumber() - this.#unwanted.lines - kept.lines;
    const bytes = this.behindBytes - kept.bytes;
    this.#unwantedLines += this.#unwanted.lines;
    this.#unwanted.clear();
    this.#lost = { lines: this.#lost.lines + lines, bytes: this.#lost.bytes + bytes };
    this.#moveTo(this.#log.tail, this.#log.tail.length);
    return { lines, bytes };
  }

  /**
   * Passes over the next `bytes` bytes, own ones not counted, as {@linkcode take} and {@linkcode commit}
   * would. They end with a line. Does less where the log has dropped them.
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
    twin.#isClosed = this.#isClosed;
    twin.#index = this.#index;
    twin.#firstLine = this.#firstLine;
    if (this.#unwanted !== NO_RANGES) twin.#unwanted = this.#unwanted.clone();
    twin.#unwantedLines = this.#unwantedLines;
    twin.#lost = this.#lost;
    return twin;
  }

  /**
   * Gives up the place. Nothing can be taken any more; the counts stay, and so do bytes that were taken,
   * until {@linkcode commit}: a write may not have noticed yet that its connection is closed.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const left = this.#block;
    this.#block = new Block(NOTHING, this.offset, this.#lineNumber());
    this.#index = 0;
    this.#unwanted.clear();
    left.cursors.delete(this);
    this.#log.trim();
  }

  #lineNumber(): number {
    if (this.#index === 0) return this.#block.baseLine;
    if (this.offset === this.#log.end) return this.#log.lines;
    return this.#block.baseLine + this.#block.linesBefore(this.#index, this.#log.level);
  }

  /** Steps over block ends and unwanted ranges to the next wanted byte; false if the log ends first. */
  #findNext(): boolean {
    for (;;) {
      const block = this.#block;
      if (this.#index === block.length) {
        if (block.next === undefined) return false;
        this.#moveTo(block.next, 0);
      } else if (this.#unwanted.start === this.offset) {
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
    this.#log.memory.grow(gatherPool.bytes);
    let length = 0;
    while (this.#findNext() && this.offset < until) {
      const start = this.#index, end = Math.min(this.#spanEnd(), until - this.#block.base);
      if (length + end - start > limitBytes) break;
      buffer.set(this.#block.bytes.subarray(start, end), LEAD_BYTES + length);
      length += end - start;
      this.#index = end;
    }
    return buffer.subarray(LEAD_BYTES, LEAD_BYTES + length);
  }

  #moveTo(block: Block, index: number): void {
    const left = this.#block;
    this.#block = block;
    this.#index = index;
    if (block === left) return;
    block.cursors.add(this);
    left.cursors.delete(this);
    this.#log.trim();
  }
}

/** Finds the last line end within `limit` bytes from `start`, or the first one behind that. */
function cutAtLine(bytes: Uint8Array, start: number, limit: number): number {
  const last = bytes.lastIndexOf(LF, start + limit - 1);
  return (last >= start ? last : bytes.indexOf(LF, start)) + 1;
}
