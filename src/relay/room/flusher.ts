// When the members of a feed write: at the end of the turn of the event loop that brought news, so that all
// that came in it goes out together; a part of them a turn, if they are many; and not too often, where that
// is dear.
//
//   turn           turn            turn           pause              turn
//   ├ news ┤ ───▶ ├ 100 wakes ┤ ▶ ├ 50 wakes ┤ ◀──────────────▶ ├ 100 wakes ┤ ▶ …
//                                                 ▲ news waits here

import { clearImmediate, setImmediate } from "node:timers";
import type { Reader } from "./feed.ts";

/** What is flushed: a feed. */
export interface Flushable {
  /** How much was appended since the last flush, in bytes. */
  readonly pendingBytes: number;
  /** Begins a flush at `nowMs`, and says who is to be woken. */
  startFlush(nowMs: number): Iterable<Reader>;
}

/**
 * How many readers are woken in a turn. After 128 operations tokio, on which Deno runs, makes a task give way (its module
 * `task::coop`): each further write of that turn would be put off, which costs as much as the write itself.
 */
export const MAX_WAKES_A_TURN = 100;

/**
 * The pause after a flush is so many times as long as the flush. A flush costs a write to each member, however little there is to say: so
 * a crowd takes about a fifth of a core for that, and not all there is.
 */
const PAUSE_FACTOR = 4;

/** The longest pause, in ms: a third of a frame of a game. */
const MAX_PAUSE_MS = 5;

/** The shortest one, in ms: timers know whole ones only, from one on. */
const MIN_PAUSE_MS = 0.5;

/** So much, in bytes, does not wait: to copy it takes as long as the rest of a write. */
export const FULL_BYTES = 16 * 1024;

/** A flush that is under way. */
interface Flush {
  feed: Flushable;
  /** Who is still to be woken. */
  readers: Iterator<Reader>;
  /** How long it took so far. */
  tookMs: number;
}

/** Flushes feeds that have news. */
export class Flusher {
  readonly #clock: () => number;
  readonly #maxPauseMs: number;
  readonly #due = new Set<Flushable>();
  readonly #pausedUntilMs = new WeakMap<Flushable, number>();
  /** Who has news, and waits for the end of its pause. */
  readonly #waiting = new Map<Flushable, ReturnType<typeof setTimeout>>();
  #flush: Flush | undefined;
  #nextTurn: ReturnType<typeof setImmediate> | undefined;
  #isClosed = false;

  /**
   * @param clock tells the time in ms; never goes back
   * @param maxPauseMs the longest pause, in ms
   */
  constructor(clock: () => number, maxPauseMs = MAX_PAUSE_MS) {
    this.#clock = clock;
    this.#maxPauseMs = maxPauseMs;
  }

  /** Has `feed` flushed soon. Is to be called at each piece of news. */
  note(feed: Flushable): void {
    if (this.#due.has(feed) || this.#isClosed) return;
    const waitMs = feed.pendingBytes < FULL_BYTES ? this.#pauseLeftMs(feed) : 0;
    if (waitMs <= 0) this.#add(feed);
    else if (!this.#waiting.has(feed)) {
      this.#waiting.set(feed, setTimeout(() => this.#add(feed), waitMs));
    }
  }

  /** Flushes nothing any more. */
  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#nextTurn);
    for (const timer of this.#waiting.values()) clearTimeout(timer);
  }

  #pauseLeftMs(feed: Flushable): number {
    const untilMs = this.#pausedUntilMs.get(feed);
    return untilMs === undefined ? 0 : untilMs - this.#clock();
  }

  #add(feed: Flushable): void {
    clearTimeout(this.#waiting.get(feed));
    this.#waiting.delete(feed);
    this.#due.add(feed);
    this.#nextTurn ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#nextTurn = undefined;
    let nowMs = this.#clock();
    for (let wakesLeft = MAX_WAKES_A_TURN; wakesLeft > 0;) {
      const flush = this.#flush ??= this.#startNext(nowMs);
      if (flush === undefined) return;
      wakesLeft = wakeSome(flush.readers, wakesLeft, nowMs);
      const endMs = this.#clock();
      flush.tookMs += endMs - nowMs;
      nowMs = endMs;
      if (wakesLeft > 0) this.#end(flush, nowMs);
    }
    this.#nextTurn = setImmediate(() => this.#turn());
  }

  #startNext(nowMs: number): Flush | undefined {
    for (const feed of this.#due) {
      this.#due.delete(feed);
      return { feed, readers: feed.startFlush(nowMs)[Symbol.iterator](), tookMs: 0 };
    }
  }

  #end({ feed, tookMs }: Flush, nowMs: number): void {
    this.#flush = undefined;
    const pauseMs = Math.min(PAUSE_FACTOR * tookMs, this.#maxPauseMs);
    if (pauseMs < MIN_PAUSE_MS) return void this.#pausedUntilMs.delete(feed);
    this.#pausedUntilMs.set(feed, nowMs + pauseMs);
    if (this.#due.delete(feed)) this.note(feed);
  }
}

/** Wakes up to `limit` readers, and says how many fewer there were. */
function wakeSome(readers: Iterator<Reader>, limit: number, nowMs: number): number {
  while (limit > 0) {
    const { value: reader, done } = readers.next();
    if (done) break;
    reader.wake(nowMs);
    limit--;
  }
  return limit;
}
