// The bytes of one member's letters, in the order of their stream: short ones side by side in a few buffers,
// so that many of them are one piece to write and none is an object of its own; long ones as they are, shared
// by all who get them. Pure.
//
//   stream   0            1000  1120   1240            71240   71360
//   pieces   │ (forgotten) │ a   │ b    │ c, long       │ d     │ free │
//                          └─ one buffer ┘└─ its own ────┘└─ one buffer ┘

import type { Letter } from "../room/letter.ts";

/** The longest letter that is copied, in bytes: a buffer may be unused by so much. */
const MAX_COPIED_BYTES = 1024;

/** How large the buffers are, in bytes: the first, and the largest. */
const FIRST_BUFFER_BYTES = 512;
const LAST_BUFFER_BYTES = 8 * 1024;

/** A stretch of the stream: `[start, end)` is at the beginning of `bytes`. */
interface Piece {
  readonly start: number;
  end: number;
  readonly bytes: Uint8Array;
  /** Whether there may be written behind its end. */
  readonly isOpen: boolean;
}

/** The bytes of letters that are kept. */
export class LetterBytes {
  #pieces: Piece[] = [];
  #memoryBytes = 0;

  /** What they take in memory, in bytes. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Puts a letter behind all others: at the place `start` of the stream, where these end. */
  append(letter: Letter, start: number): void {
    const { length } = letter;
    if (length > MAX_COPIED_BYTES) return this.#add(start, start + length, letter.bytes, false);
    const last = this.#pieces.at(-1);
    if (last?.isOpen && last.end - last.start + length <= last.bytes.length) {
      letter.copyTo(last.bytes, last.end - last.start);
      last.end += length;
      return;
    }
    const twice = last?.isOpen ? 2 * last.bytes.length : FIRST_BUFFER_BYTES;
    const bytes = new Uint8Array(Math.max(length, Math.min(twice, LAST_BUFFER_BYTES)));
    letter.copyTo(bytes, 0);
    this.#add(start, start + length, bytes, true);
  }

  /** Returns what lies at `[from, to)` of the stream, as far as it is one piece. */
  at(from: number, to: number): Uint8Array {
    const { start, end, bytes } = this.#pieces[this.#indexOf(from)];
    return bytes.subarray(from - start, Math.min(to, end) - start);
  }

  /** Says how far the stream is one piece from `from` on. */
  endOfPiece(from: number): number {
    return this.#pieces[this.#indexOf(from)].end;
  }

  /** Forgets what lies before `start` of the stream, as far as it takes memory of its own. */
  dropTo(start: number): void {
    let done = 0;
    for (; done < this.#pieces.length && this.#pieces[done].end <= start; done++) {
      this.#memoryBytes -= this.#pieces[done].bytes.length;
    }
    if (done > 0) this.#pieces.splice(0, done);
  }

  #add(start: number, end: number, bytes: Uint8Array, isOpen: boolean): void {
    this.#pieces.push({ start, end, bytes, isOpen });
    this.#memoryBytes += bytes.length;
  }

  /** Finds the piece that holds the place `at` of the stream. */
  #indexOf(at: number): number {
    let low = 0, high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle].start <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
