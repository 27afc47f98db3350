// Everything that draws in the measure, behind one small face: our strategies, the formula of the old example
// and @geckos.io/snapshot-interpolation. Each gets the same samples at the same times.

import { SnapshotInterpolation } from "npm:@geckos.io/snapshot-interpolation@1.1.1";
import { type Motion, Track, type TrackOptions } from "../../motion.ts";

/** A sample as it arrives. */
export interface Arrived {
  t: number;
  pos: [number, number];
  vel: [number, number];
}

/** What one frame shows. */
export interface Drawn {
  x: number;
  y: number;
  /** Milliseconds between now and the moment that is drawn. */
  delay: number;
  starved: boolean;
}

/** Draws one object. */
export interface Contender {
  push(sample: Arrived, nowMs: number): void;
  draw(nowMs: number, out: Drawn): void;
}

/** A name for the table and how to make one for an object whose samples come this often. */
export interface Entry {
  name: string;
  make(rateHz: number): Contender;
}

/** How a sender's clock is off in the entry that has to find out, in milliseconds. */
const FOREIGN_CLOCK_MS = 86_400_123;

class OurTrack implements Contender {
  readonly #track: Track;
  readonly #motion: Motion = { pos: [], vel: [], age: 0, delay: 0, starved: true };
  readonly #foreignMs: number;

  constructor(options: TrackOptions) {
    this.#track = new Track(options);
    this.#foreignMs = options.clock === "sender" ? FOREIGN_CLOCK_MS : 0;
  }

  push(sample: Arrived, nowMs: number): void {
    const t = sample.t + this.#foreignMs;
    if (!this.#track.push({ t, pos: sample.pos, vel: sample.vel }, nowMs)) {
      throw new Error("a sample was refused");
    }
  }

  draw(nowMs: number, out: Drawn): void {
    const { pos, delay, starved } = this.#track.at(nowMs, this.#motion);
    out.x = pos[0];
    out.y = pos[1];
    out.delay = delay;
    out.starved = starved;
  }
}

/** The old example: position + speed x time since arrival. */
class OldFormula implements Contender {
  #newest: Arrived | undefined;
  #arrivedMs = 0;

  push(sample: Arrived, nowMs: number): void {
    this.#newest = sample;
    this.#arrivedMs = nowMs;
  }

  draw(nowMs: number, out: Drawn): void {
    const { pos, vel } = this.#newest!;
    const seconds = (nowMs - this.#arrivedMs) / 1000;
    out.x = pos[0] + vel[0] * seconds;
    out.y = pos[1] + vel[1] * seconds;
    out.delay = 0;
    out.starved = false;
  }
}

/** The time that @geckos.io/snapshot-interpolation sees; it asks a clock of its own. */
let geckosNowMs = 0;
SnapshotInterpolation.Now = () => geckosNowMs;

/** With its defaults: a buffer of three intervals, linear between snapshots, nothing beyond the newest. */
class Geckos implements Contender {
  readonly #interpolation: SnapshotInterpolation;
  readonly #last: Drawn = { x: 0, y: 0, delay: 0, starved: true };
  #count = 0;

  constructor(rateHz: number) {
    this.#interpolation = new SnapshotInterpolation(rateHz);
  }

  push(sample: Arrived, nowMs: number): void {
    geckosNowMs = nowMs;
    const [x, y] = sample.pos;
    const state = [{ id: "a", x, y }];
    this.#interpolation.snapshot.add({ id: String(this.#count++), time: sample.t, state });
    if (this.#count === 1) Object.assign(this.#last, { x, y });
  }

  draw(nowMs: number, out: Drawn): void {
    geckosNowMs = nowMs;
    const shown = this.#interpolation.calcInterpolation("x y")?.state[0];
    this.#last.starved = shown === undefined;
    if (shown !== undefined) {
      this.#last.x = Number(shown.x);
      this.#last.y = Number(shown.y);
      this.#last.delay = nowMs - this.#interpolation.serverTime;
    } else {
      this.#last.delay += 1000 / 60;
    }
    Object.assign(out, this.#last);
  }
}

/** Makes an entry of our own. */
export function ours(name: string, options: TrackOptions): Entry {
  return { name, make: () => new OurTrack(options) };
}

/** The default strategy's name in tables. */
export const DEFAULT_NAME = "blend (default)";
/** The peers' names in tables. */
export const OLD_NAME = "old formula";
export const GECKOS_NAME = "geckos SI 1.1.1";

/** All that draw, in the order of the tables. */
export const ENTRIES: readonly Entry[] = [
  { name: OLD_NAME, make: () => new OldFormula() },
  { name: GECKOS_NAME, make: (rateHz) => new Geckos(rateHz) },
  ours("hold", { strategy: "hold" }),
  ours("speed", { strategy: "speed" }),
  ours("speed, order 2", { strategy: "speed", order: 2 }),
  ours("history", { strategy: "history" }),
  ours("history, alpha-beta", { strategy: "history", filter: "alpha-beta" }),
  ours(DEFAULT_NAME, { strategy: "blend" }),
  ours("blend, sender's clock", { strategy: "blend", clock: "sender" }),
  ours("interpolate", { strategy: "interpolate" }),
];
