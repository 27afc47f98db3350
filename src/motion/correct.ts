// Takes back a wrong guess without a jump: what was drawn and what is now believed are blended over a short while.
// Knows neither samples nor clocks; the caller says when. Used by the blending and the interpolating mover.

import type { Motion } from "./types.ts";

/** The longest time a correction takes, in milliseconds; a larger error is made good faster instead. */
export const MAX_BLEND_MS = 3_000;

/** How long it takes at most to turn from the drawn velocity to the believed one, in milliseconds. */
export const MAX_TURN_MS = 66;

/** A velocity that changes by more than this share of the top speed is a bounce or a stop, and no turn to be smoothed. */
const BOUNCE_SHARE = 0.3;

/** How far ahead the believed velocity is looked at, in milliseconds: an interval, until the next sample decides anew. */
export const LOOK_AHEAD_MS = 100;

/**
 * How much faster than its recent top speed a correction may move the object. An object seen to move much faster than
 * it ever does looks wrong; half as fast again still passes for a hurry.
 */
export const HURRY = 0.5;

/**
 * Blends what was drawn into what is believed now: projective velocity blending (C. Murphy, "Believable dead
 * reckoning for networked games", Game Engine Gems 2, 2011).
 *
 * With `P₀, V₀` as drawn at the update, `P₀', V₀'` as believed at that moment and `T̂ = t / T_Δ`, Murphy draws
 * `Q = P + (P' - P) T̂`, where `P' = P₀' + V₀' t + ½ A₀' t²`, `P = P₀ + V_b t + ½ A₀' t²` and
 * `V_b = V₀ + (V₀' - V₀) T̂`. The difference to the belief is all that must be stored, so any prediction can
 * stand for P': `Q - P' = (P₀ - P₀') (1 - T̂) + (V₀ - V₀') t (1 - T̂)²`.
 *
 * Place and velocity have a T_Δ each here. That of the place follows from the error: the shortest in which the object
 * moves no faster than {@linkcode HURRY} above its recent top speed. That of the velocity is the same, but at most
 * {@linkcode MAX_TURN_MS}, and none after a bounce: a ball should not be drawn into a wall that it is known to have left.
 */
export class Correction {
  readonly #offset: number[] = [];
  readonly #slip: number[] = [];
  #startMs = 0;
  #durationMs = 0;
  #turnMs = 0;
  readonly #hurry: number;
  readonly #blendMs: number | undefined;

  /**
   * Makes a correction of nothing.
   *
   * @param hurry how much faster than its top speed a correction may move the object.
   * @param blendMs a fixed duration for place and velocity in milliseconds, which is Murphy's formula as published.
   */
  constructor(hurry: number = HURRY, blendMs?: number) {
    this.#hurry = hurry;
    this.#blendMs = blendMs;
  }

  /**
   * Starts over from what is drawn towards what is believed.
   *
   * @param drawnMs when the object was drawn last: the way from there to the next drawing is part of the correction, or each
   * update would take effect a frame late.
   * @param soonVel the velocity that is believed to be reached soon.
   * @param topSpeed the highest speed of late, in units per second.
   */
  begin(
    drawnMs: number,
    drawn: Motion,
    believed: Motion,
    soonVel: readonly number[],
    topSpeed: number,
  ): void {
    let slip = 0;
    for (let d = 0; d < believed.pos.length; d++) {
      this.#offset[d] = drawn.pos[d] - believed.pos[d];
      this.#slip[d] = drawn.vel[d] - believed.vel[d];
      slip += this.#slip[d] * this.#slip[d];
    }
    this.#startMs = drawnMs;
    slip = Math.sqrt(slip);
    const bounced = slip > BOUNCE_SHARE * topSpeed;
    // Turning from one velocity to the other overshoots by a third of their difference: the least slope of t (1 - t)².
    const limit = (1 + this.#hurry) * topSpeed - (bounced ? 0 : slip / 3);
    this.#durationMs = this.#blendMs ?? Math.max(
      this.#shortestMs(drawn.vel, limit),
      this.#shortestMs(believed.vel, limit),
      this.#shortestMs(soonVel, limit),
    );
    this.#turnMs = this.#blendMs ?? (bounced ? 0 : Math.min(this.#durationMs, MAX_TURN_MS));
  }

  /**
   * Gives the time in which the offset can be made good: the smallest T with `|V' - offset / T| ≤ limit`, whose
   * inverse is the larger root of a quadratic equation.
   */
  #shortestMs(vel: readonly number[], limit: number): number {
    let error = 0, along = 0, speed = 0;
    for (let d = 0; d < vel.length; d++) {
      error += this.#offset[d] * this.#offset[d];
      along += this.#offset[d] * vel[d];
      speed += vel[d] * vel[d];
    }
    if (error === 0) return 0;
    const perSecond = (along + Math.sqrt(along * along + error * Math.max(0, limit * limit - speed))) / error;
    return Math.min(MAX_BLEND_MS, 1000 / perSecond);
  }

  /** Drops what is left of the correction: the next drawing is the belief itself. */
  end(): void {
    this.#durationMs = 0;
  }

  /** Adds what is left of the correction to a believed position and velocity, in place. */
  apply(nowMs: number, pos: number[], vel: number[]): void {
    const sinceMs = Math.max(0, nowMs - this.#startMs);
    if (!(sinceMs < this.#durationMs)) return;
    const left = 1 - sinceMs / this.#durationMs;
    const turn = sinceMs < this.#turnMs ? 1 - sinceMs / this.#turnMs : 0;
    const slipped = turn * turn * sinceMs / 1000;
    for (let d = 0; d < pos.length; d++) {
      pos[d] += this.#offset[d] * left + this.#slip[d] * slipped;
      vel[d] += this.#slip[d] * turn;
    }
  }
}
