// The log of a room: everything its members have sent, as a chain of blocks, and the cursors that read it.
// Knows bytes, offsets and lines; nothing of sockets, members' names or clocks (the caller passes the time).
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

import type { Settings } from "../options.ts";
import type { Level } from "../../wire/protocol.ts";
import { Block, BLOCK_BYTES, recycle, takeBlockBytes } from "./block.ts";
import { Cursor } from "./cursor.ts";

/** The first block of a log, in bytes: a quiet room should cost little. Each further block is four times as large, up to the usual size. */
const FIRST_BLOCK_BYTES = 4 * 1024;

/** How many marks of time the log keeps within the span of time it is asked about. */
const MARKS_PER_SPAN = 50;

/** What a log needs of the settings: the memory its blocks may take (the newest is always kept), and the age up to which {@linkcode RoomLog.ageMs} can tell one age from another. */
export type LogSettings = Pick<Settings, "maxLogBytes" | "maxLagMs">;

/** A log of lines with any number of cursors. Appending costs the same however many there are. */
export class RoomLog {
  readonly #settings: LogSettings;
  /** Of who reads it: for sessions, control lines don't count as lines; who appends others counts accordingly. */
  readonly level: Level;
  #head: Block;
  #tail: Block;
  #capacityBytes = 0;
  #lines = 0;
  // Marks of time, oldest first: all bytes from markOffsets[i] on came at or after markTimes[i].
  #markOffsets: number[] = [];
  #markTimes: number[] = [];
  #markedTo = 0;

  constructor(level: Level, settings: LogSettings) {
    this.level = level;
    this.#settings = settings;
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
    const every = this.#settings.maxLagMs / MARKS_PER_SPAN;
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
    const usual = Math.min(this.#tail.bytes.length * 4, BLOCK_BYTES, this.#settings.maxLogBytes / 4);
    const size = Math.max(neededBytes, FIRST_BLOCK_BYTES, Math.floor(usual));
    const block = new Block(takeBlockBytes(size), this.end, this.#lines);
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
      if (head.holds > 0 && this.#capacityBytes <= this.#settings.maxLogBytes) return;
      this.#head = head.next!;
      this.#capacityBytes -= head.bytes.length;
      head.next = undefined;
      head.evicted = true;
      if (head.holds === 0) recycle(head);
    }
  }
}
