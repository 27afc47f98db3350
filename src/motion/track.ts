// One remote object: takes its samples as they arrive, in whatever state, and says where to draw it. What to
// draw is left to a mover; here is what they all need: checking, clocks, order, teleports, angles. Pure: no
// timer, no clock of its own; the caller passes the time. Part of the public motion.ts.

import { isUsable, isVector, isVectorOrMissing, MAX_NUMBER } from "./numbers.ts";
import { type Allowed, checkOptions } from "./option_check.ts";
import { MinDelayFilter } from "./clock.ts";
import { HURRY, LEAP_SECONDS, ProjectiveBlending, Pursuit } from "./correct.ts";
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

/**
 * How to draw an object. Everything is optional. A number that is negative, NaN, text or, where nothing else
 * is said, infinite is refused, and so is a name that isn't here.
 */
export interface TrackOptions {
  /** Default `blend`. */
  strategy?: Strategy;
  /** For `speed`: 1 (default) for constant velocity, 2 for constant acceleration. */
  order?: 1 | 2;
  /** For `history` and `blend`: `fit` (default) for least squares, or the cheaper `alpha-beta`. */
  filter?: "fit" | "alpha-beta";
  /**
   * Which of the numbers in `pos` are angles in radians, by index; they take the short way round. Default
   * none. An index that `pos` doesn't have is passed over.
   */
  angles?: readonly number[];
  /**
   * Whose time `sample.t` is: `shared` (default) if it is that of `push` and `at`, as with `relay.now()`;
   * `sender` if it is the sender's own in milliseconds, whose offset is then estimated. Times that can't be
   * shared (a second ahead, ten behind) are taken as the sender's own from the second such sample in a row
   * on.
   */
  clock?: "shared" | "sender";
  /**
   * A sample further than this, in units, from where the object was expected makes it appear there. Default
   * Infinity.
   */
  teleportDistance?: number;
  /**
   * Milliseconds of silence after which the object slows down to a stop; Infinity for never. Default
   * {@linkcode DEFAULT_MAX_EXTRAPOLATE_MS}.
   */
  maxExtrapolateMs?: number;
  /**
   * For `blend`: how much faster than its recent top speed the object may be drawn while an error is taken
   * back. Default `HURRY`; more is nearer to the truth, less is calmer, Infinity knows no limit. An error of
   * more than `LEAP_SECONDS` at that top speed is not taken back gliding but at once.
   */
  hurry?: number;
  /**
   * For `blend`: takes back an error in this many milliseconds by projective velocity blending, however fast
   * the object must move for that. Default: as long as it needs with `hurry`.
   */
  blendMs?: number;
  /** For `interpolate`: a fixed delay in milliseconds. Default: as short as the network allows. */
  delayMs?: number;
  /**
   * Moves position and velocity on by some seconds, in place: what the program knows of its world, such as
   * walls. It takes the place of the straight line in `speed`, `history` and `blend`, which is drawn after
   * all if it makes a number that is none. It must not keep the arrays. What it throws, `at` throws.
   */
  advance?: Advance;
}

/** The silence an object is carried through at full speed, in milliseconds. */
export const DEFAULT_MAX_EXTRAPOLATE_MS = 500;

/** How long the stop after that takes, in milliseconds. */
export const BRAKE_MS = 500;

/** How long a bend is believed, in milliseconds; then the object goes straight on. */
export const ACCELERATE_MS = 500;

/**
 * A time this far before the newest or ahead of now, in milliseconds, is a step of the clock and no late
 * sample.
 */
export const CLOCK_STEP_MS = 1_000;

/**
 * So far apart, in milliseconds, two clocks may be that are shared. A newest sample further ahead shows a
 * step.
 */
export const MAX_AHEAD_MS = 100;

/**
 * A shared time older than this, in milliseconds, is no shared time. A connection stalled that long is
 * closed.
 */
export const MAX_SHARED_AGE_MS = 10_000;

