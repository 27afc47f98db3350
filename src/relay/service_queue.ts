// Who is served when: the order in which a relay deals with what its clients send, so that none makes another
// one wait, whatever it sends and however many do. Times only; it knows neither sockets nor lines.
//
//   turn of the event loop                       turn                           turn
//   ├ A, B, C say something: served at once ┤ ─▶ ├ D: at once ┤├ A: a part ┤ ─▶ ├ C: a part ┤ ─▶ …
//     A and C have more to say than there         when those who come have had their time, they wait, too:
//     is time for: they wait, and are not         those with little first, then who says hello and who has
//     read                                        much, by turns

import type { EventLoop } from "./event_loop.ts";

/**
 * How long one client is served before it is another one's turn, in ms: about what checking and passing on 64
 * KiB takes.
 */
const PART_MS = 0.5;

/**
 * How long one with little is served where others with little wait, in ms: several times what a program says
 * in a frame takes. Who needs more has much to be dealt with, in however few bytes, the next time, too.
 */
const LITTLE_PART_MS = 0.1;

/**
 * How long those with little are served between two looks at the sockets, in ms: at once, whoever fills the
 * turn with much…
 */
const LITTLE_MS = 2;

/** …and so long those with more: one of them for a whole part, or several who need less. */
const MORE_MS = 0.5;

/** A turn that took longer than this, in ms, is told. */
const SLOW_TURN_MS = 50;

/**
 * How long dealing with a client has taken lately: a part was enough, or it was not. "rest": it has not ended
 * yet.
 */
export type Demand = "little" | "much" | "rest";

/** Who is served: a connection that has something to be dealt with. */
export interface Served {
  /** How long it takes, as far as its queue has seen: "little" at first. Set by the queue. */
  demand: Demand;
  /** Goes on until `untilMs`, or a little longer; returns whether it wants to go on in a later turn. */
  serve(untilMs: number): boolean;
  /** Is told that a turn took `turnMs` ms, and that no other client had a larger part in it: `ownMs`. */
  onSlowTurn(turnMs: number, ownMs: number): void;
}

/** What a client has to be dealt with, as far as that can be told beforehand. */
export type Amount =
  /** What a program says in a frame. */
  | "little"
  /** A hello, or what comes with it: few bytes, but the answer is long. A thousand may come at once. */
  | "hello"
  | "much";

/** From this size on, in bytes, a chunk is much to be dealt with: what a program says in a frame is less. */
const MUCH_BYTES = 4 * 1024;

/** Says what a client has to be dealt with, as far as the size of a chunk tells. */
export function amountOf(chunkBytes: number): Amount {
  return chunkBytes < MUCH_BYTES ? "little" : "much";
}

/** Deals out the time of a relay, a part to each of its clients, until its loop is closed. */
export class ServiceQueue {
  readonly #clock: () => number;
  readonly #loop: EventLoop;
  /** Who waits. */
  readonly #waiting: Record<Amount, Served[]> = { little: [], hello: [], much: [] };
  /** Who of those with more than little comes next, if somebody waits there. */
  #next: "hello" | "much" = "hello";
  #isTurnDue = false;
  /** Whether a turn is under way in which somebody was served. */
  #isInTurn = false;
  #startedMs = 0;
  /** How long those were served since the last look at the sockets who came with little, and with more. */
  #littleMs = 0;
  #moreMs = 0;
  /** Who was served longest in it. */
  #most: Served | undefined;
  #mostMs = 0;

  /** @param clock tells the time in ms; never goes back */
  constructor(clock: () => number, loop: EventLoop) {
    this.#clock = clock;
    this.#loop = loop;
  }

  /** Serves one of whom something was read at `nowMs`, in this turn: at once, if the turn has time left. */
  serve(served: Served, nowMs: number, amount: Amount): void {
    this.#serve(served, nowMs, amount, true);
  }

