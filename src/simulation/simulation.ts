// A bad network on purpose: when what a member is sent would arrive over a line with delay, jitter, spikes, a
// limited rate, stalls and cuts. Everything arrives in order, as over TCP. Pure: the caller passes time, and
// asks how far the member may read by now.
//
//   what is new at 0 ms, 10 ms, 20 ms     ──▶ due at 80, 95, 101: a cursor may go no farther than what is due
//   offset          100   250    300

import type { SimulationOptions } from "./parse_simulation.ts";

/** How far a member may read. */
export interface Reach {
  /** Up to this offset of the log. */
  offset: number;
  /** Up to this version of the state. */
  stateVersion: number;
  /** So many of its replies, counted from the first. */
  replies: number;
}

/** One member's line. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  #reach: Reach;
  #noted: Reach;
  // What is on its way, in the order of arrival.
  #underway: { dueAt: number; reach: Reach }[] = [];
  #lastDueAt = -Infinity;
  #freeAt = -Infinity;
  #spikeAt: number;
  #stallAt: number;
  /** When the connection breaks, in ms of the caller's clock. */
  readonly cutAt: number;

  /** @param start what the member has or may read at once */
  constructor(options: SimulationOptions, start: Reach, nowMs: number) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
    this.#reach = this.#noted = start;
    this.#spikeAt = nowMs + this.#interval(options.spikeEveryMs);
    this.#stallAt = nowMs + this.#interval(options.stallEveryMs);
    this.cutAt = nowMs + this.#interval(options.cutEveryMs);
  }

  /** Puts on its way what is new at `nowMs`: all up to `reach`. */
  note(reach: Reach, nowMs: number): void {
    const { offset, stateVersion, replies } = this.#noted;
    if (reach.offset === offset && reach.stateVersion === stateVersion && reach.replies === replies) return;
    this.#underway.push({ dueAt: this.#arrivalOf(reach.offset - offset, nowMs), reach });
    this.#noted = reach;
  }

  /** Says how far the member may read at `nowMs`. */
  reach(nowMs: number): Reach {
    let arrived = 0;
    for (; arrived < this.#underway.length && this.#underway[arrived].dueAt <= nowMs; arrived++) {
      this.#reach = this.#underway[arrived].reach;
    }
    if (arrived > 0) this.#underway.splice(0, arrived);
    return this.#reach;
  }

  /** When the next thing arrives, in ms; undefined if nothing is on its way. */
  get nextDueAt(): number | undefined {
    return this.#underway[0]?.dueAt;
  }

  #arrivalOf(bytes: number, nowMs: number): number {
    const { delayMs, jitterMs, spikeMs, spikeEveryMs, bytesPerSecond, stallMs, stallEveryMs } = this.#options;
    // Sent one after the other, each as long as its bytes take; then each on its own way, but none before the one sent earlier.
    this.#freeAt = Math.max(this.#freeAt, nowMs) + bytes / bytesPerSecond * 1000;
    let dueAt = this.#freeAt + Math.max(0, delayMs + jitterMs * (2 * this.#random() - 1));
    if (nowMs >= this.#spikeAt) {
      dueAt += spikeMs;
      this.#spikeAt = nowMs + this.#interval(spikeEveryMs);
    }
    while (dueAt >= this.#stallAt + stallMs) this.#stallAt += stallMs + this.#interval(stallEveryMs);
    if (dueAt >= this.#stallAt) dueAt = this.#stallAt + stallMs;
    return this.#lastDueAt = Math.max(this.#lastDueAt, dueAt);
  }

  /** Draws a time until the next event of a Poisson process. */
  #interval(meanMs: number): number {
    return meanMs === Infinity ? Infinity : -Math.log(1 - this.#random()) * meanMs;
  }
}

/** Makes numbers in [0, 1) that look random (Tommy Ettinger's Mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
