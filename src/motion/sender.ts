// Says when an object's owner has to send, by running the same guess as its receivers: dead reckoning on the sending
// side. Sends nothing itself. Used by programs that own objects; part of the public motion.ts.

import { wrapAngle } from "./predict.ts";
import { Track, type TrackOptions } from "./track.ts";
import { distance, type Sample } from "./types.ts";

/** When to send. */
export interface SenderOptions
  extends Pick<TrackOptions, "strategy" | "order" | "filter" | "angles" | "advance"> {
  /** How far, in units, receivers may be off before an update is due. An angle counts by its radians. */
  tolerance: number;
  /** The longest silence in milliseconds, default 1000: newcomers and lost objects wait no longer than this. */
  heartbeatMs?: number;
  /** The shortest time between two updates in milliseconds, default 0. */
  minIntervalMs?: number;
}

/** The silence after which an update is due anyway, in milliseconds. IEEE 1278.1 has 5000; a lab game is joined sooner. */
export const DEFAULT_HEARTBEAT_MS = 1_000;

/**
 * Runs the receivers' model of an object that this program owns, and says when it has gone wrong by more than
 * `tolerance`: as IEEE 1278.1 (DIS) does it. An object that moves as foreseen costs one update per heartbeat.
 *
 * Receivers are best off with the same `strategy`, and with `maxExtrapolateMs` above `heartbeatMs`.
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
  readonly #track: Track;
  readonly #tolerance: number;
  readonly #angles: readonly number[];
  readonly #heartbeatMs: number;
  readonly #minIntervalMs: number;
  #sentMs = -Infinity;

  /**
   * Makes a sender that has sent nothing yet.
   *
   * @throws {RangeError} if a limit is negative or not a number.
   */
  constructor(options: SenderOptions) {
    const { tolerance, heartbeatMs = DEFAULT_HEARTBEAT_MS, minIntervalMs = 0, strategy = "blend" } = options;
    for (const [name, value] of Object.entries({ tolerance, heartbeatMs, minIntervalMs })) {
      if (!(value >= 0)) {
        throw new RangeError(`Cannot make sender: ${name} is ${value}, 0 or more is allowed`);
      }
    }
    this.#tolerance = tolerance;
    this.#angles = options.angles ?? [];
    this.#heartbeatMs = heartbeatMs;
    this.#minIntervalMs = minIntervalMs;
    // A receiver's gliding and waiting are its own affair: what counts is what it believes.
    const believing = strategy === "blend" || strategy === "interpolate" ? "history" : strategy;
    this.#track = new Track({ ...options, strategy: believing, maxExtrapolateMs: heartbeatMs + 1_000 });
  }

  /**
   * Says whether to send this moment of the object, and if so takes it as sent. The first one always is due, and so
   * is a teleport.
   *
   * @param sample where the object is now; `t` is required, in milliseconds.
   * @throws {TypeError} if `t` is missing.
   */
  due(sample: Sample): boolean {
    const { t } = sample;
    if (t === undefined) {
      throw new TypeError("Cannot judge sample: it has no t, a time in milliseconds is required");
    }
    const silentMs = t - this.#sentMs;
    if (sample.teleport !== true) {
      if (silentMs < this.#minIntervalMs) return false;
      if (silentMs < this.#heartbeatMs && this.#error(sample.pos, this.#track.at(t).pos) <= this.#tolerance) {
        return false;
      }
    }
    if (!this.#track.push(sample, t)) return false;
    this.#sentMs = t;
    return true;
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
