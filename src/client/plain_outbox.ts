// What a plain client has to write: a queue bounded in bytes, and the batch that is being written right now.
// Pure: it writes nothing itself. A session's is session_outbox.ts.
//
//   push ─→ [ oldest … newest ] ─→ nextBatch() ─→ [ batch under way ] ─→ confirm(bytes)
//            ^ over the limit: out                 rewind(): back to the front

import type { LineSource } from "./link/line_source.ts";
import { joinLines, LineQueue } from "./link/line_queue.ts";

/**
 * Keeps whole lines in order until they are handed to the network.
 *
 * Lines of the batch under way are never dropped; of the others the oldest go first, and every dropped line
 * is counted. At most the limit given with {@linkcode PlainOutbox.push} plus one batch is held.
 */
export class PlainOutbox implements LineSource {
  readonly #waiting = new LineQueue();
  #batch: Uint8Array[] = [];
  /** Lines of the batch that have gone out whole, and bytes that have gone out of the one after them. */
  #confirmedLines = 0;
  #confirmedBytes = 0;

  /** The number of lines that have not gone out whole, those of the batch under way included. */
  get length(): number {
    return this.#waiting.length + this.#batch.length - this.#confirmedLines;
  }

  /** Whether there is a line that has not gone out whole. */
  get hasMore(): boolean {
    return this.length > 0;
  }

  /** The bytes of the lines that wait, without the batch under way. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** The number of lines dropped because they were over a limit, or by `clear()`. */
  get dropped(): number {
    return this.#waiting.dropped;
  }

  /** The bytes of these lines. */
  get droppedBytes(): number {
    return this.#waiting.droppedBytes;
  }

  /** Appends a line (with its LF), then drops the oldest that wait while they are over the limit. */
  push(line: Uint8Array, limitBytes: number): void {
    this.#waiting.push(line, limitBytes);
  }

  /**
   * Begins a batch of whole lines and returns its bytes, or `undefined` when nothing waits. It has at most
   * `maxBytes`, unless its first line alone is longer. The batch before must have been confirmed to its end.
   */
  nextBatch(maxBytes: number): Uint8Array | undefined {
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    this.#waiting.moveTo(this.#batch, maxBytes);
    return joinLines(this.#batch);
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
    this.#waiting.putBack(this.#batch.slice(this.#confirmedLines));
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    this.#waiting.trim(limitBytes);
  }

  /** Drops and counts everything that has not gone out whole. */
  clear(): void {
    this.rewind(0);
  }
}
