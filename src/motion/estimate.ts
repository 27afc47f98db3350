// What is known of an object at its newest sample: position, velocity, acceleration. Each estimator reads the
// history after every sample and keeps one state that is extrapolated from. No clock, no drawing.
// `speed`, `history` and `blend` differ in nothing but the estimator and the smoothing.

import { fit, fitArc } from "./fit.ts";
import { type History, OUT_OF_PROPORTION, type Slot } from "./history.ts";
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
  return { t: 0, pos: [], vel: [], acc: [], turn: 0, bendSeconds: Infinity, topSpeed: 0 };
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
 * Believes the newest sample: its velocity, and with order 2 its acceleration, sent or taken from the last
 * two velocities. These are the models FPW and FVW of IEEE 1278.1.
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

/** One model that is tried: how the object may move, and how many samples that is worked out from. */
interface Candidate {
  model: "line" | "parabola" | "arc";
  samples: number;
  state: Kinematics;
  /** Smoothed square of how far off the fit before a sample was at that sample; Infinity before the first. */
  score: number;
  fitted: boolean;
}

/** The share of the old score that stays when a new error comes in: ten samples count. */
const SCORE_KEPT = 0.9;

/**
 * Fits recent samples by least squares and goes on along the fit.
 *
 * Several fits are kept: a line (constant velocity), a parabola (constant acceleration) and, where velocities
 * are sent, an arc (constant turn); over few samples (quick to follow) and over more (less noise). The one is
 * used whose residual at the samples that came after it was smallest, recent ones counting more. A residual
 * inside the fitted samples would favour whatever bends most; the residual at the next sample also finds out,
 * one sample after a bounce, that what looked like a huge acceleration was none.
 *
 * In a line and a parabola velocities that were sent take part as rows of their own. Their weight is the mean
 * interval squared: an error in velocity counts as much as the position error it leads to by the next sample.
 */
export class LeastSquares implements Estimator {
  #state: Kinematics = emptyKinematics();
  readonly #withVel: Candidate[] = [candidate("line", 1), candidate("parabola", 2), candidate("arc", 3)];
  readonly #withoutVel: Candidate[] = [
    candidate("line", 2),
    candidate("parabola", 3),
    candidate("line", 4),
    candidate("parabola", 6),
  ];

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
    const width = history.width();
    // A miss so great says nothing of the models but that a sample was broken, and would be remembered for
    // minutes.
    const greatest = width === 0 ? Infinity : (OUT_OF_PROPORTION * width) ** 2;
    let best = candidates[0];
    let bestScore = Infinity;
    for (const one of candidates) {
      if (one.fitted) {
        const error = squaredError(one.state, slot);
        const score = one.score === Infinity ? error : SCORE_KEPT * one.score + (1 - SCORE_KEPT) * error;
        one.score = score < greatest ? score : Infinity;
      }
      // The first one takes what there is.
      const samples = one === candidates[0] ? Math.min(one.samples, available) : one.samples;
      one.fitted = samples <= available && fitModel(one.model, history, samples, one.state);
      if (one.fitted && one.score < bestScore) {
        best = one;
        bestScore = one.score;
      }
    }
    this.#state = best.state;
  }
}

function candidate(model: Candidate["model"], samples: number): Candidate {
  return { model, samples, state: emptyKinematics(), score: Infinity, fitted: false };
}

function fitModel(model: Candidate["model"], history: History, samples: number, out: Kinematics): boolean {
  setDimensions(out, history.newest!.pos.length);
  if (model === "arc") return fitArc(history, samples, out);
  return fit(history, samples, model === "parabola" ? 2 : 1, out);
}

function squaredError(state: Kinematics, slot: Slot): number {
  const T = (slot.t - state.t) / 1000;
  const { turn } = state;
  const along = turn === 0 ? T : Math.sin(turn * T) / turn;
  const aside = turn === 0 ? T * T / 2 : (1 - Math.cos(turn * T)) / (turn * turn);
  let sum = 0;
  for (let d = 0; d < slot.pos.length; d++) {
    const off = state.pos[d] + state.vel[d] * along + state.acc[d] * aside - slot.pos[d];
    sum += off * off;
  }
  return sum;
}

/** How strongly the alpha-beta filter follows a new position, 0 to 1. */
const DEFAULT_ALPHA = 0.85;

/**
 * A filter that is off by so many times the way that its last samples show has lost the object, and starts
 * again.
 */
const LOST_WIDTHS = 4;

/**
 * Follows positions with two gains: the light alternative to a fit, two numbers per dimension and no history.
 *
 * `x̂ = x + v T`, `r = z - x̂`, `x = x̂ + α r`, `v = v + β r / T`, with `β = α² / (2 - α)`, the choice that
 * is best for both noise and turns (T. Benedict and G. Bordner, "Synthesis of an optimal set of radar
 * track-while-scan smoothing equations", 1962). Sent velocities only start it, and start it again after a
 * leap: what an absurd sample did would take it many samples to forget.
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
    if (this.#samples > 1 && this.#isLost(history, T)) this.#samples = 0;
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

  #isLost(history: History, T: number): boolean {
    const { pos, vel } = this.state;
    const slot = history.newest!;
    const limit = LOST_WIDTHS * history.width();
    for (let d = 0; d < pos.length; d++) {
      if (!(Math.abs(slot.pos[d] - pos[d] - vel[d] * T) <= limit)) return true;
    }
    return false;
  }
}
