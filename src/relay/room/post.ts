// Lines for some members of a room alone: who of them is to be woken at the end of the turn. What waits for a
// member, and where it stands in its stream, is the member's; nobody else is touched, and nothing is done
// where nothing is sent.

import type { Reader } from "./feed.ts";

/** A line for one member, as it is handed over; the same object may go to several. */
export interface Letter {
  /** The line, with the control lines about it before it; all complete. */
  readonly bytes: Uint8Array;
  /** How many of these lines are events. */
  readonly lines: number;
  /** Whether somebody waits for it: it is not skipped. */
  readonly isAnswer?: boolean;
  /** The version of the state that its receiver should have when it gets it. */
  readonly stateVersion?: number;
}

/** Who can be handed letters. */
export interface Receiver extends Reader {
  /**
   * Takes a letter that stands behind the offset `place` of the log; returns false if it has no place for it.
   */
  receive(letter: Letter, place: number): boolean;
}

/** Those members of a room for whom something is there that is not for all. */
export class Post {
  readonly #onNews: (post: Post) => void;
  #readers = new Set<Reader>();
  #pendingBytes = 0;

  /** @param onNews is called whenever there is something for somebody */
  constructor(onNews: (post: Post) => void) {
    this.#onNews = onNews;
  }

  /** How much there is since the last flush, in bytes. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Says that there is something for a reader. */
  note(reader: Reader, bytes: number): void {
    this.#readers.add(reader);
    this.#pendingBytes += bytes;
    this.#onNews(this);
  }

  /** Begins a flush: returns who is to be woken. */
  startFlush(): Iterable<Reader> {
    const readers = this.#readers;
    this.#readers = new Set();
    this.#pendingBytes = 0;
    return readers;
  }
}
