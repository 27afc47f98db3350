// The log of a room: everything its members have sent, as a chain of blocks, and the cursors that read it.
// Knows bytes, offsets and lines; nothing of sockets, members' names or clocks (the caller passes the time).
// Used by room.ts, which appends, and by session.ts, which takes what lies before its member's cursor.
//
//   head (oldest)                                  tail (newest)
//   ┌───────────────┐  next  ┌───────────────┐  next  ┌──────────┐
//   │ lines lines   ├───────▶│ lines lines   ├───────▶│ lines    │◀─ append, the log's end
//   └───────▲───────┘        └───────────▲───┘        └──────────▲┘
//        cursor B                     cursor C                cursor A
//
// Invariants: bytes once appended never change; a line never crosses a block's edge; a block leaves the chain when no
// cursor stands in it or before it, or when the log is over its limit. In the second case it is *evicted*: its `next` is cut, so that a cursor
// that still stands there (a write may be reading the bytes) keeps this one block alive and none behind it.

import { BufferPool } from "./buffer_pool.ts";
import { isControlLine, LF } from "./protocol.ts";

/** The first block of a log, in bytes: a quiet room shall cost little. Each further block is four times as large… */
const FIRST_BLOCK_BYTES = 4 * 1024;

/** …up to this: larger blocks make writes no cheaper, smaller ones make more writes. */
const BLOCK_BYTES = 256 * 1024;

/** Spans shorter than this are copied together into one write: a write costs as much as copying about this many bytes. */
const GATHER_BELOW_BYTES = 16 * 1024;

/** How much a gathered write holds at most, in bytes. */
const GATHER_BYTES = 64 * 1024;

/** How many marks of time the log keeps within the span of time it is asked about. */
const MARKS_PER_SPAN = 50;

const NOTHING = new Uint8Array(0);

const blockPool = new BufferPool(BLOCK_BYTES, 32);
const gatherPool = new BufferPool(GATHER_BYTES, 64);

class Block {
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

/** Limits of a {@linkcode RoomLog}. */
export interface RoomLogOptions {
  /** How much memory the blocks may take, in bytes; the newest block is always kept. */
  maxLogBytes: number;
  /** The age up to which {@linkcode RoomLog.ageMs} can tell one age from another, in ms. */
  maxLagMs: number;
  /** Whether lines that begin as control lines count as lines; who appends others counts accordingly. Default: true. */
  countsControlLines?: boolean;
}

/** A log of lines with any number of cursors. Appending costs the same however many there are. */
export class RoomLog {
  readonly #options: RoomLogOptions;
  #head: Block;
  #tail: Block;
  #capacityBytes = 0;
  #lines = 0;
  // Marks of time, oldest first: all bytes from markOffsets[i] on came at or after markTimes[i].
  #markOffsets: number[] = [];
  #markTimes: number[] = [];
  #markedTo = 0;

  constructor(options: RoomLogOptions) {
    this.#options = options;
    this.#head = this.#tail = new Block(new Uint8Array(0), 0, 0);
  }

  /** The offset behind the last byte: how many bytes were ever appended. */
  get end(): number {
    return this.#tail.end;
  }

  /** How many lines were ever appended. */
  get lines(): number {
    return this.#lines;
  }

  /** @internal Whether control lines count as lines. */
  get countsControlLines(): boolean {
    return this.#options.countsControlLines ?? true;
  }

