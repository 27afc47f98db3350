// Says when an object's owner has to send, by running the same guess as its receivers: dead reckoning on the
// sending side. Sends nothing itself and has no clock of its own; the caller passes the time. Part of the
// public motion.ts.

import { isUsable, isVector, isVectorOrMissing } from "./numbers.ts";
import { type Allowed, checkOptions } from "./option_check.ts";
import { wrapAngle } from "./predict.ts";
import { DIMENSION_CHANGE_SAMPLES, MAX_AHEAD_MS, Track, TRACK_ALLOWED, type TrackOptions } from "./track.ts";
import { distance, type Sample } from "./types.ts";

/** When to send. A number that is negative, NaN or text is refused, and so is a name that isn't here. */
export interface SenderOptions
  extends Pick<TrackOptions, "strategy" | "order" | "filter" | "angles" | "advance"> {
  /**
   * How far, in units, receivers may be off before an update is due; required. An angle counts by its
   * radians.
   */
  tolerance: number;
  /**
   * The longest silence in milliseconds, default 1000: newcomers and lost objects wait no longer than this.
   */
  heartbeatMs?: number;
  /** The shortest time between two updates in milliseconds, default 0. */
  minIntervalMs?: number;
}

/**
 * The silence after which an update is due anyway, in milliseconds. IEEE 1278.1 has 5000; a lab game is
 * joined sooner.
 */
export const DEFAULT_HEARTBEAT_MS = 1_000;

const NUMBER_OR_INFINITY = { min: 0, max: Infinity };

const SENDER_ALLOWED = {
  tolerance: NUMBER_OR_INFINITY,
  heartbeatMs: NUMBER_OR_INFINITY,
  minIntervalMs: NUMBER_OR_INFINITY,
  strategy: TRACK_ALLOWED.strategy,
  order: TRACK_ALLOWED.order,
  filter: TRACK_ALLOWED.filter,
  angles: TRACK_ALLOWED.angles,
  advance: TRACK_ALLOWED.advance,
} as const satisfies Record<keyof SenderOptions, Allowed>;

/**
 * Runs the receivers' model of an object that this program owns, and says when it has gone wrong by more than
 * `tolerance`: as IEEE 1278.1 (DIS) does it. An object that moves as foreseen costs one update per heartbeat.
 *
 * Receivers are best off with the same `strategy`, and with `maxExtrapolateMs` above `heartbeatMs`.
 *
 * The clock may step, as `relay.now()` does when a relay comes back on another machine. Forward it is a
 * silence. Back by up to {@linkcode MAX_AHEAD_MS}, receivers wait until the time has caught up, so only
 * heartbeats and teleports are due until then. Back by more, the next moment is due at once, and one more as
 * soon as it may be, since a `Track` goes by a new clock from its second sample on. A heartbeat is counted by
 * the time that passes, so no step delays it.
 *
 * @example
 * ```ts
 * const sender = new Sender({ tolerance: 2 });
 * let pos = [0, 0], vel = [100, 0];
 * for (let t = 0; t < 1000; t += 16) {
 *   pos = [pos[0] + vel[0] * 0.016, 0];
 *   if (sender.due({ t, pos, vel })) console.log("send", t, pos, vel);
 * }
 * ```
 */
export class Sender {
  #track: Track;
  readonly #makeTrack: () => Track;
  readonly #tolerance: number;
  readonly #angles: readonly number[];
  readonly #heartbeatMs: number;
  readonly #minIntervalMs: number;
  /** The time of the last update, -Infinity if it is of no account. */
  #sentMs = -Infinity;
  /** How much time has passed since then, and when that was counted last. */
  #silentMs = Infinity;
  #countedMs = NaN;
  #dims = 0;
  /** How many more samples receivers must get before they go by the new clock, or the new dimensions. */
  #unconvinced = 0;

