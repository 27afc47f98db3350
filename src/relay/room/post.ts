// Lines for some members of a room alone: who of them is to be woken at the end of the turn. What waits for a
// member, and where it stands in its stream, is the member's; nobody else is touched, and nothing is done
// where nothing is sent.

import type { Reader } from "./feed.ts";
import type { FlushState } from "./flush_state.ts";
import type { Letter } from "./letter.ts";

/** Who can be handed letters. */
export interface Receiver extends Reader {
  /**
   * Takes a letter that came at `nowMs` and stands behind the offset `place` of the log.
   */
  receive(letter: Letter, place: number, nowMs: number): void;
}

/** Those members of a room for whom something is there that is not for all. */
export class Post {
  readonly #onNews: (post: Post) => void;
  #readers = new Set<Reader>();
  #pendingBytes = 0;
  /** @internal For the flusher. */
  flushState: FlushState | undefined;

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
  startFlush(): ReadonlySet<Reader> {
    const readers = this.#readers;
    this.#readers = new Set();
    this.#pendingBytes = 0;
    return readers;
  }
}
