// The best that can be drawn with what has arrived: an oracle that knows each path's laws and the whole state
// of the object at the newest sample that arrived by now, hidden numbers included. Nothing real knows more,
// so no strategy can have a smaller error, but for luck.

import type { Drawn } from "./contenders.ts";
import { eachFrame, reachAt, type Scene } from "./measure.ts";
import { type Path, STEPS_HZ } from "./paths.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { mixSeed } from "./random.ts";

/**
 * Futures that are averaged where chance plays a part: the mean is off by 1/√64 of their spread, 0.8 % of the
 * RMSE.
 */
const FUTURES = 64;

/** What an oracle draws. */
export type Oracle = (nowMs: number, step: number, arrived: number) => Drawn;

/**
 * Makes the oracle with the smallest possible RMSE: the mean of the position, given the state at the newest
 * arrived sample. For a deterministic path that is the truth, walls included.
 */
export function bestGuess(path: Path, scene: Scene, seed: number): Oracle {
  const means = meanFutures(path, scene, seed);
  const drawn: Drawn = { x: 0, y: 0, delay: 0, starved: false };
  return (_nowMs, step, arrived) => {
    const [x, y] = means.get(step * 100_000 + arrived)!;
    drawn.x = x;
    drawn.y = y;
    return drawn;
  };
}

/** Makes the oracle for a path whose turns can't be foreseen: straight on from the newest sample. */
export function straightOn(scene: Scene): Oracle {
  const drawn: Drawn = { x: 0, y: 0, delay: 0, starved: false };
  return (_nowMs, step, arrived) => {
    const at = scene.sampled[arrived - 1];
    const body = scene.truth[at];
    const seconds = (step - at) / STEPS_HZ;
    drawn.x = body.x + body.vx * seconds;
    drawn.y = body.y + body.vy * seconds;
    return drawn;
  };
}

/**
 * Makes an oracle that may not jump of another: it follows as fast as a frame can move without counting as a
 * jump, which is the fastest way back to any single target.
 */
export function withoutJumps(scene: Scene, oracle: Oracle): Oracle {
  const drawn: Drawn = { x: NaN, y: NaN, delay: 0, starved: false };
  return (nowMs, step, arrived) => {
    const wanted = oracle(nowMs, step, arrived);
    const reach = reachAt(scene, step) * 0.9999;
    const far = Math.hypot(wanted.x - drawn.x, wanted.y - drawn.y);
    const share = far > reach ? reach / far : 1;
    drawn.x = Number.isNaN(far) ? wanted.x : drawn.x + (wanted.x - drawn.x) * share;
    drawn.y = Number.isNaN(far) ? wanted.y : drawn.y + (wanted.y - drawn.y) * share;
    return drawn;
  };
}

/**
 * Computes, for every frame, the mean position over many futures of the newest sample, each future run once.
 */
function meanFutures(path: Path, scene: Scene, seed: number): Map<number, [number, number]> {
  const frames = new Map<number, number[]>();
  eachFrame(scene, (_nowMs, step, arrived) => {
    const steps = frames.get(arrived);
    if (steps === undefined) frames.set(arrived, [step]);
    else steps.push(step);
  });
  const means = new Map<number, [number, number]>();
  const futures = path.random ? FUTURES : 1;
  const random = seededRandom(mixSeed(seed, 4));
  for (const [arrived, steps] of frames) {
    for (const step of steps) means.set(step * 100_000 + arrived, [0, 0]);
    for (let k = 0; k < futures; k++) {
      let at = scene.sampled[arrived - 1];
      const body = { ...scene.truth[at] };
      for (const step of steps) {
        for (; at < step; at++) path.step(body, random);
        const mean = means.get(step * 100_000 + arrived)!;
        mean[0] += body.x / futures;
        mean[1] += body.y / futures;
      }
    }
  }
  return means;
}