/**
 * So many times in a row, the first included, another count of numbers in `pos` makes it what the object has
 * now.
 */
export const DIMENSION_CHANGE_SAMPLES = 3;

/**
 * An angle that has turned this far, in radians, is counted from zero again: further on it would lose its
 * fractions.
 */
const MAX_TURNED = 1e6;

const NUMBER = { min: 0, max: MAX_NUMBER };
const NUMBER_OR_INFINITY = { min: 0, max: Infinity };

/** What each option of a track may be. */
export const TRACK_ALLOWED = {
  strategy: ["hold", "speed", "history", "blend", "interpolate"],
  order: [1, 2],
  filter: ["fit", "alpha-beta"],
  angles: "indices",
  clock: ["shared", "sender"],
  teleportDistance: NUMBER_OR_INFINITY,
  maxExtrapolateMs: NUMBER_OR_INFINITY,
  hurry: NUMBER_OR_INFINITY,
  blendMs: NUMBER,
  delayMs: NUMBER,
  advance: "function",
} as const satisfies Record<keyof TrackOptions, Allowed>;

/**
 * Follows one remote object and says where to draw it now.
 *
 * `push` takes samples late, doubled, reordered or broken: what is of no use is refused with `false`, never
 * with an exception, as it comes from others, and does no harm to what comes after it. Clocks may step, also
 * back: samples are used again within a second. `at` gives finite numbers, whatever was taken; it gives the
 * same object every time and overwrites it on the next call: pass your own as `out`, or copy, to keep one.
 * Neither allocates once the first samples are in.
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
  #history: History;
  #mover: Mover;
  readonly #makeMover: () => Mover;
  readonly #reach: Reach;
  readonly #angles: readonly number[];
  readonly #teleportDistance: number;
  readonly #isShared: boolean;
  readonly #motion: Motion = emptyMotion();
  #pos: number[] = [];
  #filter: MinDelayFilter | undefined;
  /**
   * Added to a sample's time gives ours. Everything inside runs on the sender's time, so that it never
   * shifts.
   */
  #offsetMs = 0;
  #suspects = 0;
  /** How many samples in a row had another count of numbers than those before, and which. */
  #strangers = 0;
  #strangeDims = 0;

  /**
   * Makes a track that knows nothing yet.
   *
   * @throws {RangeError} if an option is out of its range.
   * @throws {TypeError} if an option is of the wrong type or none at all.
   */
  constructor(options: TrackOptions = {}) {
    const kept = checkOptions("track", options, TRACK_ALLOWED);
    const { strategy = "blend", angles = [], clock = "shared", teleportDistance = Infinity } = kept;
    const { maxExtrapolateMs = DEFAULT_MAX_EXTRAPOLATE_MS, advance } = kept;
    // Dead reckoning by the book takes an acceleration at its word.
    const accelerateMs = strategy === "speed" ? Infinity : ACCELERATE_MS;
    const keepTopSpeed = strategy !== "speed";
    this.#reach = { maxExtrapolateMs, brakeMs: BRAKE_MS, accelerateMs, keepTopSpeed, advance };
    this.#angles = [...new Set(angles)];
    this.#teleportDistance = teleportDistance;
    this.#isShared = clock === "shared";
    this.#filter = this.#isShared ? undefined : new MinDelayFilter();
    this.#makeMover = () => makeMover(strategy, kept, this.#reach);
    this.#mover = this.#makeMover();
    this.#history = new History(this.#mover.samples);
  }

  /**
   * Takes a sample that has arrived.
   *
   * @param sample as received; nothing of it is kept.
   * @param nowMs the time of arrival, on the clock that `at` is called with.
   * @returns false if it was of no use: it is no sample; a number in it is missing, NaN or beyond
   * `MAX_NUMBER`; `pos` is empty or longer than `MAX_DIMENSIONS`, `vel` or `acc` is not as long as `pos`;
   * `pos` is not as long as in the samples before, and this is not yet the third such in a row, with which
   * the object appears anew; its time is there already or too old, or it is the first to be absurd. Also if
   * `nowMs` is no time.
   */
  push(sample: Sample, nowMs: number): boolean {
    if (typeof sample !== "object" || sample === null || !isUsable(nowMs)) return false;
    const { pos, vel, acc, teleport } = sample;
    if (!isVector(pos)) return false;
    const dims = pos.length;
    if (!isVectorOrMissing(vel, dims) || !isVectorOrMissing(acc, dims)) return false;
    const t = sample.t ?? nowMs - this.#offsetMs;
    if (!isUsable(t)) return false;

    let arrival = this.#join(pos, t, nowMs);
    if (arrival === undefined) return false;
    this.#suspects = 0;
    const offsetMs = this.#filter === undefined ? 0 : this.#filter.update(t, nowMs);
    if (offsetMs !== this.#offsetMs) this.#mover.shift(this.#offsetMs - offsetMs, arrival === "restart");
    this.#offsetMs = offsetMs;

    const history = this.#history;
    if (arrival === "next" && t < history.newest!.t) arrival = "late";
    else if (teleport === true || (arrival === "next" && this.#isFar(t))) arrival = "snap";
    if (history.insert(t, this.#pos, vel, acc, arrival === "snap") < 0) return false;
    this.#mover.arrived(history, nowMs - this.#offsetMs, arrival);
    return true;
  }

  /**
   * Says where to draw the object.
   *
   * @param nowMs the time of drawing. Where it goes back, the object waits, or goes on from the samples of
   * the new time. Where it is no time (NaN, beyond `MAX_NUMBER`), the object is drawn as of its newest
   * sample.
   * @param out written to and returned; default one that belongs to the track and is overwritten by the next
   * call.
   * @throws {TypeError} if `out` is no motion.
   * @throws what the option `advance` throws, and nothing else.
   */
  at(nowMs: number, out: Motion = this.#motion): Motion {
    if (out !== this.#motion && !(Array.isArray(out?.pos) && Array.isArray(out.vel))) {
      throw new TypeError("Cannot draw track: out has no lists pos and vel, a motion is allowed");
    }
    if (this.#history.slots.length === 0) {
      out.pos.length = 0;
      out.vel.length = 0;
      out.age = Infinity;
      out.delay = 0;
      out.starved = true;
      return out;
    }
    // The usual case goes without calls, whose numbers the engine may have to put on the heap.
    if (!(typeof nowMs === "number" && nowMs <= MAX_NUMBER && nowMs >= -MAX_NUMBER)) return this.#still(out);
    this.#mover.draw(this.#history, this.#offsetMs === 0 ? nowMs : nowMs - this.#offsetMs, out);
    let nothing = 0;
    for (let d = 0; d < out.pos.length; d++) nothing += (out.pos[d] - out.pos[d]) + (out.vel[d] - out.vel[d]);
    if (nothing !== 0) this.#stand(out);
    for (const index of this.#angles) if (index < out.pos.length) out.pos[index] = wrapAngle(out.pos[index]);
    return out;
  }

  /** Says whether a time can't be of the same clock as the ones before, or as ours where it should be. */
  #isSuspect(t: number, nowMs: number): boolean {
    const { newest } = this.#history;
    if (this.#filter === undefined && !isShared(t, nowMs)) return true;
    if (newest === undefined) return false;
    const readMs = nowMs - this.#offsetMs;
    // A sample is late if it was overtaken, but not by one from the future: then the clock went back since
    // that one.
    const earliestMs = newest.t > readMs + MAX_AHEAD_MS ? newest.t : newest.t - CLOCK_STEP_MS;
    return t < earliestMs || t > readMs + CLOCK_STEP_MS;
  }

  /** Goes by another clock from this sample on. */
  #takeClock(t: number, nowMs: number): void {
    // On a shared clock only a fresh time can be right, as nothing overtakes by a second.
    const fresh = Math.abs(nowMs - t) < CLOCK_STEP_MS;
    this.#filter = this.#isShared && fresh ? undefined : new MinDelayFilter();
  }

  /**
   * Says how a sample joins those before, and writes its position; undefined if it is of no use. It may begin
   * another clock, or the object anew.
   */
  #join(pos: readonly number[], t: number, nowMs: number): Arrival | undefined {
    const { newest } = this.#history, isSuspect = this.#isSuspect(t, nowMs);
    if (newest !== undefined && newest.pos.length !== pos.length) {
      if (this.#strangeDims !== pos.length) this.#strangers = 0;
      this.#strangeDims = pos.length;
      if (++this.#strangers < DIMENSION_CHANGE_SAMPLES) return undefined;
      this.#strangers = 0;
      if (isSuspect) this.#takeClock(t, nowMs);
      return this.#beginAnew(pos);
    }
    this.#strangers = 0;
    if (isSuspect) {
      if (++this.#suspects < 2) return undefined;
      const arrival = newest === undefined ? "snap" : "restart";
      const joined = this.#unwrap(pos, 0) ? arrival : this.#beginAnew(pos);
      this.#history.clear();
      this.#takeClock(t, nowMs);
      return joined;
    }
    if (this.#history.has(t)) return undefined;
    const passedMs = newest === undefined ? 0 : t - newest.t;
    if (this.#unwrap(pos, passedMs)) return newest === undefined ? "snap" : "next";
    return passedMs < 0 ? undefined : this.#beginAnew(pos);
  }

  /** Forgets the object, but not its clock: it appears at this position. */
  #beginAnew(pos: readonly number[]): "snap" {
    this.#mover = this.#makeMover();
    this.#history = new History(this.#mover.samples);
    this.#unwrap(pos, 0);
    return "snap";
  }

  /** Draws the object as of its newest sample, where nobody knows what time it is. */
  #still(out: Motion): Motion {
    return this.at(this.#history.newest!.t + this.#offsetMs, out);
  }

  /** Writes the newest position as it came, for numbers that no arithmetic holds. */
  #stand(out: Motion): void {
    const { pos } = this.#history.newest!;
    out.pos.length = out.vel.length = pos.length;
    for (let d = 0; d < pos.length; d++) {
      out.pos[d] = pos[d];
      out.vel[d] = 0;
    }
    this.#mover.snap();
  }

  /**
   * Writes the position, its angles turned to be nearest to where the object should be so long after the
   * newest sample.
   *
   * @returns false if that is too many turns away to be counted.
   */
  #unwrap(pos: readonly number[], passedMs: number): boolean {
    if (this.#pos.length !== pos.length) this.#pos = vector(pos.length);
    for (let d = 0; d < pos.length; d++) this.#pos[d] = pos[d];
    const { newest } = this.#history;
    for (const index of this.#angles) {
      if (index >= pos.length) continue;
      const expected = newest === undefined ? 0 : newest.pos[index] + newest.vel[index] * passedMs / 1000;
      if (!(Math.abs(expected) <= MAX_TURNED)) return false;
      this.#pos[index] = expected + wrapAngle(pos[index] - expected);
    }
    return true;
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
  const { order = 1, filter = "fit", hurry = HURRY, blendMs, delayMs } = options;
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
        blendMs === undefined
          ? new Pursuit(hurry, LEAP_SECONDS)
          : new ProjectiveBlending(blendMs, LEAP_SECONDS),
      );
    case "interpolate":
      return new Interpolating(delayMs);
  }
}

/** Says whether a time can be of a clock that is shared with `nowMs`. */
function isShared(t: number, nowMs: number): boolean {
  return t <= nowMs + CLOCK_STEP_MS && t >= nowMs - MAX_SHARED_AGE_MS;
}
