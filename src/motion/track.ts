// One remote object: takes its samples as they arrive, in whatever state, and says where to draw it. What to draw is
// left to a mover; here is what they all need: checking, clocks, order, teleports, angles.
// Pure: no timer, no clock of its own; the caller passes the time. Part of the public motion.ts.

import { MinDelayFilter } from "./clock.ts";
import { ProjectiveBlending, Pursuit } from "./correct.ts";
import { AlphaBeta, Held, LeastSquares, Newest } from "./estimate.ts";
import { History } from "./history.ts";
import { type Arrival, Blending, Interpolating, type Mover, Predicting } from "./movers.ts";
import { type Advance, movedSeconds, type Reach, wrapAngle } from "./predict.ts";
import { emptyMotion, type Motion, type Sample, vector } from "./types.ts";

/**
 * How an object is drawn between and after its samples.
 *
 * - `hold`: where it last was.
 * - `speed`: dead reckoning, position + velocity x age, optionally with acceleration.
 * - `history`: on along a least squares fit, or an alpha-beta filter, of recent samples.
 * - `blend`: as `history`, and a wrong guess is taken back gliding instead of jumping.
 * - `interpolate`: the recent past, a little late, exact.
 */
export type Strategy = "hold" | "speed" | "history" | "blend" | "interpolate";

/** How to draw an object. Everything is optional. */
export interface TrackOptions {
  /** Default `blend`. */
  strategy?: Strategy;
  /** For `speed`: 1 (default) for constant velocity, 2 for constant acceleration. */
  order?: 1 | 2;
  /** For `history` and `blend`: `fit` (default) for least squares, or the cheaper `alpha-beta`. */
  filter?: "fit" | "alpha-beta";
  /** Which of the numbers in `pos` are angles in radians, by index; they take the short way round. Default none. */
  angles?: readonly number[];
  /**
   * Whose time `sample.t` is: `shared` (default) if it is that of `push` and `at`, as with `relay.now()`; `sender` if it
   * is the sender's own in milliseconds, whose offset is then estimated. Times that can't be shared (a second
   * ahead, ten behind) are taken as the sender's own from the second such sample in a row on.
   */
  clock?: "shared" | "sender";
  /** A sample further than this, in units, from where the object was expected makes it appear there. Default Infinity. */
  teleportDistance?: number;
  /** Milliseconds of silence after which the object slows down to a stop. Default {@linkcode DEFAULT_MAX_EXTRAPOLATE_MS}. */
  maxExtrapolateMs?: number;
  /**
   * For `blend`: how much faster than its recent top speed the object may be drawn while an error is taken back.
   * Default `HURRY`; more is nearer to the truth, less is calmer.
   */
  hurry?: number;
  /**
   * For `blend`: takes back an error in this many milliseconds by projective velocity blending, however fast the object must
   * move for that. Default: as long as it needs with `hurry`.
   */
  blendMs?: number;
  /** For `interpolate`: a fixed delay in milliseconds. Default: as short as the network allows. */
  delayMs?: number;
  /**
   * Moves position and velocity on by some seconds, in place: what the program knows of its world, such as walls.
   * It takes the place of the straight line in `speed`, `history` and `blend`. It must not keep the arrays.
   */
  advance?: Advance;
}

/** The silence an object is carried through at full speed, in milliseconds. */
export const DEFAULT_MAX_EXTRAPOLATE_MS = 500;

/** How long the stop after that takes, in milliseconds. */
export const BRAKE_MS = 500;

/** How long a bend is believed, in milliseconds; then the object goes straight on. */
export const ACCELERATE_MS = 500;

/** A time this far before the newest or ahead of now, in milliseconds, is a step of the clock and no late sample. */
export const CLOCK_STEP_MS = 1_000;

/** A shared time older than this, in milliseconds, is no shared time. A connection stalled that long is closed. */
export const MAX_SHARED_AGE_MS = 10_000;

