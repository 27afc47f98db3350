// Takes back a wrong guess without a jump: what is drawn glides to what is believed. Two ways to do so, both
// asked once a frame. Knows neither samples nor what a belief is made of; the caller says when it has
// changed.

import { type Motion, vector } from "./types.ts";

/**
 * The time in which an error falls to 37 % where no speed limit holds it up, in milliseconds: more is calmer.
 */
export const SETTLE_MS = 40;

/** The time in which an error falls to 37 % however slow the object has been, in milliseconds. */
export const MAX_SETTLE_MS = 2_000;

/**
 * How much faster than its recent top speed a correction may move the object. An object seen to move much
 * faster than it ever does looks wrong; half as fast again still passes for a hurry.
 */
export const HURRY = 0.5;

/**
 * How many seconds at its top speed the object may be away from where it is drawn; what is further off is no
 * error but a leap, and drawn at once.
 */
export const LEAP_SECONDS = 2;

/** A position and a velocity. */
export type Place = Pick<Motion, "pos" | "vel">;

/** Turns what is believed into what is drawn, frame by frame. */
export interface Glide {
  /** When the object was drawn last, in milliseconds; NaN if nothing is to be made good. */
  readonly lastMs: number;
  /**
   * Says where the object is now believed to have been at `lastMs`; `topSpeed` in units per second. Of no
   * effect, and `believed` may hold anything, if that is NaN.
   */
  correct(believed: Place, topSpeed: number): void;
  /** Says that the object appeared where it is believed to be: it is drawn there at once. */
  snap(): void;
  /** Says that the clock reads this many milliseconds more from now on. */
  shift(ms: number): void;
  /** Changes a believed position and velocity into those to draw, in place. */
  apply(nowMs: number, pos: number[], vel: number[]): void;
}

/**
 * Follows the belief as fast as looks natural: the error shrinks by `exp(-passed / SETTLE_MS)` with each
 * frame, but the object moves no faster than {@linkcode HURRY} above its top speed. So small errors melt
 * away, and large ones are made good in a straight line at full speed, which is the fastest way without a
 * jump.
 *
 * The exponential part is the visual smoothing of G. Fiedler, "State synchronization" (Gaffer on Games,
 * 2015). An object that was never seen to move has no top speed, and only that part holds.
 */
export class Pursuit implements Glide {
  /** What was drawn last, and when. */
  #pos: number[] = [];
  #lastMs = NaN;
  /** How far that was from what is believed. */
  #error: number[] = [];
  #topSpeed = 0;
  readonly #hurry: number;
  readonly #leapSeconds: number;

