// Lines that wait to be written: a queue bounded in bytes, and the batch that is being written right now. Pure: it
// writes nothing itself. Used by the client's link, which takes a batch, confirms what went out, and rewinds when the
// connection broke, so that a line that went out in part is sent again from its start.
//
//   push ─→ [ oldest … newest ] ─→ nextBatch() ─→ [ batch under way ] ─→ confirm(bytes)
//            ^ over the limit: out                 rewind(): back to the front

import { Queue } from "./queue.ts";

/**
 * Keeps whole lines in order until they are handed to the network.
 *
 * Lines of the batch under way are never dropped; of the others the oldest go first, and every dropped line is
 * counted. At most the limit given with {@linkcode Outbox.push} plus one batch is held.
 */
export class Outbox {
  readonly #waiting = new Queue<Uint8Array>();
  #waitingBytes = 0;
  #batch: Uint8Array[] = [];
  /** Lines of the batch that have gone out whole, and bytes that have gone out of the one after them. */
  #confirmedLines = 0;
  #confirmedBytes = 0;
  #dropped = 0;

  /** The number of lines that have not gone out whole, those of the batch under way included. */
  get length(): number {
    return this.#waiting.length + this.#batch.length - this.#confirmedLines;
  }

  /** The bytes of the lines that wait, without the batch under way. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The number of lines dropped because they were over a limit, or by `clear()`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Appends a line (with its LF), then drops the oldest that wait while they are over the limit. */
  push(line: Uint8Array, limitBytes: number): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.trim(limitBytes);
  }

  /** Drops the oldest lines that wait, until their bytes are within the limit. */
  trim(limitBytes: number): void {
    while (this.#waitingBytes > limitBytes) {
      this.#waitingBytes -= this.#waiting.shift()!.length;
      this.#dropped++;
    }
  }

  /**
   * Begins a batch of whole lines and returns its bytes, or `undefined` when nothing waits. It has at most `maxBytes`,
   * unless its first line alone is longer. The batch before must have been confirmed to its end.
   */
  nextBatch(maxBytes: number): Uint8Array | undefined {
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    let bytes = 0;
    for (;;) {
      const line = this.#waiting.peek();
      if (line === undefined || (bytes > 0 && bytes + line.length > maxBytes)) break;
      this.#waiting.shift();
      this.#batch.push(line);
      bytes += line.length;
    }
    this.#waitingBytes -= bytes;
    if (this.#batch.length < 2) return this.#batch[0];
    const all = new Uint8Array(bytes);
    let offset = 0;
    for (const line of this.#batch) {
      all.set(line, offset);
      offset += line.length;
    }
    return all;
  }

  /** Notes that so many more bytes of the batch have gone out; returns how many lines that completed. */
  confirm(bytes: number): number {
    const before = this.#confirmedLines;
    this.#confirmedBytes += bytes;
    while (this.#confirmedLines < this.#batch.length) {
      const line = this.#batch[this.#confirmedLines];
      if (this.#confirmedBytes < line.length) break;
      this.#confirmedBytes -= line.length;
      this.#confirmedLines++;
    }
    return this.#confirmedLines - before;
  }

  /** Puts what has not gone out whole back in front; then the limit holds, the oldest dropped first. */
  rewind(limitBytes: number): void {
    const unsent = this.#batch.slice(this.#confirmedLines);
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    this.#waiting.putBack(unsent);
    for (const line of unsent) this.#waitingBytes += line.length;
    this.trim(limitBytes);
  }

  /** Drops and counts everything that has not gone out whole. */
  clear(): void {
    this.rewind(0);
  }
}