  /**
   * Makes a sender that has sent nothing yet.
   *
   * @throws {RangeError} if an option is out of its range.
   * @throws {TypeError} if an option is of the wrong type or none at all, or `tolerance` is missing.
   */
  constructor(options: SenderOptions) {
    const checked = checkOptions("sender", options, SENDER_ALLOWED);
    const { tolerance, heartbeatMs = DEFAULT_HEARTBEAT_MS, minIntervalMs = 0, strategy = "blend" } = checked;
    const { order, filter, advance } = checked;
    if (tolerance === undefined) {
      throw new TypeError("Cannot make sender: tolerance is missing, a number of 0 or more is required");
    }
    const angles = [...new Set(checked.angles)];
    this.#tolerance = tolerance;
    this.#angles = angles;
    this.#heartbeatMs = heartbeatMs;
    this.#minIntervalMs = minIntervalMs;
    // A receiver's gliding and waiting are its own affair: what counts is what it believes.
    const believing = strategy === "blend" || strategy === "interpolate" ? "history" : strategy;
    const maxExtrapolateMs = heartbeatMs + 1_000;
    this.#makeTrack = () =>
      new Track({ strategy: believing, order, filter, angles, advance, maxExtrapolateMs });
    this.#track = this.#makeTrack();
  }

  /**
   * Says whether to send this moment of the object, and if so takes it as sent. The first one always is due,
   * and so is a teleport, and the first one after the clock went back by more than that or `pos` changed its
   * length.
   *
   * @param sample where the object is now; `t` is required, in milliseconds.
   * @returns false also for what no receiver would take: a number that is NaN, infinite or beyond
   * `MAX_NUMBER`, lists that are empty or of different lengths, the same time again. Such a moment changes
   * nothing.
   * @throws {TypeError} if `t` is missing.
   * @throws what the option `advance` throws.
   */
  due(sample: Sample): boolean {
    if (typeof sample !== "object" || sample === null) return false;
    const { t, pos, vel, acc, teleport } = sample;
    if (t === undefined) {
      throw new TypeError("Cannot judge sample: it has no t, a time in milliseconds is required");
    }
    if (!isUsable(t) || !isVector(pos)) return false;
    if (!isVectorOrMissing(vel, pos.length) || !isVectorOrMissing(acc, pos.length)) return false;

    if (t > this.#countedMs) this.#silentMs += t - this.#countedMs;
    this.#countedMs = t;
    if (t < this.#sentMs - MAX_AHEAD_MS) this.#beginAnew(1);
    if (this.#dims !== pos.length && this.#dims !== 0) this.#beginAnew(DIMENSION_CHANGE_SAMPLES - 1);
    this.#dims = pos.length;

    // Receivers have a later moment, and take this one for a late one.
    const isBehind = t < this.#sentMs;
    if (teleport !== true) {
      if (this.#silentMs < this.#minIntervalMs) return false;
      const isLate = this.#silentMs >= this.#heartbeatMs || this.#unconvinced > 0;
      if (!isLate && (isBehind || this.#error(pos, this.#track.at(t).pos) <= this.#tolerance)) return false;
    }
    if (!isBehind) {
      if (!this.#track.push(sample, t)) return false;
      if (this.#sentMs !== -Infinity && this.#unconvinced > 0) this.#unconvinced--;
      this.#sentMs = t;
    }
    this.#silentMs = 0;
    return true;
  }

  /** Forgets what was sent: receivers will, with so many samples after the next one. */
  #beginAnew(samples: number): void {
    this.#track = this.#makeTrack();
    this.#sentMs = -Infinity;
    this.#silentMs = Infinity;
    this.#unconvinced = samples;
  }

  #error(pos: readonly number[], believed: readonly number[]): number {
    let squared = distance(pos, believed) ** 2;
    for (const index of this.#angles) {
      const apart = pos[index] - believed[index];
      squared += wrapAngle(apart) ** 2 - apart ** 2;
    }
    return Math.sqrt(Math.max(0, squared));
  }
}
