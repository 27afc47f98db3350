// The log of a room: everything its members have sent, as a chain of blocks, and the cursors that read it.
// Knows bytes, offsets and lines; nothing of sockets, members' names or clocks (the caller passes the time).
//
//   head (oldest)                                  tail (newest)
//   ┌───────────────┐  next  ┌───────────────┐  next  ┌──────────┐
//   │ lines lines   ├───────▶│ lines lines   ├───────▶│ lines    │◀─ append, the log's end
//   └───────▲───────┘        └───────────▲───┘        └──────────▲┘
//        cursor B                     cursor C                cursor A
//
// Invariants: bytes once appended never change; a line never crosses a block's edge; a block leaves the
// chain, is *evicted*, when no cursor stands in it or before it, or when the log is over its limit or memory
// is short. Cursors that still stood there keep their place as a number and can only jump. The bytes are free
// again when the last write that reads from them ends.

import type { Settings } from "../options.ts";
import type { Level } from "../../wire/protocol.ts";
import { Block, BLOCK_BYTES, takeBlockBytes } from "./block.ts";
import { Cursor, type ReadableLog } from "./cursor.ts";
import { LogMemory } from "./log_memory.ts";

/**
 * The first block of a log, in bytes: a quiet room should cost little. Each further block is four times as
 * large, up to the usual size.
 */
const FIRST_BLOCK_BYTES = 4 * 1024;

/** How many marks of time the log keeps within the span of time it is asked about. */
const MARKS_PER_SPAN = 50;

/**
 * What a log needs of the settings: the memory its blocks may take (the newest is always kept), and all that
 * there is; and the age up to which {@linkcode RoomLog.ageMs} can tell one age from another.
 */
export type LogSettings = Pick<Settings, "maxLogBytes" | "maxLagMs" | "memory">;

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** A log of lines with any number of cursors. Appending costs the same however many there are. */
export class RoomLog implements ReadableLog {
  readonly #settings: LogSettings;
  /**
   * Of who reads it: for sessions, control lines don't count as lines; who appends others counts accordingly.
   */
  readonly level: Level;
  /** @internal What blocks, copies for writes and ranges of cursors take. */
  readonly memory: LogMemory;
  #head: Block;
  #tail: Block;
  #capacityBytes = 0;
  #isClosed = false;
  #lines = 0;
  // Marks of time, oldest first: all bytes from markOffsets[i] on came at or after markTimes[i].
  #markOffsets: number[] = [];
  #markTimes: number[] = [];
  #markedTo = 0;

  constructor(level: Level, settings: LogSettings) {
    this.level = level;
    this.#settings = settings;
    this.memory = new LogMemory(settings.memory);
    this.#head = this.#tail = new Block(NOTHING, 0, 0);
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
   * Says how long ago the byte at `offset` was appended, in ms: 0 at the end of the log, exact to a fiftieth
   * of `maxLagMs` up to `maxLagMs`, and Infinity for what is older than every mark that is kept.
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

  /**
   * Returns the newest bytes, `maxBytes` at the most, as long as the log has them; they begin with a line if
   * they are all of a block.
   */
  newest(maxBytes: number): { bytes: Uint8Array; isWhole: boolean } {
    const { bytes, length } = this.#tail;
    const start = Math.max(0, length - maxBytes);
    return { bytes: bytes.subarray(start, length), isWhole: start === 0 };
  }

  /**
   * Lets go of the newest block too, if every cursor there has taken all of it; returns how much memory that
   * frees, in bytes.
   */
  dropRead(): number {
    const before = this.#capacityBytes, left = this.#tail;
    if (left.bytes.length === 0 || left.writes > 0) return 0;
    for (const cursor of left.cursors) if (!cursor.isAtEnd) return 0;
    this.#link(NOTHING);
    for (const cursor of left.cursors) cursor.leaveEnd();
    this.trim();
    return before - this.#capacityBytes;
  }

  /**
   * Lets go of the oldest blocks until no more than `keepBytes` bytes are left; returns how much memory that
   * frees, in bytes, now or once writes end.
   */
  dropUnread(keepBytes: number): number {
    const before = this.#capacityBytes;
    if (keepBytes < this.#tail.bytes.length) {
      const left = this.#tail;
      this.#link(NOTHING);
      for (const cursor of left.cursors) cursor.leaveEnd();
    }
    while (this.#head !== this.#tail && this.#capacityBytes > keepBytes) this.#evictHead();
    return before - this.#capacityBytes;
  }

  /** Lets go of each block as soon as nobody stands there. Nothing may be appended any more. */
  close(): void {
    this.#isClosed = true;
    this.trim();
  }

  #addBlock(neededBytes: number): Block {
    const { memory, maxLogBytes } = this.#settings;
    const usual = Math.min(this.#tail.bytes.length * 4, BLOCK_BYTES, maxLogBytes / 4);
    let size = Math.max(neededBytes, FIRST_BLOCK_BYTES, Math.floor(usual));
    while (!memory.hasRoomFor(size) && this.#head !== this.#tail) this.#evictHead();
    if (!memory.hasRoomFor(size)) size = Math.max(neededBytes, FIRST_BLOCK_BYTES);
    const block = this.#link(takeBlockBytes(size));
    this.trim();
    return block;
  }

  /** Makes a new tail. */
  #link(bytes: Uint8Array<ArrayBuffer>): Block {
    const block = new Block(bytes, this.end, this.#lines);
    this.#tail = this.#tail.next = block;
    this.#capacityBytes += bytes.length;
    this.memory.grow(bytes.length);
    return block;
  }

  /** @internal Ends a write that reads from a block. */
  endWrite(block: Block): void {
    if (--block.writes === 0 && block.evicted) this.#free(block);
  }

  /** @internal */
  get tail(): Block {
    return this.#tail;
  }

  /** @internal Lets go of blocks at the head: those that no cursor needs, and those over the limit. */
  trim(): void {
    if (this.#isClosed && this.#tail.cursors.size === 0 && this.#tail.bytes.length > 0) this.#link(NOTHING);
    while (this.#head !== this.#tail) {
      if (this.#head.cursors.size > 0 && this.#capacityBytes <= this.#settings.maxLogBytes) return;
      this.#evictHead();
    }
  }

  #evictHead(): void {
    const head = this.#head;
    for (const cursor of head.cursors) cursor.onEvict();
    head.cursors.clear();
    this.#head = head.next!;
    this.#capacityBytes -= head.bytes.length;
    head.next = undefined;
    head.evicted = true;
    if (head.writes === 0) this.#free(head);
  }

  #free(block: Block): void {
    this.memory.grow(-block.bytes.length);
    block.recycle();
  }
}
