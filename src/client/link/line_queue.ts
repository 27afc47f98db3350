// Lines that wait to be written, bounded in bytes: the oldest go out first and are counted. Pure.

import { concat } from "../../wire/concat.ts";
import { Queue } from "./queue.ts";

/** A first-in, first-out queue of lines (each with its LF) that counts bytes, and the lines it dropped. */
export class LineQueue {
  readonly #lines = new Queue<Uint8Array>();
  #bytes = 0;
  #dropped = 0;
  #droppedBytes = 0;

  /** The number of lines that wait. */
  get length(): number {
    return this.#lines.length;
  }

  /** The bytes of the lines that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of lines dropped by `push()` and `trim()`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The bytes of these lines. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /**
   * Appends a line, then drops the oldest while they are over the limit: the new one, too, if it alone is
   * over it.
   */
  push(line: Uint8Array, limitBytes: number): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.trim(limitBytes);
  }

  /** Drops and counts the oldest lines until their bytes are within the limit. */
  trim(limitBytes: number): void {
    while (this.#bytes > limitBytes) {
      const { length } = this.#lines.shift()!;
      this.#bytes -= length;
      this.#droppedBytes += length;
      this.#dropped++;
    }
  }

  /** Drops and counts the lines that are none to keep. */
  keepOnly(isKept: (line: Uint8Array) => boolean): void {
    const lines = this.takeAll(), kept = lines.filter(isKept);
    this.putBack(kept);
    this.#dropped += lines.length - kept.length;
    this.#droppedBytes += lines.reduce((sum, { length }) => sum + length, 0) - this.#bytes;
  }

  /**
   * Moves the oldest lines to the end of `batch` while they fit into `roomBytes`, and returns their bytes.
   * The first line goes in any case if `batch` is empty: a line longer than a batch goes alone.
   */
  moveTo(batch: Uint8Array[], roomBytes: number): number {
    let bytes = 0;
    for (let line = this.#lines.peek(); line !== undefined; line = this.#lines.peek()) {
      if (batch.length > 0 && bytes + line.length > roomBytes) break;
      this.#lines.shift();
      batch.push(line);
      bytes += line.length;
    }
    this.#bytes -= bytes;
    return bytes;
  }

  /** Puts lines back in front of the oldest, in the order given. */
  putBack(lines: readonly Uint8Array[]): void {
    this.#lines.putBack(lines);
    for (const line of lines) this.#bytes += line.length;
  }

  /** Takes everything out, oldest first. */
  takeAll(): Uint8Array[] {
    this.#bytes = 0;
    return this.#lines.takeAll();
  }
}

/** Joins lines for one write; a line alone is not copied. Returns `undefined` for none. */
export function joinLines(lines: readonly Uint8Array[]): Uint8Array | undefined {
  return lines.length === 0 ? undefined : concat(lines);
}
