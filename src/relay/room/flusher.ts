// When the members of a feed write: at the end of the turn of the event loop that brought news, so that all
// that came in it goes out together; a part of them a turn, if they are many, with a look at the sockets
// between; and after a pause only where the core runs short, as the budget says. News that may wait, who came
// and who left, gathers where a flush takes long.
//
//   turn                 turn          turn           pause               turn
//   ├ news, 100 wakes ┤ ▶ ├ 100 wakes ┤ ▶ ├ 50 wakes ┤ ◀──────────────▶ ├ 100 wakes ┤ ▶ …
//                        └ other feed's news: 12 wakes     ▲ news waits here

import type { Settings } from "../options.ts";
import type { Timer } from "../timers.ts";
import type { Reader } from "./feed.ts";
import { FlushBudget, type Spender } from "./flush_budget.ts";

/** What is flushed: a feed. It carries what is known of its flushes, and is not to touch it. */
export interface Flushable extends Spender {
  /** From when on news of it that may wait is flushed, in ms. */
  patientUntilMs?: number;
  /** How much was appended since the last flush, in bytes. */
  readonly pendingBytes: number;
  /** Begins a flush at `nowMs`, and says who is to be woken. */
  startFlush(nowMs: number): Iterable<Reader>;
}

/** What a flusher needs of the settings. */
export type FlusherSettings = Pick<Settings, "clock" | "timers"> & {
  readonly service: Pick<Settings["service"], "isBehind">;
  readonly loop: Pick<Settings["loop"], "atTurnEnd" | "call">;
};

/**
 * How many readers are woken in a turn. After 128 operations tokio, on which Deno runs, makes a task give way
 * (its module `task::coop`): each further write of that turn would be put off, which costs as much as the
 * write itself.
 */
export const MAX_WAKES_A_TURN = 100;

/** How long readers are woken in a turn, in ms: one who gets much takes long. */
const MAX_TURN_MS = 2;

/** …and while clients wait to be served: their work is in the turn, too. */
const MAX_BEHIND_TURN_MS = 1;

/**
 * How many readers of a feed are woken before those of the next: a small room doesn't wait until a crowd has
 * all.
 */
const MAX_WAKES_IN_A_ROW = 12;

/**
 * A shorter pause than this, in ms, is none: timers take a millisecond longer than they are told. Its time
 * stays owed.
 */
const MIN_PAUSE_MS = 1;

/** So much, in bytes, does not wait: to copy it takes as long as the rest of a write. */
export const FULL_BYTES = 16 * 1024;

/**
 * The share of the core that flushes may take whose news may wait: a thousand who join at once are told of
 * each other in a few writes, not in one for each who comes, and two are told at once.
 */
export const PATIENT_SHARE = 1 / 20;

/** So long, in ms, such news waits at most. */
export const MAX_PATIENCE_MS = 250;

/** A flush that is under way. */
interface Flush {
  readers: Iterator<Reader>;
  /** Who is woken next, if anybody is left. */
  next: IteratorResult<Reader>;
  /** How long it took so far. */
  tookMs: number;
  /** Whether there is more to flush when it is over, and whether that may wait. */
  hasNews: boolean;
  hasPatientNews: boolean;
}

/** Flushes feeds that have news. */
export class Flusher {
  readonly #clock: () => number;
  readonly #timers: Settings["timers"];
  readonly #service: FlusherSettings["service"];
  readonly #loop: FlusherSettings["loop"];
  readonly #budget: FlushBudget;
  /** Who is flushed, in order: who is under way is here too, until it is its turn again. */
  readonly #due = new Set<Flushable>();
  readonly #underWay = new Map<Flushable, Flush>();
  /** Who has news, and waits for the end of a pause. */
  readonly #waiting = new Map<Flushable, Timer>();
  /** Who has only news that may wait, and does. */
  readonly #patient = new Map<Flushable, Timer>();
  /** Who has had news in this turn, and whether that does not wait. */
  readonly #noted = new Map<Flushable, boolean>();
  /** Whether who has news is looked at at the end of this turn. */
  #isEndDue = false;
  /** Whether a later turn goes on with those who are many. */
  #isLaterDue = false;
  #isClosed = false;

  constructor({ clock, timers, service, loop }: FlusherSettings) {
    this.#clock = clock;
    this.#timers = timers;
    this.#service = service;
    this.#loop = loop;
    this.#budget = new FlushBudget(clock());
  }

