// Keeps one noisy host from filling the log: at most one line a second of each kind and host, which says how
// many it stands for. Pure: the caller passes time.

import type { LogFunction, LogLevel } from "./log.ts";

/** How many kinds and hosts are told apart; further hosts share one count for each kind. */
const MAX_NOISES = 1000;

/** How far apart two lines of one kind about one host are at least, in ms. */
const NOISE_MS = 1000;

interface Noise {
  loggedAt: number;
  heldBack: number;
  level: LogLevel;
  message: string;
  /** Those of the newest line. */
  fields: Record<string, string | number>;
}

/** A log that holds back repetitions. Lines below "warn" and lines without an address pass as they are. */
export class NoiseFilter {
  readonly #write: LogFunction;
  readonly #clock: () => number;
  readonly #noises = new Map<string, Noise>();

  constructor(write: LogFunction, clock: () => number) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Takes one log line. */
  readonly log: LogFunction = (level, message, fields = {}) => {
    if (typeof fields.address !== "string" || level === "debug" || level === "info") {
      return this.#write(level, message, fields);
    }
    const host = fields.address.slice(0, fields.address.lastIndexOf(":"));
    let key = `${host} ${message}`;
    if (this.#noises.size >= MAX_NOISES && !this.#noises.has(key)) key = message;
    const noise = this.#noises.get(key);
    if (noise !== undefined) {
      noise.heldBack++;
      noise.fields = fields;
      return;
    }
    this.#noises.set(key, { loggedAt: this.#clock(), heldBack: 0, level, message, fields });
    this.#write(level, message, fields);
  };

  /**
   * Writes what was held back for a second, with a `count` of the lines. To be called every so often, and
   * with Infinity in the end.
   */
  flush(nowMs: number): void {
    for (const [key, noise] of this.#noises) {
      const { loggedAt, heldBack, level, message, fields } = noise;
      if (nowMs - loggedAt < NOISE_MS) continue;
      if (heldBack === 0) this.#noises.delete(key);
      else {
        this.#write(level, message, { ...fields, count: heldBack });
        noise.loggedAt = nowMs;
        noise.heldBack = 0;
      }
    }
  }
}
