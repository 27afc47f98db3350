// Buffers of one size that are used for a short while and then used again: read buffers, log blocks, gathered
// writes. Saves the zeroing and the collecting of some thousand buffers a second. Holds no more than it is
// told to.

/**
 * Buffers of `bytes` bytes each, of which at most `maxFree` wait for their next use. Contents are not
 * cleared.
 */
export class BufferPool {
  #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(readonly bytes: number, readonly maxFree: number) {}

  /** Hands out a buffer; its contents are whatever was in it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Takes a buffer back. The caller must not touch it any more, nor may a write that is under way. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < this.maxFree) this.#free.push(buffer);
  }
}
