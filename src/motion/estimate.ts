// What is known of an object at its newest sample: position, velocity, acceleration. Each estimator reads the
// history after every sample and keeps one state that is extrapolated from. No clock, no drawing.
// Used by the movers; `speed`, `history` and `blend` differ in nothing but the estimator and the smoothing.

import type { History, Slot } from "./history.ts";
import { type Kinematics, vector } from "./types.ts";

/** Keeps the state to extrapolate from. */
export interface Estimator {
  /** The state at the newest sample; owned by the estimator, changed by the next `update`. */
  readonly state: Kinematics;
  /** Reads the history after a sample was put at its end. */
  update(history: History): void;
  /** Forgets what went before, as after a teleport. */
  reset(): void;
}

/** Makes a state that nothing is known of yet. */
export function emptyKinematics(): Kinematics {
  return { t: 0, pos: [], vel: [], acc: [], topSpeed: 0 };
}

function setDimensions(state: Kinematics, dims: number): void {
  if (state.pos.length === dims) return;
  state.pos = vector(dims);
  state.vel = vector(dims);
  state.acc = vector(dims);
}

/** Believes that the object stays where it last was. */
export class Held implements Estimator {
  readonly state: Kinematics = emptyKinematics();

  update(history: History): void {
    const slot = history.newest!;
    setDimensions(this.state, slot.pos.length);
    this.state.t = slot.t;
    for (let d = 0; d < slot.pos.length; d++) {
      this.state.pos[d] = slot.pos[d];
      this.state.vel[d] = 0;
      this.state.acc[d] = 0;
    }
  }

  reset(): void {}
}

/**
 * Believes the newest sample: its velocity, and with order 2 its acceleration, sent or taken from the last two
 * velocities. These are the models FPW and FVW of IEEE 1278.1.
 */
export class Newest implements Estimator {
  readonly state: Kinematics = emptyKinematics();
  readonly #order: 1 | 2;

  constructor(order: 1 | 2) {
    this.#order = order;
  }

  update(history: History): void {
    const { slots } = history;
    const slot = history.newest!;
    const before: Slot | undefined = slot.cut ? undefined : slots[slots.length - 2];
    setDimensions(this.state, slot.pos.length);
    this.state.t = slot.t;
    for (let d = 0; d < slot.pos.length; d++) {
      this.state.pos[d] = slot.pos[d];
      this.state.vel[d] = slot.vel[d];
      if (this.#order === 1) this.state.acc[d] = 0;
      else if (slot.hasAcc) this.state.acc[d] = slot.acc[d];
      else if (before === undefined) this.state.acc[d] = 0;
      else this.state.acc[d] = (slot.vel[d] - before.vel[d]) / (slot.t - before.t) * 1000;
    }
  }

  reset(): void {}
}

/** One model that the least squares fit tries: how many samples it takes and how the object may move. */
interface Candidate {
  samples: number;
  /** 1 for constant velocity, 2 for constant acceleration. */
  order: 1 | 2;
  state: Kinematics;
  /** Smoothed square of how far off the fit before a sample was at that sample; Infinity before the first. */
  score: number;
  fitted: boolean;
}

/** The share of the old score that stays when a new error comes in. */
const SCORE_KEPT = 0.7;

/** A model that bends or looks further back must have been this much better (in squared error) to be preferred. */
const SCORE_MARGIN = 0.8;

/**
 * Fits recent samples by least squares and goes on along the fit.
 *
 * Several fits are kept: constant velocity and constant acceleration, over few samples (quick to follow) and over
 * more (less noise). The one is used whose residual at the samples that came after it was smallest, recent ones
 * counting more. A residual inside the fitted samples would favour whatever bends most; the residual at the next
 * sample also finds out, one sample after a bounce, that what looked like a huge acceleration was none.
 *
 * Velocities, where they were sent, take part as rows of their own. Their weight is the mean interval squared: an
 * error in velocity counts as much as the position error it leads to by the next sample.
 */
export class LeastSquares implements Estimator {
  #state: Kinematics = emptyKinematics();
  readonly #withVel: Candidate[] = [candidate(1, 1), candidate(2, 2), candidate(4, 2)];
  readonly #withoutVel: Candidate[] = [candidate(2, 1), candidate(3, 2), candidate(4, 1), candidate(6, 2)];

  get state(): Kinematics {
    return this.#state;
  }

