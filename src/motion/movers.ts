// The five ways to draw an object, each usable alone: a mover takes note of new samples and writes where the
// object is to be drawn. Samples are already checked and in order when they get here.

import { type Glide, HURRY, LEAP_SECONDS, type Place, Pursuit } from "./correct.ts";
import type { Estimator } from "./estimate.ts";
import { type History, OUT_OF_PROPORTION, type Slot } from "./history.ts";
import { AWAY_MS, MAX_STARVED_MS, Playout } from "./playout.ts";
import { extrapolate, fadedTopSpeed, hermite, hermiteSlope, type Reach } from "./predict.ts";
import { length, type Motion } from "./types.ts";

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
  /**
   * Takes note that the clock reads this many milliseconds more from now on; `isNewClock` if the times of
   * samples do so too, so that what lies between both stays.
   */
  shift(ms: number, isNewClock: boolean): void;
  /** Says that what was drawn was wrong: what is believed is drawn at once. */
  snap(): void;
  /** Takes note of a sample that is in the history now. */
  arrived(history: History, nowMs: number, arrival: Arrival): void;
  /** Writes where the object is at this time; only called when the history holds a sample. */
  draw(history: History, nowMs: number, out: Motion): void;
}

/** Takes away dimensions that a motion has from an earlier use; missing ones come with the drawing. */
function limitDimensions(motion: Place, dims: number): void {
  if (motion.pos.length > dims) motion.pos.length = dims;
  if (motion.vel.length > dims) motion.vel.length = dims;
}

