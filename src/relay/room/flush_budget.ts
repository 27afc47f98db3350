// How much of the core flushes may take, and who waits when they have taken more: a budget of time that fills
// steadily, with a share of it for each feed. Knows no timers and wakes nobody.
//
// The model is interrupt moderation, whose question is the same: go now, or gather. Linux's net_dim
// (Documentation/networking/net_dim.rst) samples what goes through and tries profiles step by step, as a
// driver can't know what an interrupt costs. What a flush costs is measured here, so there is nothing to try
// and nothing that swings: it is a quota that may be saved up for a period, as for a group of processes
// (Documentation/scheduler/sched-bwc.rst), but paid after the work, by as long a pause as fills it again.

/**
 * The share of a core that flushes may take: nearly all of it, since a turn of the event loop gathers by
 * itself what comes while the one before is written. A pause saves CPU time and costs latency, so it is the
 * last resort (measured with a lecture hall and a crowd: with 0.62 they took 15 % less of the core, and had
 * twice the p99). What flushes take is seen from outside, in time that goes by: where others want the core
 * too it takes longer, and the pauses come earlier.
 */
export const FLUSH_SHARE = 0.9;

/** The share while clients wait for what they have said to be read: each flush less is time for them. */
export const BEHIND_SHARE = 0.2;

/**
 * For so long, in ms, the share may be saved up: who took nothing has a period of it at hand and waits for
 * nobody.
 */
const PERIOD_MS = 100;

/**
 * What a feed owes is at most worth a pause that makes up for its last flush, and so many ms more for those
 * before.
 */
const MAX_DEBT_MS = 5;

/**
 * A flush that took so many times as long as those of its feed usually do was interrupted: the rest is not
 * its own.
 */
const MAX_TIMES_USUAL = 2;

/** …or so much longer, in ms: short ones vary. */
const MAX_ABOVE_USUAL_MS = 0.25;

/** The part of a new flush in what is usual. */
const USUAL_SHARE = 1 / 8;

/**
 * What one feed may spend, or all together: full at first, grows with the time, up to a period's worth; below
 * zero after more was spent than there was.
 */
export class FlushAccount {
  /** The period in which it was last used. */
  period = -1;
  /** What it took in that period, in ms. */
  periodMs = 0;
  #usualMs: number | undefined;
  #balanceMs = 0;
  #atMs = -Infinity;

  /** Says how long it takes until something may be spent, in ms; less than 0 if it may be already. */
  waitMs(share: number, nowMs: number): number {
    this.#fill(share, nowMs);
    return -this.#balanceMs / share;
  }

  /** Takes `tookMs` off; no more is owed than is worth a wait of `maxWaitMs`. */
  spend(tookMs: number, share: number, maxWaitMs: number, nowMs: number): void {
    this.#fill(share, nowMs);
    this.#balanceMs = Math.max(this.#balanceMs - tookMs, -maxWaitMs * share);
  }

  /** Says what of the time that a flush took is its own: not what the machine did meanwhile. */
  ownMs(tookMs: number): number {
    const usualMs = this.#usualMs ?? tookMs;
    const ownMs = Math.min(tookMs, MAX_TIMES_USUAL * usualMs + MAX_ABOVE_USUAL_MS);
    this.#usualMs = usualMs + USUAL_SHARE * (ownMs - usualMs);
    return ownMs;
  }

  #fill(share: number, nowMs: number): void {
    this.#balanceMs = Math.min(this.#balanceMs + (nowMs - this.#atMs) * share, share * PERIOD_MS);
    this.#atMs = nowMs;
  }
}

/**
 * The time that flushes may take, for all feeds of a relay. Times are of one clock that never goes back, in
 * ms.
 */
export class FlushBudget {
  readonly #all = new FlushAccount();
  readonly #startMs: number;
  #period = 0;
  /**
   * How many parts feeds have taken in this period and in the one before: who takes little takes a fraction
   * of one.
   */
  #parts = 0;
  #partsBefore = 0;

  /** @param nowMs when its first period begins */
  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  /**
   * Says how long the next flush of a feed is to be put off, in ms: 0 while all feeds together stay within
   * the budget, and for one that stays within its own part, which is the budget divided by how many have
   * taken as much lately: those who take little leave the rest of theirs to others. `isBehind` says whether
   * clients wait to be served.
   */
  waitMs(account: FlushAccount, isBehind: boolean, nowMs: number): number {
    const share = isBehind ? BEHIND_SHARE : FLUSH_SHARE;
    const waitMs = this.#all.waitMs(share, nowMs);
    if (waitMs <= 0) return 0;
    return Math.max(0, Math.min(waitMs, account.waitMs(share / this.#partCount(nowMs), nowMs)));
  }

  /**
   * Takes what the flush of a feed took, which has just ended, off the budget; of one that was interrupted,
   * by other programs or a collection of garbage, a few times what its flushes usually take.
   */
  spend(account: FlushAccount, elapsedMs: number, isBehind: boolean, nowMs: number): void {
    const shareOfAll = isBehind ? BEHIND_SHARE : FLUSH_SHARE;
    const share = shareOfAll / this.#partCount(nowMs);
    const tookMs = account.ownMs(elapsedMs);
    this.#countPart(account, tookMs, shareOfAll);
    account.spend(tookMs, share, tookMs / share - tookMs + MAX_DEBT_MS, nowMs);
    this.#all.spend(tookMs, shareOfAll, PERIOD_MS, nowMs);
  }

  /** Counts the parts of this period and of the one before, whichever were more. */
  #partCount(nowMs: number): number {
    this.#turnPeriod(nowMs);
    return Math.max(1, this.#parts, this.#partsBefore);
  }

  #countPart(account: FlushAccount, tookMs: number, shareOfAll: number): void {
    if (account.period !== this.#period) account.periodMs = 0;
    account.period = this.#period;
    const partMs = shareOfAll * PERIOD_MS / Math.max(1, this.#partsBefore);
    const before = Math.min(1, account.periodMs / partMs);
    account.periodMs += tookMs;
    this.#parts += Math.min(1, account.periodMs / partMs) - before;
  }

  #turnPeriod(nowMs: number): void {
    const period = Math.floor((nowMs - this.#startMs) / PERIOD_MS);
    if (period === this.#period) return;
    this.#partsBefore = period === this.#period + 1 ? this.#parts : 0;
    this.#parts = 0;
    this.#period = period;
  }
}
