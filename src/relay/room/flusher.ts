// When the members of a feed write: at the end of the turn of the event loop that brought news, so that all
// that came in it goes out together; a part of them a turn, if they are many, with a look at the sockets
// between; and after a pause only where the core runs short, as the budget says. News that may wait, who came
// and who left, gathers where a flush takes long.
//
//   turn                 turn          turn           pause               turn
//   ├ news, 100 wakes ┤ ▶ ├ 100 wakes ┤ ▶ ├ 50 wakes ┤ ◀──────────────▶ ├ 100 wakes ┤ ▶ …
//                        └ other feed's news: 4 wakes      ▲ news waits here

import type { Settings } from "../options.ts";
import { FlushBudget } from "./flush_budget.ts";
import { type Flushable, FlushState } from "./flush_state.ts";

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
const MAX_BEHIND_TURN_MS = 0.5;

/**
 * How many readers of a feed are woken before those of the next: a small room doesn't wait until a crowd has
 * all.
 */
export const MAX_WAKES_IN_A_ROW = 4;

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

/** Flushes feeds that have news. */
export class Flusher {
  readonly #clock: () => number;
  readonly #timers: Settings["timers"];
  readonly #service: FlusherSettings["service"];
  readonly #loop: FlusherSettings["loop"];
  readonly #budget: FlushBudget;
  /** Who is due, from the first to the last: to be flushed, to go on with that, or to be looked at. */
  #firstDue: FlushState | undefined;
  #lastDue: FlushState | undefined;
  /** Who waits for the time to be due. */
  readonly #waiting = new Set<FlushState>();
  /** Whether who is due is looked at at the end of this turn. */
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
    const state = feed.flushState ??= new FlushState(feed), isUnderWay = state.readers !== undefined;
    if (state.isDue && !isUnderWay && !state.hasNews) return; // it goes along
    state.hasNews = true;
    if (!mayWait) state.isUrgent = true;
    if (state.isDue || isUnderWay) return;
    this.#add(state);
    this.#askForTurnEnd();
  }

  /** Flushes nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const state of this.#waiting) this.#stopWaiting(state);
  }

  /** Puts a feed behind all who are due. */
  #add(state: FlushState): void {
    if (state.isDue) return;
    state.isDue = true;
    if (this.#lastDue === undefined) this.#firstDue = state;
    else this.#lastDue.nextDue = state;
    this.#lastDue = state;
  }

  /** Takes who is due next; if `onlyFresh`, of those of whom nobody was woken yet. */
  #takeDue(onlyFresh: boolean): FlushState | undefined {
    let before: FlushState | undefined, state = this.#firstDue;
    while (onlyFresh && state?.readers !== undefined) {
      before = state;
      state = state.nextDue;
    }
    if (state === undefined) return undefined;
    if (before === undefined) this.#firstDue = state.nextDue;
    else before.nextDue = state.nextDue;
    if (this.#lastDue === state) this.#lastDue = before;
    state.nextDue = undefined;
    state.isDue = false;
    return state;
  }

  /** Whether a feed with news is flushed now; otherwise it waits, and is due again by then. */
  #takeNews(state: FlushState, nowMs: number): boolean {
    const { isUrgent, account, patientUntilMs } = state;
    state.hasNews = state.isUrgent = false;
    if (!isUrgent) {
      if (state.timer !== undefined) return false;
      if (patientUntilMs - nowMs >= MIN_PAUSE_MS) return this.#wait(state, patientUntilMs - nowMs, false);
    }
    if (state.feed.pendingBytes < FULL_BYTES) {
      if (state.isPause) return false;
      const pauseMs = this.#budget.waitMs(account, this.#service.isBehind, nowMs);
      if (pauseMs >= MIN_PAUSE_MS) return this.#wait(state, pauseMs, true);
    }
    this.#stopWaiting(state);
    return true;
  }

  /** Has a feed wait for the end of a pause, or until news that may wait is looked at. */
  #wait(state: FlushState, ms: number, isPause: boolean): false {
    this.#stopWaiting(state);
    this.#waiting.add(state);
    state.isPause = isPause;
    state.timer = this.#timers.setTimeout(() => {
      this.#stopWaiting(state);
      state.hasNews = state.isUrgent = !isPause; // after a pause it is flushed, whatever comes
      this.#add(state);
      this.#askForTurnEnd();
    }, ms);
    return false;
  }

  #stopWaiting(state: FlushState): void {
    if (state.timer === undefined) return;
    this.#timers.clearTimeout(state.timer);
    this.#waiting.delete(state);
    state.timer = undefined;
    state.isPause = false;
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

  /** Flushes who is due, as far as one turn's part goes; has a later turn go on with the rest. */
  #flushSome(onlyFresh: boolean, nowMs: number): void {
    const untilMs = nowMs + (this.#service.isBehind ? MAX_BEHIND_TURN_MS : MAX_TURN_MS);
    for (let wakesLeft = MAX_WAKES_A_TURN; wakesLeft > 0 && nowMs < untilMs && !this.#isClosed;) {
      const state = this.#takeDue(onlyFresh);
      if (state === undefined) break;
      if (state.readers === undefined) {
        if (state.hasNews && !this.#takeNews(state, nowMs)) continue;
        start(state, nowMs);
      }
      wakesLeft -= wakeSome(state, Math.min(wakesLeft, MAX_WAKES_IN_A_ROW), nowMs);
      const endMs = this.#clock();
      state.tookMs += endMs - nowMs;
      nowMs = endMs;
      if (state.readersLeft === 0) this.#end(state, nowMs);
      if (state.readers !== undefined || state.hasNews) this.#add(state);
    }
    if (this.#firstDue === undefined || this.#isLaterDue || this.#isClosed) return;
    this.#isLaterDue = true;
    this.#loop.call(this.#goOn);
  }

  #end(state: FlushState, nowMs: number): void {
    const { account, tookMs } = state;
    state.readers = undefined;
    state.patientUntilMs = nowMs + Math.min(tookMs / PATIENT_SHARE - tookMs, MAX_PATIENCE_MS);
    this.#budget.spend(account, tookMs, this.#service.isBehind, nowMs);
  }
}

function start(state: FlushState, nowMs: number): void {
  const readers = state.feed.startFlush(nowMs);
  state.readers = readers.values();
  state.readersLeft = readers.size;
  state.tookMs = 0;
}

/** Wakes up to `limit` readers, and says how many these were. */
function wakeSome(state: FlushState, limit: number, nowMs: number): number {
  let woken = 0;
  for (; woken < limit && state.readersLeft > 0; woken++) {
    const { value, done } = state.readers!.next();
    if (done) {
      state.readersLeft = 0; // some have left
      break;
    }
    state.readersLeft--;
    value.wake(nowMs);
  }
  return woken;
}