/**
 * Draws the extrapolated belief as it is, so that a new sample moves the object at once: `hold`, `speed`,
 * `history`.
 */
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

  shift(): void {}

  snap(): void {}

  arrived(history: History, _nowMs: number, arrival: Arrival): void {
    if (arrival === "late") return;
    const { t: beforeMs, topSpeed } = this.#estimator.state;
    if (arrival !== "next") this.#estimator.reset();
    this.#estimator.update(history);
    const { state } = this.#estimator;
    const newest = history.newest!;
    const speed = length(newest.hasVel ? newest.vel : state.vel);
    state.topSpeed = inProportion(fadedTopSpeed(topSpeed, state.t - beforeMs, speed), speed, history);
  }

  /** Writes where the object is now believed to have been, also at a time before the newest sample. */
  recall(timeMs: number, out: Place): void {
    const { state } = this.#estimator;
    limitDimensions(out, state.pos.length);
    if (timeMs >= state.t) return extrapolate(state, timeMs, this.#reach, out.pos, out.vel);
    const back = (state.t - timeMs) / 1000;
    for (let d = 0; d < state.pos.length; d++) {
      out.vel[d] = state.vel[d] - state.acc[d] * back;
      out.pos[d] = state.pos[d] - (state.vel[d] + out.vel[d]) / 2 * back;
    }
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

/** Where the object of a drawing was in its last one: room that all movers share, of no use after that. */
const recalled: Place = { pos: [], vel: [] };

/** Draws the extrapolated belief, gliding from an old belief to a new one: `blend`. */
export class Blending implements Mover {
  readonly samples = 8;
  readonly #predicting: Predicting;
  readonly #glide: Glide;
  /** True if a sample came since the last drawing. */
  #changed = false;

  constructor(estimator: Estimator, reach: Reach, glide: Glide) {
    this.#predicting = new Predicting(estimator, reach);
    this.#glide = glide;
  }

  shift(ms: number): void {
    this.#glide.shift(ms);
  }

  snap(): void {
    this.#glide.snap();
  }

  arrived(history: History, nowMs: number, arrival: Arrival): void {
    if (arrival === "late") return;
    this.#predicting.arrived(history, nowMs, arrival);
    if (arrival === "snap") this.#glide.snap();
    this.#changed = true;
  }

  draw(history: History, nowMs: number, out: Motion): void {
    if (this.#changed) {
      this.#predicting.recall(this.#glide.lastMs, recalled);
      this.#glide.correct(recalled, this.#predicting.topSpeed);
      this.#changed = false;
    }
    this.#predicting.draw(history, nowMs, out);
    this.#glide.apply(nowMs, out.pos, out.vel);
  }
}

/** How many samples are kept to draw the past from: two seconds at 60 Hz. */
const PAST_SAMPLES = 128;

/**
 * Draws the recent past between two samples, a little late and never guessed while samples come in time:
 * `interpolate`.
 */
export class Interpolating implements Mover {
  readonly samples = PAST_SAMPLES;
  readonly #playout: Playout;
  readonly #glide: Glide = new Pursuit(HURRY, LEAP_SECONDS);
  #topSpeed = 0;
  #newestMs = 0;
  /** The moment that was drawn last. */
  #playedMs = Infinity;
  /** True if a sample came since then. */
  #changed = false;

  constructor(delayMs?: number) {
    this.#playout = new Playout(delayMs);
  }

  shift(ms: number, isNewClock: boolean): void {
    this.#glide.shift(ms);
    // The moment that was drawn last is a time of samples.
    if (isNewClock) this.#playedMs += ms;
    else this.#playout.shift(ms);
  }

  snap(): void {
    this.#glide.snap();
  }

  arrived(history: History, nowMs: number, arrival: Arrival): void {
    const newest = history.newest!;
    if (arrival === "restart") this.#playout.restart();
    if (arrival !== "late") this.#playout.arrived(newest.t, nowMs);
    const speed = length(newest.vel);
    const topSpeed = fadedTopSpeed(this.#topSpeed, newest.t - this.#newestMs, speed);
    this.#topSpeed = inProportion(topSpeed, speed, history);
    this.#newestMs = newest.t;
    // A teleport is cut out of the past where the drawn time passes it.
    this.#changed = true;
  }

  draw(history: History, nowMs: number, out: Motion): void {
    const { slots } = history;
    if (this.#changed) {
      past(slots, this.#playedMs, recalled);
      this.#glide.correct(recalled, this.#topSpeed);
    }
    const playMs = this.#playout.advance(nowMs);
    const from = past(slots, playMs, out);
    out.age = nowMs - slots[slots.length - 1].t;
    out.delay = nowMs - playMs;
    out.starved = playMs > slots[slots.length - 1].t;
    if (cutBetween(slots, from, this.#playedMs)) this.#glide.snap();
    // Where the drawn moment was taken up anew, what is drawn may be a leap away.
    this.#changed = Math.abs(playMs - this.#playedMs) > AWAY_MS;
    this.#playedMs = playMs;
    this.#glide.apply(nowMs, out.pos, out.vel);
  }
}

/** Gives a top speed that isn't beyond all that the object does now: an absurd one would fade for hours. */
function inProportion(topSpeed: number, speed: number, history: History): number {
  if (speed === 0 || topSpeed <= OUT_OF_PROPORTION * speed) return topSpeed;
  const fastest = history.fastest();
  return topSpeed > OUT_OF_PROPORTION * fastest ? fastest : topSpeed;
}

/**
 * Says whether the object appeared at this sample, or at one before it, after the moment that was drawn last.
 */
function cutBetween(slots: readonly Slot[], index: number, playedMs: number): boolean {
  for (let i = index; i >= 0 && slots[i].t > playedMs; i--) if (slots[i].cut) return true;
  return false;
}

/**
 * Writes where the object was, or after its newest sample may be, and gives the index of the sample before
 * that.
 */
function past(slots: readonly Slot[], timeMs: number, out: Place): number {
  limitDimensions(out, slots[0].pos.length);
  let i = slots.length - 1;
  while (i > 0 && slots[i].t > timeMs) i--;
  const from = slots[i];
  const to: Slot | undefined = slots[i + 1];
  if (to === undefined || to.cut) along(from, timeMs, out);
  else if (timeMs <= from.t) along(from, from.t, out);
  else between(from, to, timeMs, out);
  return i;
}

/** Goes on from a sample with its velocity, as far as the drawn time may run without the next one. */
function along(from: Slot, playMs: number, out: Place): void {
  const beyondMs = Math.max(0, Math.min(playMs - from.t, MAX_STARVED_MS));
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = from.pos[d] + from.vel[d] * beyondMs / 1000;
    out.vel[d] = from.vel[d] * (1 - beyondMs / MAX_STARVED_MS);
  }
}

function between(from: Slot, to: Slot, playMs: number, out: Place): void {
  const seconds = (to.t - from.t) / 1000;
  const share = (playMs - from.t) / 1000 / seconds;
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = hermite(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
    out.vel[d] = hermiteSlope(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
  }
}