  /**
   * Has `feed` flushed soon. Is to be called at each piece of news.
   * @param mayWait whether it may wait for other news, or until such flushes take little of the core
   */
  note(feed: Flushable, mayWait = false): void {
    if (this.#isClosed) return;
    const flush = this.#underWay.get(feed);
    if (flush !== undefined) {
      if (mayWait) flush.hasPatientNews = true;
      else flush.hasNews = true;
    } else if (!this.#due.has(feed)) {
      this.#noted.set(feed, !mayWait || this.#noted.get(feed) === true);
      this.#askForTurnEnd();
    }
  }

  /** Flushes nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const timer of [...this.#waiting.values(), ...this.#patient.values()]) {
      this.#timers.clearTimeout(timer);
    }
    this.#waiting.clear();
    this.#patient.clear();
  }

  /** Has a feed flushed later that has only news that may wait. */
  #putOff(feed: Flushable, nowMs: number): void {
    if (this.#waiting.has(feed) || this.#patient.has(feed)) return;
    const waitMs = (feed.patientUntilMs ?? nowMs) - nowMs;
    if (waitMs < MIN_PAUSE_MS) return this.#schedule(feed, nowMs);
    this.#patient.set(
      feed,
      this.#timers.setTimeout(() => {
        this.#patient.delete(feed);
        this.#schedule(feed, this.#clock());
        this.#askForTurnEnd();
      }, waitMs),
    );
  }

  #schedule(feed: Flushable, nowMs: number): void {
    if (feed.pendingBytes >= FULL_BYTES) return this.#add(feed);
    if (this.#waiting.has(feed)) return;
    const pauseMs = this.#budget.waitMs(feed, this.#service.isBehind, nowMs);
    if (pauseMs < MIN_PAUSE_MS) return this.#add(feed);
    const timer = this.#timers.setTimeout(() => {
      this.#add(feed);
      this.#askForTurnEnd();
    }, pauseMs);
    this.#waiting.set(feed, timer);
  }

  /** Has a feed flushed in this turn, or where one must not take that long, in later ones. */
  #add(feed: Flushable): void {
    this.#stopTimer(this.#waiting, feed);
    this.#stopTimer(this.#patient, feed);
    this.#due.add(feed);
  }

  #stopTimer(waiting: Map<Flushable, Timer>, feed: Flushable): void {
    const timer = waiting.get(feed);
    if (timer === undefined) return;
    waiting.delete(feed);
    this.#timers.clearTimeout(timer);
  }

  #askForTurnEnd(): void {
    if (this.#isEndDue) return;
    this.#isEndDue = true;
    this.#loop.atTurnEnd(this.#endTurn);
  }

  readonly #endTurn = (nowMs: number): void => {
    this.#isEndDue = false;
    // Those who are many have had their part of this turn, or get it in the next one: only others go before
    // them.
    this.#flushSome(this.#isLaterDue, nowMs);
  };

  readonly #goOn = (): void => {
    this.#isLaterDue = false;
    this.#flushSome(false, this.#clock());
  };

  /** Decides whether who has had news is flushed now or later. */
  #takeNews(nowMs: number): void {
    for (const [feed, isUrgent] of this.#noted) {
      if (isUrgent) this.#schedule(feed, nowMs);
      else this.#putOff(feed, nowMs);
    }
    this.#noted.clear();
  }

  /** Flushes who is due, as far as one turn's part goes; has a later turn go on with the rest. */
  #flushSome(onlyFresh: boolean, nowMs: number): void {
    if (this.#isClosed) return;
    this.#takeNews(nowMs);
    const untilMs = nowMs + (this.#service.isBehind ? MAX_BEHIND_TURN_MS : MAX_TURN_MS);
    for (let wakesLeft = MAX_WAKES_A_TURN; wakesLeft > 0 && nowMs < untilMs && !this.#isClosed;) {
      const feed = this.#takeDue(onlyFresh);
      if (feed === undefined) break;
      const flush = this.#underWay.get(feed) ?? this.#start(feed, nowMs);
      const limit = Math.min(wakesLeft, MAX_WAKES_IN_A_ROW);
      wakesLeft -= limit - wakeSome(flush, limit, nowMs);
      const endMs = this.#clock();
      flush.tookMs += endMs - nowMs;
      nowMs = endMs;
      if (flush.next.done) this.#end(feed, flush, nowMs);
      else this.#due.add(feed);
    }
    if (this.#due.size === 0 || this.#isLaterDue || this.#isClosed) return;
    this.#isLaterDue = true;
    this.#loop.call(this.#goOn);
  }

  /** Takes who is flushed next; if `onlyFresh`, of those of whom nobody was woken yet. */
  #takeDue(onlyFresh: boolean): Flushable | undefined {
    for (const feed of this.#due) {
      if (onlyFresh && this.#underWay.has(feed)) continue;
      this.#due.delete(feed);
      return feed;
    }
  }

  #start(feed: Flushable, nowMs: number): Flush {
    const readers = feed.startFlush(nowMs)[Symbol.iterator]();
    const flush = { readers, next: readers.next(), tookMs: 0, hasNews: false, hasPatientNews: false };
    this.#underWay.set(feed, flush);
    return flush;
  }

  #end(feed: Flushable, { tookMs, hasNews, hasPatientNews }: Flush, nowMs: number): void {
    this.#underWay.delete(feed);
    feed.patientUntilMs = nowMs + Math.min(tookMs / PATIENT_SHARE - tookMs, MAX_PATIENCE_MS);
    this.#budget.spend(feed, tookMs, this.#service.isBehind, nowMs);
    if (hasNews) this.#schedule(feed, nowMs);
    else if (hasPatientNews) this.#putOff(feed, nowMs);
  }
}

/** Wakes up to `limit` readers, and says how many fewer there were. */
function wakeSome(flush: Flush, limit: number, nowMs: number): number {
  while (limit > 0 && !flush.next.done) {
    flush.next.value.wake(nowMs);
    flush.next = flush.readers.next();
    limit--;
  }
  return limit;
}
