// Bytes with the header of a frame before them. What many members are written is framed once, as they share
// the view of it; copies are made in memory that is used again, and count as memory while they are there.
//
//   view of a block ─▶ one copy ─┬─▶ write to member A
//   [lines⏎]           [header|lines⏎] ─▶ write to member B        the last one to end gives it back

import { BufferPool, freeBuffer } from "../../../wire/buffer_pool.ts";
import type { MemoryAccount, MemoryBudget } from "../../memory_budget.ts";
import { MAX_HEADER_BYTES, writeHeader } from "./frame_writer.ts";

/**
 * The sizes of the buffers that are used again, in bytes of payload. A larger copy, of one long line, has a
 * buffer of its own.
 */
const SIZES = [2 * 1024, 16 * 1024, 64 * 1024, 132 * 1024, 256 * 1024];

/** How many free buffers of each size are kept. */
const MAX_FREE = 16;

/**
 * How many copies are kept that no write needs any more: a member that is a moment later than the others
 * takes the same.
 */
const MAX_IDLE = 8;

/**
 * From so many bytes on, one who alone asks for a view gets no copy: the header, written by itself, costs
 * less, and leaves what others share in the caches.
 */
const MIN_ALONE_BYTES = 32 * 1024;

/** A frame. Call `release()` when its write has ended. */
export interface FramedCopy {
  readonly bytes: Uint8Array;
  release(): void;
}

/** The framed copies of one relay. */
export class FramedCopies {
  readonly #pools = SIZES.map((bytes) => new BufferPool(MAX_HEADER_BYTES + bytes, MAX_FREE));
  readonly #memory: MemoryAccount;
  readonly #budget: MemoryBudget;
  readonly #shared = new Map<Uint8Array, SharedCopy>();
  /** Those of them that no write needs, the one that ended first first. */
  readonly #idle = new Set<SharedCopy>();
  /** The large views that were asked for once. */
  readonly #asked = new WeakSet<Uint8Array>();

  constructor(memory: MemoryBudget) {
    this.#budget = memory;
    this.#memory = memory.open();
  }

  /** How much memory the copies take, in bytes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Whether nothing should be copied that can be written without a copy. */
  get isShort(): boolean {
    return this.#budget.isShort;
  }

  /**
   * Returns the frame with these bytes, which must not change: the same for all who ask with the same view.
   * `first` is its first byte. Undefined for who is the first to ask for a large one, and may be the only
   * one: plain members that can't keep up stop at different places.
   */
  share(view: Uint8Array, first: number): FramedCopy | undefined {
    const known = this.#shared.get(view);
    if (known !== undefined && known.first === first) {
      if (known.uses++ === 0) this.#idle.delete(known);
      return known;
    }
    if (known !== undefined) return this.copy(view, first);
    if (view.length >= MIN_ALONE_BYTES && !this.#asked.has(view)) {
      this.#asked.add(view);
      return undefined;
    }
    const copy = new SharedCopy(view, first, this);
    this.#shared.set(view, copy);
    return copy;
  }

  /** Makes a frame with a copy of these bytes, for one write alone. */
  copy(bytes: Uint8Array, first: number): FramedCopy {
    return new PrivateCopy(bytes, first, this);
  }

  /** Gives up what no write needs. */
  close(): void {
    for (const copy of this.#idle) this.#drop(copy);
    this.#idle.clear();
  }

  /** @internal */
  take(payloadBytes: number): Uint8Array<ArrayBuffer> {
    const pool = this.#pools.find(({ bytes }) => bytes >= MAX_HEADER_BYTES + payloadBytes);
    const buffer = pool?.take() ?? new Uint8Array(MAX_HEADER_BYTES + payloadBytes);
    this.#memory.grow(buffer.length);
    return buffer;
  }

  /** @internal */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#memory.grow(-buffer.length);
    const pool = this.#pools.find(({ bytes }) => bytes === buffer.length);
    if (pool !== undefined) pool.give(buffer);
    else freeBuffer(buffer);
  }

  /** @internal */
  onUnused(copy: SharedCopy): void {
    this.#idle.add(copy);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= MAX_IDLE && !this.isShort) break;
      this.#idle.delete(oldest);
      this.#drop(oldest);
    }
  }

  #drop(copy: SharedCopy): void {
    this.#shared.delete(copy.view);
    this.give(copy.buffer);
  }
}

/** Copies bytes into a buffer and writes the header before them; returns the frame, a part of the buffer. */
function frame(buffer: Uint8Array, payload: Uint8Array, first: number): Uint8Array {
  buffer.set(payload, MAX_HEADER_BYTES);
  const start = writeHeader(buffer, MAX_HEADER_BYTES, first, payload.length);
  return buffer.subarray(start, MAX_HEADER_BYTES + payload.length);
}

class SharedCopy implements FramedCopy {
  readonly bytes: Uint8Array;
  readonly buffer: Uint8Array<ArrayBuffer>;
  uses = 1;

  constructor(readonly view: Uint8Array, readonly first: number, readonly copies: FramedCopies) {
    this.buffer = copies.take(view.length);
    this.bytes = frame(this.buffer, view, first);
  }

  release(): void {
    if (--this.uses === 0) this.copies.onUnused(this);
  }
}

class PrivateCopy implements FramedCopy {
  readonly bytes: Uint8Array;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #copies: FramedCopies;

  constructor(payload: Uint8Array, first: number, copies: FramedCopies) {
    this.#copies = copies;
    this.#buffer = copies.take(payload.length);
    this.bytes = frame(this.#buffer, payload, first);
  }

  release(): void {
    this.#copies.give(this.#buffer);
  }
}