/**
 * Follows one remote object and says where to draw it now.
 *
 * `push` takes samples late, doubled, reordered or broken: what is of no use is refused with `false`, never with an
 * exception, as it comes from others. `at` gives the same object every time and overwrites it on the next call; pass
 * your own as `out`, or copy, to keep one. Neither allocates once the first samples are in.
 *
 * @example
 * ```ts
 * const track = new Track({ strategy: "blend" });
 * track.push({ t: 1000, pos: [10, 20], vel: [100, 0] }, 1040); // arrives 40 ms after it was true
 * const { pos, vel, age } = track.at(1050);
 * console.log(pos, vel, age); // [15, 20] [100, 0] 50
 * ```
 */
export class Track {
  readonly #history: History;
  readonly #mover: Mover;
  readonly #reach: Reach;
  readonly #angles: readonly number[];
  readonly #teleportDistance: number;
  readonly #motion: Motion = emptyMotion();
  #pos: number[] = [];
  #filter: MinDelayFilter | undefined;
  /** Added to a sample's time gives ours. Everything inside runs on the sender's time, so that it never shifts. */
  #offsetMs = 0;
  #suspects = 0;

  /**
   * Makes a track that knows nothing yet.
   *
   * @throws {RangeError} if an option is out of its range.
   */
  constructor(options: TrackOptions = {}) {
    const { strategy = "blend", angles = [], clock = "shared", teleportDistance = Infinity } = options;
    const { maxExtrapolateMs = DEFAULT_MAX_EXTRAPOLATE_MS, hurry, blendMs, delayMs, advance } = options;
    const limits = { teleportDistance, maxExtrapolateMs, hurry, blendMs, delayMs };
    for (const [name, value] of Object.entries(limits)) {
      if (value !== undefined && !(value >= 0)) {
        throw new RangeError(`Cannot make track: ${name} is ${value}, 0 or more is allowed`);
      }
    }
    for (const index of angles) {
      if (!Number.isInteger(index) || index < 0) {
        throw new RangeError(`Cannot make track: angles has ${index}, an index of pos is allowed`);
      }
    }
    // Dead reckoning by the book takes an acceleration at its word.
    const accelerateMs = strategy === "speed" ? Infinity : ACCELERATE_MS;
    const keepTopSpeed = strategy !== "speed";
    this.#reach = { maxExtrapolateMs, brakeMs: BRAKE_MS, accelerateMs, keepTopSpeed, advance };
    this.#angles = angles;
    this.#teleportDistance = teleportDistance;
    this.#filter = clock === "sender" ? new MinDelayFilter() : undefined;
    this.#mover = makeMover(strategy, options, this.#reach);
    this.#history = new History(this.#mover.samples);
  }

