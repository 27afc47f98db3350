// Runs one object through one network past one contender, frame by frame, and turns what was drawn into
// numbers. Pure and seeded: the same scene gives the same numbers. No printing.

import type { Contender, Drawn, Entry } from "./contenders.ts";
import { deliver, type Network } from "./networks.ts";
import { type Body, type Path, run, STEPS_HZ } from "./paths.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { mixSeed } from "./random.ts";

/** Frames a second. */
export const FRAMES_HZ = 60;
const STEPS_PER_FRAME = STEPS_HZ / FRAMES_HZ;
const STEP_MS = 1000 / STEPS_HZ;

/** What is not counted at the start of a run, while delays are still being learned. */
const WARM_UP_S = 3;

/** A frame that moves the object by this much more than the truth moved in any frame of late is a jump. */
export const JUMP_PX = 2;
/**
 * How long "of late" is, in frames: three seconds, so that what is drawn late, or made good after a spike of
 * a second, is compared with how the object moved then.
 */
const JUMP_MEMORY_FRAMES = 3 * FRAMES_HZ;

/** One object, its samples and when they arrive. */
export interface Scene {
  truth: readonly Body[];
  /** Index into `truth` of each sample. */
  sampled: readonly number[];
  arrivalMs: readonly number[];
  /** For each frame the longest way that the truth went within one frame of late, in pixels. */
  longestStep: Float64Array;
}

/** The errors and jumps of one or several runs. */
export interface Tally {
  /** Distances to the truth now, in pixels, a number a frame. */
  now: number[];
  /** Distances to the truth at the drawn time. */
  then: number[];
  delaySum: number;
  starved: number;
  jumps: number;
  /** Sum of the squared change of step between frames, less none: how restless it looks. */
  restless: number;
  frames: number;
}

/** Makes a tally of nothing. */
export function emptyTally(): Tally {
  return { now: [], then: [], delaySum: 0, starved: 0, jumps: 0, restless: 0, frames: 0 };
}

/**
 * Makes a scene: a run of the path, sampled at a rate from a random moment on, and sent through the network.
 */
export function makeScene(
  path: Path,
  network: Network,
  rateHz: number,
  seconds: number,
  seed: number,
): Scene {
  const truth = run(path, seconds, seededRandom(mixSeed(seed, 1)));
  const random = seededRandom(mixSeed(seed, 2, rateHz));
  const every = STEPS_HZ / rateHz;
  const sampled: number[] = [];
  for (let i = Math.floor(random() * every); i < truth.length; i += every) sampled.push(i);
  return sceneOf(truth, sampled, network, seed);
}

/** Makes a scene of a known truth and the steps at which it was sent. */
export function sceneOf(
  truth: readonly Body[],
  sampled: readonly number[],
  network: Network,
  seed: number,
): Scene {
  const arrivalMs = deliver(network, sampled.map((i) => i * STEP_MS), seededRandom(mixSeed(seed, 3)));
  return { truth, sampled, arrivalMs, longestStep: longestSteps(truth) };
}

/** Visits every frame: its time, the step of the truth, and how many samples have arrived by then. */
export function eachFrame(scene: Scene, visit: (nowMs: number, step: number, arrived: number) => void): void {
  let arrived = 0;
  for (let step = 0; step < scene.truth.length; step += STEPS_PER_FRAME) {
    const nowMs = step * STEP_MS;
    while (arrived < scene.arrivalMs.length && scene.arrivalMs[arrived] <= nowMs) arrived++;
    if (arrived > 0) visit(nowMs, step, arrived);
  }
}

/** Draws a scene and adds what came of it to the tally. `onFrame`, if given, sees every counted frame. */
export function measure(
  scene: Scene,
  entry: Entry,
  rateHz: number,
  tally: Tally,
  onFrame?: (nowMs: number, drawn: Drawn, truth: Body) => void,
): void {
  const contender: Contender = entry.make(rateHz);
  const drawn: Drawn = { x: 0, y: 0, delay: 0, starved: true };
  let pushed = 0;
  measureDrawing(
    scene,
    (nowMs, _step, arrived) => {
      for (; pushed < arrived; pushed++) {
        const body = scene.truth[scene.sampled[pushed]];
        const t = scene.sampled[pushed] * STEP_MS;
        contender.push({ t, pos: [body.x, body.y], vel: [body.vx, body.vy] }, nowMs);
      }
      contender.draw(nowMs, drawn);
      return drawn;
    },
    tally,
    onFrame,
  );
}