  /** Serves one with little who has waited for something else, of whom nothing was read in this turn. */
  serveAgain(served: Served, nowMs: number): void {
    this.#serve(served, nowMs, "little", false);
  }

  #serve(served: Served, nowMs: number, amount: Amount, isRead: boolean): void {
    if (amount === "little" && served.demand !== "little") amount = "much";
    const isLittle = amount === "little", isFirst = !this.#isInTurn;
    if (isFirst) this.#startTurn(nowMs);
    if (isLittle ? this.#littleMs < LITTLE_MS : this.#moreMs < MORE_MS) {
      if (isFirst && isRead) this.#loop.noteLook(nowMs);
      const tookMs = this.#serveOne(served, nowMs) - nowMs;
      if (isLittle) this.#littleMs += tookMs;
      else this.#moreMs += tookMs;
    } else this.#waiting[amount].push(served);
    this.#plan();
  }

  /** Whether clients wait who have said something: there is more to do than time for it. */
  get isBehind(): boolean {
    const { little, hello, much } = this.#waiting;
    return little.length + hello.length + much.length > 0;
  }

  /** Has the end of this turn noticed, and who waits served in the next one. */
  #plan(): void {
    if (!this.#isInTurn) {
      this.#isInTurn = true;
      this.#loop.atTurnEnd(this.#endTurn);
    }
    if (this.#isTurnDue || !this.isBehind) return;
    this.#isTurnDue = true;
    this.#loop.call(this.#serveWaiting);
  }

  readonly #serveWaiting = (): void => {
    this.#isTurnDue = false;
    this.#littleMs = this.#moreMs = 0;
    let nowMs = this.#clock();
    if (!this.#isInTurn) this.#startTurn(nowMs);
    const startedMs = nowMs;
    const { little } = this.#waiting;
    while (little.length > 0 && this.#littleMs < LITTLE_MS) {
      nowMs = this.#serveOne(little.shift()!, nowMs, LITTLE_PART_MS);
      this.#littleMs = nowMs - startedMs;
    }
    // One of these in any case: the others must not keep it waiting for ever.
    const untilMs = Math.max(startedMs + MORE_MS, nowMs), fromMs = nowMs;
    do {
      const served = this.#takeNext();
      if (served === undefined) break;
      nowMs = this.#serveOne(served, nowMs);
      this.#moreMs = nowMs - fromMs;
    } while (nowMs < untilMs);
    this.#plan();
  };

  /** Takes who comes next of those with more than little: a hello, then one with much. */
  #takeNext(): Served | undefined {
    const other = this.#next === "hello" ? "much" : "hello";
    const served = this.#waiting[this.#next].shift() ?? this.#waiting[other].shift();
    this.#next = other;
    return served;
  }

  /** Serves one for a part; returns the time. */
  #serveOne(served: Served, nowMs: number, partMs = PART_MS): number {
    const isUnfinished = served.serve(nowMs + partMs);
    if (isUnfinished) this.#waiting.much.push(served);
    const endMs = this.#clock();
    // What took long all at once may have been interrupted by the machine: that says nothing of the client.
    if (isUnfinished) served.demand = "rest";
    else if (served.demand === "rest") served.demand = "much";
    else if (endMs - nowMs <= LITTLE_PART_MS) served.demand = "little";
    if (endMs - nowMs > this.#mostMs) {
      this.#mostMs = endMs - nowMs;
      this.#most = served;
    }
    return endMs;
  }

  #startTurn(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#mostMs = 0;
    this.#most = undefined;
  }

  readonly #endTurn = (nowMs: number): void => {
    this.#isInTurn = false;
    const tookMs = nowMs - this.#startedMs;
    if (tookMs > SLOW_TURN_MS) this.#most?.onSlowTurn(tookMs, this.#mostMs);
    this.#startTurn(0);
    // Where some wait, all the sockets that were ready at the last look may not have been read yet: one quota
    // for them all.
    if (!this.isBehind) this.#littleMs = this.#moreMs = 0;
  };
}