  /** The memory that the chain takes, in bytes. */
  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Copies complete lines, `bytes[start, end)`, to the end of the log. `lines` is how many they are. */
  append(bytes: Uint8Array, start: number, end: number, lines: number): void {
    let tail = this.#tail;
    if (tail.length + end - start > tail.bytes.length) tail = this.#addBlock(end - start);
    tail.bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), tail.length);
    tail.length += end - start;
    this.#lines += lines;
  }

  /** Notes that what was appended since the last call came at about `nowMs`. */
  mark(nowMs: number): void {
    const { end } = this;
    if (end === this.#markedTo) return;
    const every = this.#options.maxLagMs / MARKS_PER_SPAN;
    const last = this.#markTimes.length - 1;
    if (last < 0 || nowMs - this.#markTimes[last] >= every) {
      this.#markOffsets.push(this.#markedTo);
      this.#markTimes.push(nowMs);
      if (this.#markTimes.length > MARKS_PER_SPAN + 2) {
        this.#markTimes.shift();
        this.#markOffsets.shift();
      }
    }
    this.#markedTo = end;
  }

  /**
   * Says how long ago the byte at `offset` was appended, in ms: 0 at the end of the log, exact to a fiftieth of `maxLagMs`
   * up to `maxLagMs`, and Infinity for what is older than every mark that is kept.
   */
  ageMs(offset: number, nowMs: number): number {
    if (offset >= this.#markedTo) return 0;
    for (let i = this.#markOffsets.length - 1; i >= 0; i--) {
      if (this.#markOffsets[i] <= offset) return nowMs - this.#markTimes[i];
    }
    return Infinity;
  }

  /** Opens a cursor at the end of the log: it will see what comes from now on. */
  openCursor(): Cursor {
    return new Cursor(this, this.#tail);
  }

  #addBlock(neededBytes: number): Block {
    const usual = Math.min(this.#tail.bytes.length * 4, BLOCK_BYTES, this.#options.maxLogBytes / 4);
    const size = Math.max(neededBytes, FIRST_BLOCK_BYTES, Math.floor(usual));
    const bytes = size === BLOCK_BYTES ? blockPool.take() : new Uint8Array(size);
    const block = new Block(bytes, this.end, this.#lines);
    this.#tail = this.#tail.next = block;
    this.#capacityBytes += size;
    this.#trim();
    return block;
  }

  /** @internal Ends a cursor's hold on a block. */
  release(block: Block): void {
    if (--block.holds > 0) return;
    if (block.evicted) recycle(block);
    else this.#trim();
  }

  /** @internal */
  get tail(): Block {
    return this.#tail;
  }

  /** Lets go of blocks at the head: those that no cursor needs, and those over the limit. */
  #trim(): void {
    while (this.#head !== this.#tail) {
      const head = this.#head;
      if (head.holds > 0 && this.#capacityBytes <= this.#options.maxLogBytes) return;
      this.#head = head.next!;
      this.#capacityBytes -= head.bytes.length;
      head.next = undefined;
      head.evicted = true;
      if (head.holds === 0) recycle(head);
    }
  }
}

function recycle(block: Block): void {
  if (block.bytes.length === BLOCK_BYTES) blockPool.give(block.bytes);
}

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
  #unwanted = new RangeQueue();
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
    return this.#block.baseLine + this.#block.linesBefore(this.#index, this.#log.countsControlLines);
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

/** Ranges of offsets with their line counts, in ascending order; neighbours are merged. */
class RangeQueue {
  #starts: number[] = [];
  #ends: number[] = [];
  #lineCounts: number[] = [];
  #first = 0;
  /** The start and the end of the first range; Infinity if there is none. */
  start = Infinity;
  end = Infinity;
  /** How many lines and bytes all ranges have together. */
  lines = 0;
  bytes = 0;

  /** Adds to the counts alone. */
  count(bytes: number, lines: number): void {
    this.bytes += bytes;
    this.lines += lines;
  }

  push(start: number, end: number, lines: number): void {
    this.count(end - start, lines);
    const last = this.#ends.length - 1;
    if (last >= this.#first && this.#ends[last] === start) {
      this.#ends[last] = end;
      this.#lineCounts[last] += lines;
    } else {
      this.#starts.push(start);
      this.#ends.push(end);
      this.#lineCounts.push(lines);
    }
    this.#readFirst();
  }

  /** Says that the cursor is at `offset` now, within or at the end of the first range; returns the lines that lie behind it. */
  passTo(offset: number): number {
    this.bytes -= offset - this.start;
    if (offset < this.end) {
      this.#starts[this.#first] = this.start = offset;
      return 0;
    }
    const lines = this.#lineCounts[this.#first];
    this.lines -= lines;
    if (++this.#first === this.#starts.length) this.#forgetRanges();
    else if (this.#first === 256) this.#compact();
    this.#readFirst();
    return lines;
  }

  clone(): RangeQueue {
    const twin = new RangeQueue();
    twin.#starts = this.#starts.slice(this.#first);
    twin.#ends = this.#ends.slice(this.#first);
    twin.#lineCounts = this.#lineCounts.slice(this.#first);
    twin.lines = this.lines;
    twin.bytes = this.bytes;
    twin.#readFirst();
    return twin;
  }

  clear(): void {
    this.#forgetRanges();
    this.lines = this.bytes = 0;
  }

  #forgetRanges(): void {
    this.#starts = [];
    this.#ends = [];
    this.#lineCounts = [];
    this.#first = 0;
    this.start = this.end = Infinity;
  }

  #readFirst(): void {
    if (this.#first === this.#starts.length) return;
    this.start = this.#starts[this.#first];
    this.end = this.#ends[this.#first];
  }

  /** Drops the passed ranges from the front of the arrays. */
  #compact(): void {
    for (const array of [this.#starts, this.#ends, this.#lineCounts]) array.splice(0, this.#first);
    this.#first = 0;
  }
}