  reset(): void {
    for (const one of this.#withVel) one.fitted = false;
    for (const one of this.#withoutVel) one.fitted = false;
  }

  update(history: History): void {
    const slot = history.newest!;
    const candidates = slot.hasVel ? this.#withVel : this.#withoutVel;
    const available = history.slots.length - history.since();
    let best = candidates[0];
    let bestScore = Infinity;
    for (const one of candidates) {
      if (one.fitted) {
        const error = squaredError(one.state, slot);
        one.score = one.score === Infinity ? error : SCORE_KEPT * one.score + (1 - SCORE_KEPT) * error;
      }
      const samples = one === candidates[0] ? Math.min(one.samples, available) : one.samples;
      one.fitted = samples <= available && fit(history, samples, samples === 1 ? 1 : one.order, one.state);
      const score = one === candidates[0] ? one.score * SCORE_MARGIN : one.score;
      if (one.fitted && score < bestScore) {
        best = one;
        bestScore = score;
      }
    }
    this.#state = best.state;
  }
}

function candidate(samples: number, order: 1 | 2): Candidate {
  return { samples, order, state: emptyKinematics(), score: Infinity, fitted: false };
}

function squaredError(state: Kinematics, slot: Slot): number {
  const T = (slot.t - state.t) / 1000;
  let sum = 0;
  for (let d = 0; d < slot.pos.length; d++) {
    const off = state.pos[d] + state.vel[d] * T + state.acc[d] * T * T / 2 - slot.pos[d];
    sum += off * off;
  }
  return sum;
}

/**
 * Fits `pos + vel s + ½ acc s²` (s: seconds since the newest sample) to the last samples by weighted least squares,
 * solving the normal equations, which are the same for every dimension.
 *
 * @returns false if the samples don't determine it.
 */
export function fit(history: History, samples: number, order: 1 | 2, out: Kinematics): boolean {
  const { slots } = history;
  const from = slots.length - samples;
  const newest = slots[slots.length - 1];
  const t0 = newest.t;
  const dims = newest.pos.length;
  setDimensions(out, dims);
  out.t = t0;
  if (samples === 1) {
    // One sample is its own fit; without a velocity it says where the object is and no more.
    for (let d = 0; d < dims; d++) {
      out.pos[d] = newest.pos[d];
      out.vel[d] = newest.hasVel ? newest.vel[d] : 0;
      out.acc[d] = 0;
    }
    return true;
  }
  const interval = (t0 - slots[from].t) / 1000 / (samples - 1);
  const w = interval * interval;

  // Sums of the rows (1, s, s²/2) for a position and (0, 1, s) for a velocity, multiplied with each other.
  let a00 = 0, a01 = 0, a02 = 0, a11 = 0, a12 = 0, a22 = 0;
  for (let i = from; i < slots.length; i++) {
    const s = (slots[i].t - t0) / 1000;
    const q = s * s / 2;
    a00 += 1;
    a01 += s;
    a02 += q;
    a11 += s * s;
    a12 += s * q;
    a22 += q * q;
    if (slots[i].hasVel) {
      a11 += w;
      a12 += w * s;
      a22 += w * s * s;
    }
  }

  // Cofactors of the symmetric matrix; for constant velocity the third row and column are left out.
  const c00 = order === 2 ? a11 * a22 - a12 * a12 : a11;
  const c01 = order === 2 ? a02 * a12 - a01 * a22 : -a01;
  const c02 = order === 2 ? a01 * a12 - a02 * a11 : 0;
  const c11 = order === 2 ? a00 * a22 - a02 * a02 : a00;
  const c12 = order === 2 ? a01 * a02 - a00 * a12 : 0;
  const c22 = order === 2 ? a00 * a11 - a01 * a01 : 0;
  const determinant = a00 * c00 + a01 * c01 + (order === 2 ? a02 * c02 : 0);
  const size = order === 2 ? a00 * a11 * a22 : a00 * a11;
  if (!(determinant > size * 1e-12)) return false;

  for (let d = 0; d < dims; d++) {
    let b0 = 0, b1 = 0, b2 = 0;
    for (let i = from; i < slots.length; i++) {
      const slot = slots[i];
      const s = (slot.t - t0) / 1000;
      // Relative to the newest position: in a large world the sums would lose what matters.
      const p = slot.pos[d] - newest.pos[d];
      b0 += p;
      b1 += s * p;
      b2 += s * s / 2 * p;
      if (slot.hasVel) {
        b1 += w * slot.vel[d];
        b2 += w * s * slot.vel[d];
      }
    }
    out.pos[d] = newest.pos[d] + (c00 * b0 + c01 * b1 + c02 * b2) / determinant;
    out.vel[d] = (c01 * b0 + c11 * b1 + c12 * b2) / determinant;
    out.acc[d] = (c02 * b0 + c12 * b1 + c22 * b2) / determinant;
  }
  return true;
}

/** How strongly the alpha-beta filter follows a new position, 0 to 1. */
export const DEFAULT_ALPHA = 0.85;

/**
 * Follows positions with two gains: the light alternative to a fit, two numbers per dimension and no history.
 *
 * `x̂ = x + v T`, `r = z - x̂`, `x = x̂ + α r`, `v = v + β r / T`, with `β = α² / (2 - α)`, the choice that is best for
 * both noise and turns (T. Benedict and G. Bordner, "Synthesis of an optimal set of radar track-while-scan smoothing
 * equations", 1962). Sent velocities only start it.
 */
export class AlphaBeta implements Estimator {
  readonly state: Kinematics = emptyKinematics();
  readonly #alpha: number;
  readonly #beta: number;
  #samples = 0;

  constructor(alpha: number = DEFAULT_ALPHA) {
    this.#alpha = alpha;
    this.#beta = alpha * alpha / (2 - alpha);
  }

  reset(): void {
    this.#samples = 0;
  }

  update(history: History): void {
    const slot = history.newest!;
    const { state } = this;
    setDimensions(state, slot.pos.length);
    const T = (slot.t - state.t) / 1000;
    for (let d = 0; d < slot.pos.length; d++) {
      if (this.#samples === 0 || (this.#samples === 1 && !slot.hasVel)) {
        // The slope between the first two samples, where no velocity was sent.
        state.pos[d] = slot.pos[d];
        state.vel[d] = slot.vel[d];
        state.acc[d] = 0;
      } else if (T > 0) {
        const expected = state.pos[d] + state.vel[d] * T;
        const residual = slot.pos[d] - expected;
        state.pos[d] = expected + this.#alpha * residual;
        state.vel[d] += this.#beta * residual / T;
      }
    }
    state.t = slot.t;
    this.#samples++;
  }
}