/** Like {@linkcode measure}, for any function that gives what a frame shows. */
export function measureDrawing(
  scene: Scene,
  draw: (nowMs: number, step: number, arrived: number) => Drawn,
  tally: Tally,
  onFrame?: (nowMs: number, drawn: Drawn, truth: Body) => void,
): void {
  const { truth } = scene;
  let x = NaN, y = NaN, stepX = NaN, stepY = NaN;
  eachFrame(scene, (nowMs, step, arrived) => {
    const drawn = draw(nowMs, step, arrived);
    const dx = drawn.x - x;
    const dy = drawn.y - y;
    if (nowMs >= WARM_UP_S * 1000 && !Number.isNaN(dx)) {
      const body = truth[step];
      tally.now.push(Math.hypot(drawn.x - body.x, drawn.y - body.y));
      tally.then.push(errorThen(truth, nowMs - drawn.delay, drawn));
      tally.delaySum += drawn.delay;
      if (drawn.starved) tally.starved++;
      if (Math.hypot(dx, dy) > reachAt(scene, step)) tally.jumps++;
      if (!Number.isNaN(stepX)) tally.restless += (dx - stepX) ** 2 + (dy - stepY) ** 2;
      tally.frames++;
      onFrame?.(nowMs, drawn, body);
    }
    x = drawn.x;
    y = drawn.y;
    stepX = dx;
    stepY = dy;
  });
}

function errorThen(truth: readonly Body[], timeMs: number, drawn: Drawn): number {
  const at = Math.max(0, Math.min(timeMs / STEP_MS, truth.length - 1));
  const i = Math.floor(at);
  const a = truth[i];
  const b = truth[Math.min(i + 1, truth.length - 1)];
  const share = at - i;
  return Math.hypot(drawn.x - a.x - (b.x - a.x) * share, drawn.y - a.y - (b.y - a.y) * share);
}

function longestSteps(truth: readonly Body[]): Float64Array {
  const frames = Math.floor((truth.length - 1) / STEPS_PER_FRAME) + 1;
  const ways = new Float64Array(frames);
  for (let frame = 1; frame < frames; frame++) {
    const to = truth[frame * STEPS_PER_FRAME];
    const from = truth[(frame - 1) * STEPS_PER_FRAME];
    ways[frame] = Math.hypot(to.x - from.x, to.y - from.y);
  }
  return ways.map((_, frame) => {
    let longest = 0;
    for (let k = Math.max(0, frame - JUMP_MEMORY_FRAMES + 1); k <= frame; k++) {
      longest = Math.max(longest, ways[k]);
    }
    return longest;
  });
}

/** Says how far a drawing may go in the frame at this step without its being a jump, in pixels. */
export function reachAt(scene: Scene, step: number): number {
  return scene.longestStep[step / STEPS_PER_FRAME] + JUMP_PX;
}

/** The numbers of a tally. */
export interface Figures {
  rmse: number;
  p95: number;
  max: number;
  rmseThen: number;
  p95Then: number;
  maxThen: number;
  delayMs: number;
  jumpsPerMinute: number;
  restless: number;
  starvedShare: number;
}

/** Turns a tally into figures. */
export function figures(tally: Tally): Figures {
  const now = tally.now.toSorted((a, b) => a - b);
  const then = tally.then.toSorted((a, b) => a - b);
  const quantile = (sorted: number[], q: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return {
    rmse: rootMeanSquare(now),
    p95: quantile(now, 0.95),
    max: now[now.length - 1],
    rmseThen: rootMeanSquare(then),
    p95Then: quantile(then, 0.95),
    maxThen: then[then.length - 1],
    delayMs: tally.delaySum / tally.frames,
    jumpsPerMinute: tally.jumps / tally.frames * FRAMES_HZ * 60,
    restless: Math.sqrt(tally.restless / tally.frames),
    starvedShare: tally.starved / tally.frames,
  };
}

function rootMeanSquare(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
