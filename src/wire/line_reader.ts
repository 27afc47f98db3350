// From chunks of bytes to runs of complete lines. Knows the LF and the length limit, nothing of what a line
// means and nothing of sockets.
//
//   chunk 1            chunk 2                       chunk 3
//   ┌─────────────────┐┌────────────────────────────┐┌──────
//   │line⏎line⏎line⏎li││ne⏎line⏎line⏎line⏎line⏎lin  ││e⏎ …
//   └──────run──────┴──┴┴─run──┴────────run────────┴─┘
//
// A run is a view of the chunk, so a chunk full of short lines costs one call. Only a line that spans chunks
// is copied, and no byte is searched twice.

import { freeBuffer } from "./buffer_pool.ts";
import { LF } from "./protocol.ts";

/** A kept half line up to this size costs nothing to keep allocated between lines. */
const SMALL_CARRY_BYTES = 256;

/** What a {@linkcode LineReader} found. The bytes are valid until the call returns. */
export interface LineSink {
  /** Takes complete lines: `bytes[start, end)`, of which the last byte is an LF. */
  onRun(bytes: Uint8Array, start: number, end: number): void;
  /**
   * Is told, once and as soon as it is known, that a line that spans chunks has more than `maxLineBytes`; the
   * line is not kept and no run holds it. `beginning` is some of it: all that has come, or 256 bytes at
   * least.
   */
  onLineTooLong(beginning: Uint8Array): void;
  /** Is told that such a line has ended, and how many bytes it had with its LF. */
  onLongLineEnd?(bytes: number): void;
}

/**
 * Joins chunks into complete lines. A line that fits in one chunk is passed on however long it is: its length
 * is seen at no cost by who looks at it.
 */
export class LineReader {
  readonly #sink: LineSink;
  readonly #maxLineBytes: number;
  #carry: Uint8Array<ArrayBuffer> | undefined;
  #carried = 0;
  #isSkipping = false;
  #skippedBytes = 0;

  /** @param maxLineBytes the longest line that is kept while it is incomplete, in bytes without its LF */
  constructor(sink: LineSink, maxLineBytes: number) {
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Whether a line was begun and its LF has not come yet. */
  get isMidLine(): boolean {
    return this.#carried > 0 || this.#isSkipping;
  }

  /** How much memory the half line takes, in bytes. */
  get heldBytes(): number {
    return this.#carry?.length ?? 0;
  }

  /**
   * Takes the next chunk and calls the sink for what it completes. The chunk may be used again afterwards.
   */
  push(chunk: Uint8Array): void {
    let start = 0;
    if (this.isMidLine) {
      const lf = chunk.indexOf(LF);
      if (lf < 0) return this.#keep(chunk);
      start = lf + 1;
      this.#keep(chunk.subarray(0, start));
      if (this.#isSkipping) this.#sink.onLongLineEnd?.(this.#skippedBytes);
      else this.#sink.onRun(this.#carry!, 0, this.#carried);
      this.#clear();
    }
    if (start === chunk.length) return;
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > start) this.#sink.onRun(chunk, start, end);
    const rest = Math.max(start, end);
    if (rest < chunk.length) this.#keep(chunk.subarray(rest));
  }

  /**
   * Ends the input: what stands there without an LF counts as a line, so it goes to the sink with an LF
   * behind it. Call it only when the connection ended cleanly.
   */
  end(): void {
    if (this.#carried > 0) {
      this.#keep(Uint8Array.of(LF));
      if (!this.#isSkipping) this.#sink.onRun(this.#carry!, 0, this.#carried);
    }
    this.#clear();
  }

  /** Adds to the half line, or finds that it is too long. `bytes` may end with the LF. */
  #keep(bytes: Uint8Array): void {
    if (this.#isSkipping) {
      this.#skippedBytes += bytes.length;
      return;
    }
    const length = this.#carried + bytes.length;
    const lineBytes = bytes[bytes.length - 1] === LF ? length - 1 : length;
    if (lineBytes > this.#maxLineBytes) {
      const beginning = this.#carried > 0 ? this.#fillCarry(bytes) : bytes;
      this.#carried = 0;
      this.#isSkipping = true;
      this.#skippedBytes = length;
      this.#sink.onLineTooLong(beginning);
      this.#freeCarry();
      return;
    }
    if (this.#carry === undefined || this.#carry.length < length) {
      const grown = new Uint8Array(
        Math.max(length, Math.min(2 * length, this.#maxLineBytes + 1), SMALL_CARRY_BYTES),
      );
      if (this.#carry !== undefined) grown.set(this.#carry.subarray(0, this.#carried));
      this.#freeCarry();
      this.#carry = grown;
    }
    this.#carry.set(bytes, this.#carried);
    this.#carried = length;
  }

  /** Puts as much behind the half line as there is room for, and returns all of that. */
  #fillCarry(bytes: Uint8Array): Uint8Array {
    const carry = this.#carry!, some = bytes.subarray(0, carry.length - this.#carried);
    carry.set(some, this.#carried);
    return carry.subarray(0, this.#carried + some.length);
  }

  /** Forgets the line that was begun: nothing comes any more. */
  close(): void {
    this.#clear();
  }

  #clear(): void {
    this.#carried = this.#skippedBytes = 0;
    this.#isSkipping = false;
    this.#freeCarry();
  }

  /** Lets go of what the half line stands in, if that is large. */
  #freeCarry(): void {
    if (this.#carry === undefined || this.#carry.length <= SMALL_CARRY_BYTES) return;
    freeBuffer(this.#carry);
    this.#carry = undefined;
  }
}
