// Lays a line, a parabola or an arc through the last samples of an object. Pure; decides nothing, keeps
// nothing and allocates nothing.

import type { History } from "./history.ts";
import type { Kinematics } from "./types.ts";

/**
 * Fits `pos + vel s + ½ acc s²` (s: seconds since the newest sample) to the last samples by weighted least
 * squares, solving the normal equations, which are the same for every dimension.
 *
 * @returns false if the samples don't determine it.
 */
export function fit(history: History, samples: number, order: 1 | 2, out: Kinematics): boolean {
  const { slots } = history;
  const from = slots.length - samples;
  const newest = slots[slots.length - 1];
  const t0 = newest.t;
  const dims = newest.pos.length;
  out.t = t0;
  out.turn = 0;
  if (samples === 1) {
    // One sample is its own fit; without a velocity it says where the object is and no more.
    for (let d = 0; d < dims; d++) {
      out.pos[d] = newest.pos[d];
      out.vel[d] = newest.hasVel ? newest.vel[d] : 0;
      out.acc[d] = 0;
    }
    out.bendSeconds = Infinity;
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
  out.bendSeconds = order === 2 ? secondsToStop(out) : Infinity;
  return true;
}

/**
 * Gives the time after which an acceleration has taken all of the speed it started with: what brakes stops
 * then.
 */
function secondsToStop({ vel, acc }: Kinematics): number {
  let along = 0, squaredSpeed = 0;
  for (let d = 0; d < vel.length; d++) {
    along += vel[d] * acc[d];
    squaredSpeed += vel[d] * vel[d];
  }
  return along < 0 ? -squaredSpeed / along : Infinity;
}

/** The cosine of an angle between velocities that is too small to tell where a turn leads to. */
const STRAIGHT_COS = 1 - 1e-9;

/** The cosine of an angle that no turn makes within a few samples, but a bounce does. */
const BOUNCE_COS = -0.9;

/**
 * Lays an arc of constant speed and turn rate through the newest sample, by the velocities sent with it and
 * with the first of the last samples: the coordinated turn model of target tracking (Y. Bar-Shalom, X. Li and
 * T. Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001). In any number of
 * dimensions it lies in the plane of both velocities. Straight on is an arc too, with a turn of 0.
 *
 * @returns false if there is no such arc.
 */
export function fitArc(history: History, samples: number, out: Kinematics): boolean {
  const { slots } = history;
  const newest = slots[slots.length - 1];
  const first = slots[slots.length - samples];
  if (!first.hasVel || !newest.hasVel) return false;
  const dims = newest.pos.length;
  let squared0 = 0, squared1 = 0, product = 0;
  for (let d = 0; d < dims; d++) {
    squared0 += first.vel[d] * first.vel[d];
    squared1 += newest.vel[d] * newest.vel[d];
    product += first.vel[d] * newest.vel[d];
  }
  const cos = product / Math.sqrt(squared0 * squared1);
  if (cos < BOUNCE_COS) return false;
  const turns = cos < STRAIGHT_COS;
  out.t = newest.t;
  out.turn = turns ? Math.acos(cos) / ((newest.t - first.t) / 1000) : 0;
  out.bendSeconds = Infinity;
  // What the first velocity has across the newest one points out of the curve.
  const share = turns ? product / squared1 : 0;
  const outwards = turns ? -out.turn * Math.sqrt(squared1 / (squared0 - product * share)) : 0;
  for (let d = 0; d < dims; d++) {
    out.pos[d] = newest.pos[d];
    out.vel[d] = newest.vel[d];
    out.acc[d] = (first.vel[d] - share * newest.vel[d]) * outwards;
  }
  return true;
}
