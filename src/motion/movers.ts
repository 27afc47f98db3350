// The five ways to draw an object, each usable alone: a mover takes note of new samples and writes where the object
// is to be drawn. Samples are already checked and in order when they get here. Used by Track.

import { Correction, LOOK_AHEAD_MS } from "./correct.ts";
import type { Estimator } from "./estimate.ts";
import type { History, Slot } from "./history.ts";
import { MAX_STARVED_MS, Playout } from "./playout.ts";
import { extrapolate, fadedTopSpeed, hermite, hermiteSlope, type Reach } from "./predict.ts";
import { emptyMotion, type Kinematics, length, type Motion } from "./types.ts";

/** What happened when a sample was taken. */
export type Arrival =
  /** It is the newest and goes on from the one before. */
  | "next"
  /** It is older than the newest. */
  | "late"
  /** The object appeared here: draw it here at once. */
  | "snap"
  /** Times before and after can't be compared, places can. */
  | "restart";

/** Draws one object. */
export interface Mover {
  /** How many samples the history must hold for this mover. */
  readonly samples: number;
  /** Takes note of what is drawn now, just before a sample goes into the history; it holds one already. */
  before(history: History, nowMs: number): void;
  /** Takes note of a sample that is in the history now. */
  arrived(history: History, nowMs: number, arrival: Arrival): void;
  /** Writes where the object is at this time; only called when the history holds a sample. */
  draw(history: History, nowMs: number, out: Motion): void;
}

/** Takes away dimensions that a motion has from an earlier use; missing ones come with the drawing. */
function limitDimensions(motion: Motion, dims: number): void {
  if (motion.pos.length > dims) motion.pos.length = dims;
  if (motion.vel.length > dims) motion.vel.length = dims;
}

/** Draws the extrapolated belief as it is, so that a new sample moves the object at once: `hold`, `speed`, `history`. */
export class Predicting implements Mover {
  readonly samples = 8;
  readonly #estimator: Estimator;
  readonly #reach: Reach;

  constructor(estimator: Estimator, reach: Reach) {
    this.#estimator = estimator;
    this.#reach = reach;
  }

  /** The highest speed of late, in units per second. */
  get topSpeed(): number {
    return this.#estimator.state.topSpeed;
  }

  before(): void {}

  arrived(history: History, _nowMs: number, arrival: Arrival): void {
    if (arrival === "late") return;
    const { t: beforeMs, topSpeed } = this.#estimator.state;
    if (arrival !== "next") this.#estimator.reset();
    this.#estimator.update(history);
    const { state } = this.#estimator;
    const newest = history.newest!;
    const speed = length(newest.hasVel ? newest.vel : state.vel);
    state.topSpeed = fadedTopSpeed(topSpeed, state.t - beforeMs, speed);
  }

  draw(_history: History, nowMs: number, out: Motion): void {
    const { state } = this.#estimator;
    limitDimensions(out, state.pos.length);
    extrapolate(state, nowMs, this.#reach, out.pos, out.vel);
    out.age = nowMs - state.t;
    out.delay = 0;
    out.starved = out.age > this.#reach.maxExtrapolateMs;
  }
}

/** The longest time between frames that a correction may start early by, in milliseconds. */
const LONGEST_FRAME_MS = 50;

/** A drawing that is remembered. */
type Seen = Pick<Kinematics, "t" | "pos" | "vel">;

/** Draws the extrapolated belief, gliding from an old belief to a new one: `blend`. */
export class Blending implements Mover {
  readonly samples = 8;
  readonly #predicting: Predicting;
  readonly #correction: Correction;
  /** What is drawn just before a sample, believed just after it, and believed for soon; of no use after that. */
  readonly #drawn: Motion = emptyMotion();
  readonly #believed: Motion = emptyMotion();
  readonly #soon: Motion = emptyMotion();
  /** What was seen last, and when. */
  readonly #last: Seen = { t: -Infinity, pos: [], vel: [] };
  /** When the correction that begins with the next sample started to be seen. */
  #fromMs = 0;

  constructor(estimator: Estimator, reach: Reach, hurry?: number, blendMs?: number) {
    this.#predicting = new Predicting(estimator, reach);
    this.#correction = new Correction(hurry, blendMs);
  }

