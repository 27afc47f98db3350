// The buffer into which a connection reads: as large as its client needs, so that thousands who only listen
// cost little and a flood costs few reads.

import { BufferPool } from "../../wire/buffer_pool.ts";

/** The buffer that a connection has at first, for a hello: one that only listens should cost little… */
const SMALL_READ_BYTES = 512;

/**
 * …the one that it has from the first read on that filled that: what a game says in a frame, a `$ping` beside
 * it, is one read…
 */
const MEDIUM_READ_BYTES = 4 * 1024;

/** …and the one that is lent to it while its reads fill that. */
const LARGE_READ_BYTES = 64 * 1024;

/** How many large buffers are lent at a time: further connections read in small pieces. */
const MAX_LENT = 256;

let lent = 0;

const largeReadPool = new BufferPool(LARGE_READ_BYTES, 64);

/** The read buffer of one connection. */
export class ReadBuffer {
  #own = new Uint8Array(SMALL_READ_BYTES);
  #bytes = this.#own;

  /** Where the next read may write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Returns the first `n` bytes: what was read. */
  filled(n: number): Uint8Array<ArrayBuffer> {
    return n === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, n);
  }

  /** How much memory it takes, in bytes. */
  get heldBytes(): number {
    return this.#own.length + (this.#bytes === this.#own ? 0 : this.#bytes.length);
  }

  /**
   * Makes it as large as the last read suggests, which was `n` bytes. They must not be needed any more.
   * @param mayGrow whether there is memory for a large one
   */
  fit(n: number, mayGrow = true): void {
    const isFull = n === this.#bytes.length;
    if (isFull && n === SMALL_READ_BYTES) this.#bytes = this.#own = new Uint8Array(MEDIUM_READ_BYTES);
    else if (isFull && this.#bytes === this.#own) {
      if (mayGrow && lent < MAX_LENT) this.#borrow();
    } else if (n < this.#own.length || !mayGrow) this.release();
  }

  #borrow(): void {
    lent++;
    this.#bytes = largeReadPool.take();
  }

  /** Gives back what is lent. */
  release(): void {
    if (this.#bytes === this.#own) return;
    lent--;
    largeReadPool.give(this.#bytes);
    this.#bytes = this.#own;
  }
}