  /**
   * Takes a sample that has arrived.
   *
   * @param sample as received; nothing of it is kept.
   * @param nowMs the time of arrival, on the clock that `at` is called with.
   * @returns false if it was of no use: a number in it is missing, NaN or infinite, its dimensions differ from the
   * first sample's, its time is there already or too old, or its time is the first to be absurd.
   */
  push(sample: Sample, nowMs: number): boolean {
    const history = this.#history;
    const { pos, vel, acc, teleport } = sample;
    const dims = history.newest?.pos.length ?? pos?.length;
    if (!isVector(pos, dims)) return false;
    if (vel !== undefined && !isVector(vel, dims)) return false;
    if (acc !== undefined && !isVector(acc, dims)) return false;
    const t = sample.t ?? nowMs - this.#offsetMs;
    if (!Number.isFinite(t)) return false;

    let arrival: Arrival = history.newest === undefined ? "snap" : "next";
    if (this.#isSuspect(t, nowMs)) {
      if (++this.#suspects < 2) return false;
      if (arrival === "next") arrival = "restart";
      this.#unwrap(pos, 0);
      history.clear();
      // On a shared clock only a fresh time can be right, as nothing overtakes by a second.
      const fresh = Math.abs(nowMs - t) < CLOCK_STEP_MS;
      this.#filter = this.#filter === undefined && fresh ? undefined : new MinDelayFilter();
    } else {
      if (history.has(t)) return false;
      this.#unwrap(pos, history.newest === undefined ? 0 : t - history.newest.t);
    }
    this.#suspects = 0;
    const offsetMs = this.#filter === undefined ? 0 : this.#filter.update(t, nowMs);
    this.#mover.shift(this.#offsetMs - offsetMs);
    this.#offsetMs = offsetMs;

    if (arrival === "next" && t < history.newest!.t) arrival = "late";
    else if (teleport === true || (arrival === "next" && this.#isFar(t))) arrival = "snap";
    if (history.insert(t, this.#pos, vel, acc, arrival === "snap") < 0) return false;
    this.#mover.arrived(history, nowMs - this.#offsetMs, arrival);
    return true;
  }

  /**
   * Says where to draw the object.
   *
   * @param nowMs the time of drawing; it should not go backwards.
   * @param out written to and returned; default one that belongs to the track and is overwritten by the next call.
   */
  at(nowMs: number, out: Motion = this.#motion): Motion {
    if (this.#history.slots.length === 0) {
      out.pos.length = 0;
      out.vel.length = 0;
      out.age = Infinity;
      out.delay = 0;
      out.starved = true;
      return out;
    }
    this.#mover.draw(this.#history, this.#offsetMs === 0 ? nowMs : nowMs - this.#offsetMs, out);
    for (const index of this.#angles) if (index < out.pos.length) out.pos[index] = wrapAngle(out.pos[index]);
    return out;
  }

  /** Says whether a time can't be of the same clock as the ones before, or as ours where it should be. */
  #isSuspect(t: number, nowMs: number): boolean {
    const { newest } = this.#history;
    if (this.#filter === undefined && !isShared(t, nowMs)) return true;
    if (newest === undefined) return false;
    return t < newest.t - CLOCK_STEP_MS || t > nowMs - this.#offsetMs + CLOCK_STEP_MS;
  }

  /** Writes the position, its angles turned to be nearest to where the object should be so long after the newest sample. */
  #unwrap(pos: readonly number[], passedMs: number): void {
    if (this.#pos.length !== pos.length) this.#pos = vector(pos.length);
    for (let d = 0; d < pos.length; d++) this.#pos[d] = pos[d];
    const { newest } = this.#history;
    if (newest === undefined) return;
    for (const index of this.#angles) {
      if (index >= pos.length) continue;
      const expected = newest.pos[index] + newest.vel[index] * passedMs / 1000;
      this.#pos[index] = expected + wrapAngle(pos[index] - expected);
    }
  }

  /** Says whether the new position is too far from where the newest sample leads to. */
  #isFar(t: number): boolean {
    if (this.#teleportDistance === Infinity) return false;
    const newest = this.#history.newest!;
    const seconds = movedSeconds(t - newest.t, this.#reach.maxExtrapolateMs, this.#reach.brakeMs);
    let sum = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      if (!this.#angles.includes(d)) sum += (this.#pos[d] - newest.pos[d] - newest.vel[d] * seconds) ** 2;
    }
    return Math.sqrt(sum) > this.#teleportDistance;
  }
}

/** Makes the mover of a strategy. */
function makeMover(strategy: Strategy, options: TrackOptions, reach: Reach): Mover {
  const { order = 1, filter = "fit", hurry, blendMs, delayMs } = options;
  const estimator = () => filter === "alpha-beta" ? new AlphaBeta() : new LeastSquares();
  switch (strategy) {
    case "hold":
      return new Predicting(new Held(), reach);
    case "speed":
      return new Predicting(new Newest(order), reach);
    case "history":
      return new Predicting(estimator(), reach);
    case "blend":
      return new Blending(
        estimator(),
        reach,
        blendMs === undefined ? new Pursuit(hurry) : new ProjectiveBlending(blendMs),
      );
    case "interpolate":
      return new Interpolating(delayMs);
    default:
      throw new RangeError(
        `Cannot make track: strategy is "${strategy}", hold, speed, history, blend or interpolate is allowed`,
      );
  }
}

/** Says whether a value from outside is a list of this many finite numbers. */
function isVector(value: unknown, dims: number): value is number[] {
  if (!Array.isArray(value) || value.length !== dims) return false;
  for (let d = 0; d < dims; d++) if (!Number.isFinite(value[d])) return false;
  return true;
}

/** Says whether a time can be of a clock that is shared with `nowMs`. */
function isShared(t: number, nowMs: number): boolean {
  return t <= nowMs + CLOCK_STEP_MS && t >= nowMs - MAX_SHARED_AGE_MS;
}
