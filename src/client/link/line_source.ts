// What a link writes: the seam to the queue of whoever speaks over it.

/** What a link writes: whole lines, a batch at a time. */
export interface LineSource {
  /** The number of events that have not gone out whole. */
  readonly length: number;
  /** The number of events that were dropped before they went out, and their bytes. */
  readonly dropped: number;
  readonly droppedBytes: number;
  /** The bytes of the events that wait, without the batch under way. */
  readonly waitingBytes: number;
  /** Whether anything is left to be written, the batch under way included. */
  readonly hasMore: boolean;
  /** Appends an event (a line with its LF); drops the oldest ones that wait while they are over the limit. */
  push(line: Uint8Array, limitBytes: number): void;
  /**
   * Begins a batch of whole lines and returns its bytes, or `undefined` when nothing may go out now. It has
   * about `maxBytes`, or one longer line. The batch before must have been confirmed to its end.
   */
  nextBatch(maxBytes: number): Uint8Array | undefined;
  /** Notes that so many more bytes of the batch have gone out; returns how many events that completed. */
  confirm(bytes: number): number;
  /** Notes that the connection ended; then the limit holds, the oldest dropped first. */
  rewind(limitBytes: number): void;
  /** Drops and counts every event that has not gone out whole. */
  clear(): void;
}
