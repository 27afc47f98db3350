// Where an object is that was last heard of a while ago: the formulas of dead reckoning, pure.
// They write into what the caller passes and allocate nothing.

import { isFiniteVector } from "./numbers.ts";
import type { Kinematics } from "./types.ts";

/**
 * Moves an object on from a known state, writing position and velocity in place. The program's own knowledge
 * of its world (walls, gravity, a road) goes here.
 */
export type Advance = (pos: number[], vel: number[], seconds: number) => void;

/** How far ahead a state is carried on. */
export interface Reach {
  /** Milliseconds for which the object goes on as it was. */
  maxExtrapolateMs: number;
  /** Milliseconds it then takes to slow down to a stop. */
  brakeMs: number;
  /** Milliseconds for which an acceleration or a turn goes on; then the velocity it led to stays. */
  accelerateMs: number;
  /** True if an acceleration may not lead beyond the speed that the object has had of late. */
  keepTopSpeed: boolean;
  /** The program's own model, instead of the polynomial. */
  advance?: Advance;
}

/**
 * Gives the time, in seconds, for which an object of this age has moved on: the age itself up to `maxMs`,
 * then less and less, as with a speed that falls in a straight line to zero over `brakeMs`:
 * `max + u - u²/(2 brake)` with `u` the time beyond, so half of `brakeMs` is added in the end.
 */
export function movedSeconds(ageMs: number, maxMs: number, brakeMs: number): number {
  if (ageMs <= maxMs) return ageMs / 1000;
  const u = Math.min(ageMs - maxMs, brakeMs);
  return (maxMs + (brakeMs > 0 ? u - u * u / (2 * brakeMs) : 0)) / 1000;
}

/** The share of its speed that an object of this age still has: 1 up to `maxMs`, 0 after the braking. */
export function movingShare(ageMs: number, maxMs: number, brakeMs: number): number {
  if (ageMs <= maxMs) return 1;
  return Math.max(0, 1 - (ageMs - maxMs) / Math.max(brakeMs, 1e-9));
}

/**
 * Carries a state on to a later moment and writes position and velocity.
 *
 * `P = P₀ + V₀ T + ½ A₀ T²`: the dead reckoning models of IEEE 1278.1 (annex E) in world coordinates, first
 * order with `A₀ = 0` (DRM FPW), second order otherwise (DRM FVW). A state that turns with `ω` goes along an
 * arc instead, `P = P₀ + V₀ sin(ωT) / ω + A₀ (1 - cos(ωT)) / ω²`, with A₀ towards its centre. An acceleration
 * or a turn holds for `accelerateMs` only, since its error grows with the square of the time, and no longer
 * than `bendSeconds`. Where `keepTopSpeed` is set, an acceleration turns an object that goes at its top speed
 * but makes it no faster. The object stops gently when nothing is heard for too long.
 */
export function extrapolate(
  state: Kinematics,
  nowMs: number,
  reach: Reach,
  pos: number[],
  vel: number[],
): void {
  const ageMs = Math.max(0, nowMs - state.t);
  // The usual case goes without calls, whose numbers the engine may have to put on the heap.
  const late = ageMs > reach.maxExtrapolateMs;
  const T = late ? movedSeconds(ageMs, reach.maxExtrapolateMs, reach.brakeMs) : ageMs / 1000;
  const share = late ? movingShare(ageMs, reach.maxExtrapolateMs, reach.brakeMs) : 1;
  const dims = state.pos.length;
  if (reach.advance === undefined || !advanced(state, T, reach.advance, pos, vel)) {
    const bent = Math.min(T, reach.accelerateMs / 1000, state.bendSeconds);
    // How far and how fast velocity and acceleration have led by then: along a parabola, or along an arc.
    let along = bent, aside = bent * bent / 2, kept = 1, gained = bent;
    if (state.turn !== 0) {
      kept = Math.cos(state.turn * bent);
      along = gained = Math.sin(state.turn * bent) / state.turn;
      aside = (1 - kept) / (state.turn * state.turn);
    }
    let squared = 0;
    for (let d = 0; d < dims; d++) {
      pos[d] = state.pos[d] + state.vel[d] * along + state.acc[d] * aside;
      vel[d] = state.vel[d] * kept + state.acc[d] * gained;
      squared += vel[d] * vel[d];
    }
    if (reach.keepTopSpeed && state.turn === 0 && squared > state.topSpeed * state.topSpeed) {
      const shrink = state.topSpeed / Math.sqrt(squared);
      for (let d = 0; d < dims; d++) {
        vel[d] *= shrink;
        pos[d] = state.pos[d] + (state.vel[d] + vel[d]) / 2 * bent;
      }
    }
    if (bent < T) { for (let d = 0; d < dims; d++) pos[d] += vel[d] * (T - bent); }
  }
  for (let d = 0; d < dims; d++) vel[d] *= share;
}

/** Lets the program's own model move the object on, and says whether that gave numbers. */
function advanced(
  state: Kinematics,
  seconds: number,
  advance: Advance,
  pos: number[],
  vel: number[],
): boolean {
  const dims = state.pos.length;
  for (let d = 0; d < dims; d++) {
    pos[d] = state.pos[d];
    vel[d] = state.vel[d];
  }
  advance(pos, vel, seconds);
  if (isFiniteVector(pos, dims) && isFiniteVector(vel, dims)) {
    if (pos.length === dims && vel.length === dims) return true;
  }
  pos.length = vel.length = dims;
  return false;
}

/**
 * Draws the curve between two known moments that has their positions and velocities: the cubic Hermite
 * polynomial.
 *
 * @param share 0 at the first moment, 1 at the second.
 * @param seconds the time between them.
 */
export function hermite(
  p0: number,
  v0: number,
  p1: number,
  v1: number,
  share: number,
  seconds: number,
): number {
  const s2 = share * share;
  const s3 = s2 * share;
  return (2 * s3 - 3 * s2 + 1) * p0 + (s3 - 2 * s2 + share) * seconds * v0 +
    (3 * s2 - 2 * s3) * p1 + (s3 - s2) * seconds * v1;
}

/** The slope of {@linkcode hermite} in units per second. */
export function hermiteSlope(
  p0: number,
  v0: number,
  p1: number,
  v1: number,
  share: number,
  seconds: number,
): number {
  const s2 = share * share;
  return (6 * s2 - 6 * share) / seconds * (p0 - p1) + (3 * s2 - 4 * share + 1) * v0 +
    (3 * s2 - 2 * share) * v1;
}

/** Brings an angle into (-π, π]. */
export function wrapAngle(angle: number): number {
  const turn = 2 * Math.PI;
  // Of a huge angle the remainder is exact, where a product of turns would be off by many.
  const near = Math.abs(angle) < 1e6 ? angle : angle % turn;
  const wrapped = near - turn * Math.ceil((near - Math.PI) / turn);
  return wrapped <= -Math.PI ? Math.PI : wrapped;
}

/** How long a top speed is remembered: it halves in this many milliseconds. */
export const SPEED_HALF_LIFE_MS = 10_000;

/** Gives the top speed after a new speed was seen, the old one having faded for a while. */
export function fadedTopSpeed(topSpeed: number, passedMs: number, speed: number): number {
  return Math.max(speed, topSpeed * 0.5 ** (Math.max(0, passedMs) / SPEED_HALF_LIFE_MS));
}
