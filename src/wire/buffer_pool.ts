// Memory outside of V8's heap that is given back by hand: buffers of one size that are used for a short while
// and then used again (read buffers, log blocks, gathered writes), and large ones that are freed. Saves the
// zeroing and the collecting of some thousand buffers a second, and the memory of those that V8 has not
// collected yet: it may leave 64 MiB of them lying. Holds no more than it is told to.

/**
 * Frees the memory of a large buffer now; otherwise it is free when it is collected. The buffer, and all
 * views of it, are empty from now on: the caller must be the only one who has it. A write that is under way
 * may still read from it.
 */
export function freeBuffer({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer?.(0); // browsers that can't are left to their collector
}

/**
 * Buffers of `bytes` bytes each, of which at most `maxFree` wait for their next use. Contents are not
 * cleared.
 */
export class BufferPool {
  readonly bytes: number;
  readonly #maxFree: number;
  #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(bytes: number, maxFree: number) {
    this.bytes = bytes;
    this.#maxFree = maxFree;
  }

  /** Hands out a buffer; its contents are whatever was in it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Takes a buffer back. The caller must not touch it any more, nor may a write that is under way. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < this.#maxFree) this.#free.push(buffer);
    else freeBuffer(buffer);
  }
}
