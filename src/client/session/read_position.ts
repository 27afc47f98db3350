// How far a session has read the relay's stream, in whole lines: what a resume asks for, and when an
// acknowledgement is due. Counts bytes; knows nothing of what they say. Pure.

import { LF } from "../../wire/protocol.ts";

/**
 * The share of the relay's window after which an acknowledgement goes out with the next events, as alone it
 * would wake the relay once more…
 */
const RIDE_SHARE = 1 / 2;

/** …and after which it goes out alone: the rest of the window is on its way meanwhile. */
const ALONE_SHARE = 3 / 4;

/**
 * After a gap, so many reads are acknowledged at once: what tells it and belongs to it comes with the first or
 * ends with the second, and until the relay knows that it arrived it can't skip again.
 */
const READS_AFTER_GAP = 2;

/** A place in the stream from the relay. */
export class ReadPosition {
  #bytes = 0;
  #lineEndBytes = 0;
  /** How many reads are to be acknowledged at once, the one that is under way among them. */
  #readsToAck = 0;

  /** The bytes of the stream up to the end of the last whole line. */
  get lineEndBytes(): number {
    return this.#lineEndBytes;
  }

  /** Notes that these bytes have been read. */
  add(bytes: Uint8Array): void {
    const lastLf = bytes.lastIndexOf(LF);
    if (lastLf >= 0) this.#lineEndBytes = this.#bytes + lastLf + 1;
    this.#bytes += bytes.length;
    if (this.#readsToAck > 0) this.#readsToAck--;
  }

  /** Notes that the read under way tells of a gap. */
  noteGap(): void {
    this.#readsToAck = READS_AFTER_GAP + 1;
  }

  /** Goes on behind the last whole line: its rest comes again, on another connection. */
  resume(): void {
    this.#bytes = this.#lineEndBytes;
  }

  /** Begins with another stream, of which so many bytes, whole lines, have been read. */
  restart(bytes: number): void {
    this.#bytes = this.#lineEndBytes = bytes;
  }

  /** Says whether an acknowledgement is due, and how it is to go out. */
  dueAck(ackedBytes: number, windowBytes: number): "alone" | "with events" | undefined {
    if (this.#readsToAck > 0) return "alone";
    const share = (this.#lineEndBytes - ackedBytes) / windowBytes;
    return share >= ALONE_SHARE ? "alone" : share >= RIDE_SHARE ? "with events" : undefined;
  }
}