  before(history: History, nowMs: number): void {
    const passedMs = nowMs - this.#last.t;
    if (!(passedMs >= 0 && passedMs <= LONGEST_FRAME_MS)) {
      this.#fromMs = nowMs;
      this.#believe(history, nowMs, this.#drawn);
      return;
    }
    // Several samples may come between two drawings: each starts from what was seen last, not from the one before it.
    this.#fromMs = this.#last.t;
    for (let d = 0; d < this.#last.pos.length; d++) {
      this.#drawn.pos[d] = this.#last.pos[d] + this.#last.vel[d] * passedMs / 1000;
      this.#drawn.vel[d] = this.#last.vel[d];
    }
  }

  arrived(history: History, nowMs: number, arrival: Arrival): void {
    if (arrival === "late") return;
    this.#predicting.arrived(history, nowMs, arrival);
    this.#predicting.draw(history, nowMs, this.#believed);
    if (arrival === "snap") this.#correction.end();
    else {
      this.#predicting.draw(history, nowMs + LOOK_AHEAD_MS, this.#soon);
      const { topSpeed } = this.#predicting;
      this.#correction.begin(this.#fromMs, this.#drawn, this.#believed, this.#soon.vel, topSpeed);
    }
  }

  draw(history: History, nowMs: number, out: Motion): void {
    this.#believe(history, nowMs, out);
    this.#last.t = nowMs;
    for (let d = 0; d < out.pos.length; d++) {
      this.#last.pos[d] = out.pos[d];
      this.#last.vel[d] = out.vel[d];
    }
  }

  #believe(history: History, nowMs: number, out: Motion): void {
    this.#predicting.draw(history, nowMs, out);
    this.#correction.apply(nowMs, out.pos, out.vel);
  }
}

/** How many samples are kept to draw the past from: two seconds at 60 Hz. */
const PAST_SAMPLES = 128;

/** Draws the recent past between two samples, a little late and never guessed while samples come in time: `interpolate`. */
export class Interpolating implements Mover {
  readonly samples = PAST_SAMPLES;
  readonly #playout: Playout;
  readonly #correction: Correction = new Correction();
  /** What is drawn just before a sample and just after it; of no use after that. */
  readonly #drawn: Motion = emptyMotion();
  readonly #believed: Motion = emptyMotion();
  #topSpeed = 0;
  #newestMs = 0;
  #known = false;

  constructor(delayMs?: number) {
    this.#playout = new Playout(delayMs);
  }

  before(history: History, nowMs: number): void {
    this.draw(history, nowMs, this.#drawn);
  }

  arrived(history: History, nowMs: number, arrival: Arrival): void {
    const newest = history.newest!;
    if (arrival === "restart") this.#playout.restart();
    if (arrival !== "late") this.#playout.arrived(newest.t, nowMs);
    this.#believe(history, nowMs, this.#believed);
    this.#topSpeed = fadedTopSpeed(this.#topSpeed, newest.t - this.#newestMs, length(newest.vel));
    this.#newestMs = newest.t;
    // A first sample has nothing before it; a teleport is cut out of the past where the drawn time passes it.
    if (this.#known) {
      this.#correction.begin(nowMs, this.#drawn, this.#believed, this.#believed.vel, this.#topSpeed);
    }
    this.#known = true;
  }

  draw(history: History, nowMs: number, out: Motion): void {
    this.#believe(history, nowMs, out);
    this.#correction.apply(nowMs, out.pos, out.vel);
  }

  #believe(history: History, nowMs: number, out: Motion): void {
    const playMs = this.#playout.advance(nowMs);
    const { slots } = history;
    limitDimensions(out, slots[0].pos.length);
    let i = slots.length - 1;
    while (i > 0 && slots[i].t > playMs) i--;
    const from = slots[i];
    const to: Slot | undefined = slots[i + 1];
    if (to === undefined || to.cut) along(from, playMs, out);
    else if (playMs <= from.t) along(from, from.t, out);
    else between(from, to, playMs, out);
    out.age = nowMs - slots[slots.length - 1].t;
    out.delay = nowMs - playMs;
    out.starved = playMs > slots[slots.length - 1].t;
  }
}

/** Goes on from a sample with its velocity, as far as the drawn time may run without the next one. */
function along(from: Slot, playMs: number, out: Motion): void {
  const beyondMs = Math.max(0, Math.min(playMs - from.t, MAX_STARVED_MS));
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = from.pos[d] + from.vel[d] * beyondMs / 1000;
    out.vel[d] = from.vel[d] * (1 - beyondMs / MAX_STARVED_MS);
  }
}

function between(from: Slot, to: Slot, playMs: number, out: Motion): void {
  const seconds = (to.t - from.t) / 1000;
  const share = (playMs - from.t) / 1000 / seconds;
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = hermite(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
    out.vel[d] = hermiteSlope(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
  }
}