  /**
   * @param hurry how much faster than its top speed the object may be drawn.
   * @param leapSeconds an error of so many seconds at top speed is not made good but forgotten; default none
   * is.
   */
  constructor(hurry: number = HURRY, leapSeconds: number = Infinity) {
    this.#hurry = hurry;
    this.#leapSeconds = leapSeconds;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  correct(believed: Place, topSpeed: number): void {
    let squaredError = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      this.#error[d] = this.#pos[d] - believed.pos[d];
      squaredError += this.#error[d] * this.#error[d];
    }
    this.#topSpeed = topSpeed;
    if (topSpeed > 0 && squaredError > (this.#leapSeconds * topSpeed) ** 2) this.snap();
  }

  snap(): void {
    this.#lastMs = NaN;
  }

  shift(ms: number): void {
    this.#lastMs += ms;
  }

  apply(nowMs: number, pos: number[], vel: number[]): void {
    const seconds = Math.max(0, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    if (Number.isNaN(seconds)) return this.#begin(pos);

    const left = Math.exp(-1000 * seconds / SETTLE_MS);
    let squaredWay = 0, squaredSpeed = 0;
    for (let d = 0; d < pos.length; d++) {
      squaredWay += (pos[d] + this.#error[d] * left - this.#pos[d]) ** 2;
      squaredSpeed += vel[d] * vel[d];
    }
    const topSpeed = this.#topSpeed;
    // The belief itself may be faster than any sample was, as with the program's own model.
    const limit = (1 + this.#hurry) * Math.sqrt(Math.max(topSpeed * topSpeed, squaredSpeed)) * seconds;
    const share = topSpeed > 0 && squaredWay > limit * limit
      ? this.#limitedShare(limit, Math.sqrt(squaredWay), seconds)
      : 1;
    for (let d = 0; d < pos.length; d++) {
      const drawn = this.#pos[d] + (pos[d] + this.#error[d] * left - this.#pos[d]) * share;
      this.#error[d] = drawn - pos[d];
      this.#pos[d] = drawn;
      pos[d] = drawn;
    }
  }

  #begin(pos: readonly number[]): void {
    if (this.#pos.length !== pos.length) {
      this.#pos = vector(pos.length);
      this.#error = vector(pos.length);
    }
    for (let d = 0; d < pos.length; d++) {
      this.#pos[d] = pos[d];
      this.#error[d] = 0;
    }
  }

  /** Gives the share of the wanted way that an object may go that is held up by its limit. */
  #limitedShare(limit: number, way: number, seconds: number): number {
    let squaredError = 0;
    for (const error of this.#error) squaredError += error * error;
    const least = Math.sqrt(squaredError) * seconds * 1000 / MAX_SETTLE_MS;
    return Math.min(1, Math.max(limit, least) / way);
  }
}

/**
 * Projective velocity blending over a fixed time: C. Murphy, "Believable dead reckoning for networked games"
 * (Game Engine Gems 2, 2011).
 *
 * With `P₀, V₀` as drawn at the update, `P₀', V₀'` as believed at that moment and `T̂ = t / T_Δ`, Murphy
 * draws `Q = P + (P' - P) T̂`, where `P' = P₀' + V₀' t + ½ A₀' t²`, `P = P₀ + V_b t + ½ A₀' t²` and
 * `V_b = V₀ + (V₀' - V₀) T̂`. The difference to the belief is all that must be stored, so any prediction can
 * stand for P': `Q - P' = (P₀ - P₀') (1 - T̂) + (V₀ - V₀') t (1 - T̂)²`.
 */
export class ProjectiveBlending implements Glide {
  /** What was drawn last, and when. */
  #pos: number[] = [];
  #vel: number[] = [];
  #lastMs = NaN;
  /** How far off that was at the last correction, and when it was drawn. */
  #error: number[] = [];
  #slip: number[] = [];
  #startMs = 0;
  readonly #blendMs: number;
  readonly #leapSeconds: number;

  /**
   * @param blendMs how long taking back an error takes, T_Δ, in milliseconds.
   * @param leapSeconds an error of so many seconds at top speed is not made good but forgotten; default none
   * is.
   */
  constructor(blendMs: number, leapSeconds: number = Infinity) {
    this.#blendMs = blendMs;
    this.#leapSeconds = leapSeconds;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  correct(believed: Place, topSpeed: number = 0): void {
    this.#startMs = this.#lastMs;
    let squaredError = 0, squaredSlip = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      this.#error[d] = this.#pos[d] - believed.pos[d];
      this.#slip[d] = this.#vel[d] - believed.vel[d];
      squaredError += this.#error[d] * this.#error[d];
      squaredSlip += this.#slip[d] * this.#slip[d];
    }
    // A velocity that is wrong leads as far in a second as a position that is wrong by so much.
    const squaredLeap = (this.#leapSeconds * topSpeed) ** 2;
    if (topSpeed > 0 && Math.max(squaredError, squaredSlip) > squaredLeap) this.snap();
  }

  snap(): void {
    this.#lastMs = NaN;
  }

  shift(ms: number): void {
    this.#lastMs += ms;
    this.#startMs += ms;
  }

  apply(nowMs: number, pos: number[], vel: number[]): void {
    const isFirst = Number.isNaN(this.#lastMs);
    this.#lastMs = nowMs;
    if (isFirst) return this.#begin(pos, vel);

    const sinceMs = Math.max(0, nowMs - this.#startMs);
    const left = sinceMs < this.#blendMs ? 1 - sinceMs / this.#blendMs : 0;
    for (let d = 0; d < pos.length; d++) {
      pos[d] += this.#error[d] * left + this.#slip[d] * sinceMs / 1000 * left * left;
      vel[d] += this.#slip[d] * left;
      this.#pos[d] = pos[d];
      this.#vel[d] = vel[d];
    }
  }

  #begin(pos: readonly number[], vel: readonly number[]): void {
    if (this.#pos.length !== pos.length) {
      this.#pos = vector(pos.length);
      this.#vel = vector(pos.length);
      this.#error = vector(pos.length);
      this.#slip = vector(pos.length);
    }
    this.#startMs = this.#lastMs;
    for (let d = 0; d < pos.length; d++) {
      this.#pos[d] = pos[d];
      this.#vel[d] = vel[d];
      this.#error[d] = 0;
      this.#slip[d] = 0;
    }
  }
}
