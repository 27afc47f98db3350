// An event loop whose time is made up: work takes as long as it says, and hours pass at once. For whatever
// takes a clock, timers and turns.

import type { Timer, Timers } from "../../src/relay/timers.ts";

interface Due {
  at: number;
  callback: () => void;
}

/** The clock, the timers and the turns. */
export class SimulatedLoop {
  nowMs = 0;
  /** How many turns there were in which something was to be done. */
  turnCount = 0;
  readonly #timersLateMs: number;
  readonly #due = new Map<number, Due>();
  readonly #running = new Set<number>();
  #immediates: ((nowMs: number) => void)[] = [];
  #lastId = 0;

  /** @param timersLateMs how much later than they are told timers fire, as real ones do */
  constructor(timersLateMs = 0) {
    this.#timersLateMs = timersLateMs;
  }

  readonly clock = (): number => this.nowMs;

  readonly timers: Timers = {
    setTimeout: (callback, ms) => {
      const id = this.#add(this.nowMs + ms + this.#timersLateMs, callback);
      this.#running.add(id);
      return id as unknown as Timer;
    },
    clearTimeout: (timer) => this.#take(timer as unknown as number),
  };

  /** Whether clients wait, as a test wants. */
  readonly service = { isBehind: false };

  /** A loop that looks at its sockets in every turn. */
  readonly loop = {
    isBusy: () => false,
    atTurnEnd: (callback: (nowMs: number) => void) => void this.#immediates.push(callback),
    call: (callback: () => void) => void this.#immediates.push(callback),
  };

  /** How many timers are running; what a test itself planned doesn't count. */
  get running(): number {
    return this.#running.size;
  }

  /** Has something happen at a time, or as soon after it as the loop is free. */
  at(atMs: number, callback: () => void): void {
    this.#add(atMs, callback);
  }

  /** Work is being done: time goes by. */
  spend(ms: number): void {
    this.nowMs += ms;
  }

  /** Goes through one turn: what is due by now, and then what was put off to the end of the turn. */
  turn(): void {
    const startMs = this.nowMs;
    for (let next = this.#next(); next !== undefined && next[1].at <= startMs; next = this.#next()) {
      this.#take(next[0]);
      next[1].callback();
    }
    const immediates = this.#immediates;
    this.#immediates = [];
    if (immediates.length > 0) this.turnCount++;
    for (const callback of immediates) callback(this.nowMs);
  }

  /** Goes on for `ms`, turn by turn. */
  run(ms: number): void {
    for (const untilMs = this.nowMs + ms;;) {
      this.turn();
      if (this.#immediates.length > 0) continue;
      const next = this.#next();
      if (next === undefined || next[1].at > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.nowMs = Math.max(this.nowMs, next[1].at);
    }
  }

  #add(at: number, callback: () => void): number {
    this.#due.set(++this.#lastId, { at, callback });
    return this.#lastId;
  }

  #take(id: number): void {
    this.#due.delete(id);
    this.#running.delete(id);
  }

  #next(): [number, Due] | undefined {
    let first: [number, Due] | undefined;
    for (const each of this.#due) if (first === undefined || each[1].at < first[1].at) first = each;
    return first;
  }
}
