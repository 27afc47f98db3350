// A bad network on purpose: when what is sent over a line with delay, jitter, spikes, a limited rate and
// stalls would arrive, and when the line breaks. Everything arrives in order, as over TCP. Pure: the caller
// passes time and keeps the bytes. No step costs more for a longer pause or a larger number.
//
//   sent at 0 ms, 10 ms, 20 ms     ──▶ arrives at 80, 95, 101

import { checkSimulation, type SimulationOptions } from "./parse_simulation.ts";
import { seededRandom } from "./random.ts";

/**
 * How many stalls in a row are drawn one by one; after a longer pause it is drawn where the line stands now.
 */
const MAX_STALLS_DRAWN = 32;

/** When something that is sent is where. */
export interface Passage {
  /** When its last byte has left, and the next thing can be sent. */
  leavesAt: number;
  /** When it arrives. */
  arrivesAt: number;
}

/** One line. Times are in ms of the caller's clock, which never goes back. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  #lastArrivalAt = -Infinity;
  #freeAt = -Infinity;
  #spikeAt: number;
  #stallAt: number;
  /** When the connection breaks; Infinity for never. */
  readonly cutAt: number;

  /**
   * Makes a line that begins at `nowMs`; two with the same options and seed are the same.
   *
   * @throws {TypeError} when an option is missing, or no number from 0 on
   */
  constructor(options: SimulationOptions, nowMs: number) {
    checkSimulation(options);
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#spikeAt = nowMs + this.#interval(options.spikeEveryMs);
    this.#stallAt = options.stallMs > 0 ? nowMs + this.#interval(options.stallEveryMs) : Infinity;
    this.cutAt = nowMs + this.#interval(options.cutEveryMs);
  }

  /** Says from when on the line takes something, asked at `nowMs`: at once, unless it stalls. */
  opensAt(nowMs: number): number {
    const { stallMs } = this.#options;
    return nowMs >= this.#stallAt && nowMs < this.#stallAt + stallMs ? this.#stallAt + stallMs : nowMs;
  }

  /** Sends `bytes` bytes at `nowMs`, behind what was sent before. */
  send(bytes: number, nowMs: number): Passage {
    const { delayMs, jitterMs, spikeMs, spikeEveryMs, bytesPerSecond } = this.#options;
    // Sent one after the other, each as long as its bytes take; then each on its own way, but none before the
    // one sent earlier.
    const leavesAt = this.#freeAt = Math.max(this.#freeAt, nowMs) + bytes / bytesPerSecond * 1000;
    let arrivesAt = leavesAt + Math.max(0, delayMs + jitterMs * (2 * this.#random() - 1));
    if (nowMs >= this.#spikeAt) {
      arrivesAt += spikeMs;
      this.#spikeAt = nowMs + this.#interval(spikeEveryMs);
    }
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#afterStall(arrivesAt));
    return { leavesAt, arrivesAt: this.#lastArrivalAt };
  }

  /** Says when arrives what would do so at `at` without stalls. */
  #afterStall(at: number): number {
    const { stallMs, stallEveryMs } = this.#options;
    for (let drawn = 0; at >= this.#stallAt + stallMs; drawn++) {
      if (drawn === MAX_STALLS_DRAWN) {
        this.#drawStallAround(at);
        break;
      }
      this.#stallAt += stallMs + this.#interval(stallEveryMs);
    }
    return at >= this.#stallAt ? this.#stallAt + stallMs : at;
  }

  /** Draws whether the line stalls at a moment of which nothing is known, or when it does next. */
  #drawStallAround(at: number): void {
    const { stallMs, stallEveryMs } = this.#options;
    const isStalling = this.#random() * (stallMs + stallEveryMs) < stallMs;
    this.#stallAt = isStalling ? at - this.#random() * stallMs : at + this.#interval(stallEveryMs);
  }

  /** Draws a time until the next event of a Poisson process. */
  #interval(meanMs: number): number {
    return meanMs === Infinity ? Infinity : -Math.log(1 - this.#random()) * meanMs;
  }
}
