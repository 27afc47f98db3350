// Where a feed stands in its flushes, as its flusher notes it down: the feed carries the note, so that the
// flusher has to look nothing up, and reads nothing in it. Nothing happens here.

import type { Timer } from "../timers.ts";
import { FlushAccount } from "./flush_budget.ts";

/** Who is woken by a flush. */
export interface Wakeable {
  /**
   * Is called at `nowMs`, soon after something changed. Must return at once; who is still writing ignores it.
   */
  wake(nowMs: number): void;
}

/** What is flushed: a feed. */
export interface Flushable {
  /** How much was appended since the last flush, in bytes. */
  readonly pendingBytes: number;
  /** What its flusher notes down, from the first news on. */
  flushState?: FlushState;
  /** Begins a flush at `nowMs`, and says who is to be woken. Who comes to these meanwhile need not be. */
  startFlush(nowMs: number): ReadonlySet<Wakeable>;
}

/** A note on one feed. */
export class FlushState {
  /** What it owes of the time for flushes. */
  readonly account = new FlushAccount();
  /** Whether there is news that no flush has taken along, and whether some of it does not wait for other. */
  hasNews = false;
  isUrgent = false;
  /** Whether it is among those who are due, and who comes next there. */
  isDue = false;
  nextDue: FlushState | undefined;
  /** Who is woken next, while a flush is under way, and how many at most; undefined otherwise. */
  readers: Iterator<Wakeable> | undefined;
  readersLeft = 0;
  /** How long that flush took so far, in ms. */
  tookMs = 0;
  /** What it waits for, if it does: the end of a pause, or until news that may wait is looked at. */
  timer: Timer | undefined;
  isPause = false;
  /** From when on news that may wait is flushed, in ms. */
  patientUntilMs = -Infinity;

  constructor(readonly feed: Flushable) {}
}
