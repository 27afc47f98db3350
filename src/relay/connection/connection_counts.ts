// What one connection counts: what came in, and what of its traffic is part of the relay's rates already.
// What went out its writer counts in bytes and its member's cursor in lines; both are asked when a sum is
// made.

import type { Cursor } from "../room/cursor.ts";
import { type Counts, noTraffic, type Traffic } from "../relay_stats.ts";

/** What has come and gone on one connection. */
export class ConnectionCounts {
  receivedLines = 0;
  receivedBytes = 0;
  /** Lines that were refused. */
  errors = 0;
  /** What was added to a sum of the traffic. */
  readonly #added = noTraffic();

  /** Leaves lines out of the traffic that a member took on its earlier connections. */
  startAt(cursor: Cursor): void {
    this.#added.outLines = cursor.countTakenLines();
  }

  /** All that happened so far. */
  total(cursor: Cursor | undefined, sentBytes: number): Counts {
    const { receivedLines, receivedBytes, errors } = this;
    const sentLines = cursor?.countTakenLines() ?? 0, skippedLines = cursor?.lost.lines ?? 0;
    return { receivedLines, receivedBytes, sentLines, sentBytes, skippedLines, errors };
  }

  /** Adds all that happened so far to `sum`. */
  addTo(sum: Counts, cursor: Cursor | undefined, sentBytes: number): void {
    sum.receivedLines += this.receivedLines;
    sum.receivedBytes += this.receivedBytes;
    sum.sentLines += cursor?.countTakenLines() ?? 0;
    sum.sentBytes += sentBytes;
    sum.skippedLines += cursor?.lost.lines ?? 0;
    sum.errors += this.errors;
  }

  /** Adds to `sum` what has come and gone since the last call. Without a member no more lines have gone. */
  addTraffic(sum: Traffic, cursor: Cursor | undefined, sentBytes: number): void {
    const added = this.#added, { receivedLines, receivedBytes } = this;
    if (sentBytes !== added.outBytes) { // counting lines costs more than a look at this
      const lines = cursor?.countTakenLines() ?? added.outLines;
      sum.outLines += lines - added.outLines;
      sum.outBytes += sentBytes - added.outBytes;
      added.outLines = lines;
      added.outBytes = sentBytes;
    }
    sum.inLines += receivedLines - added.inLines;
    sum.inBytes += receivedBytes - added.inBytes;
    added.inLines = receivedLines;
    added.inBytes = receivedBytes;
  }
}
