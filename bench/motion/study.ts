// The whole measure as data: every path, network, rate and contender, the bounds, and the sending side. What
// to run and with which seeds is decided here, how it is shown in report.ts and plots.ts. No printing.

import { bestGuess, type Oracle, straightOn, withoutJumps } from "./bound.ts";
import { ENTRIES, type Entry, ours } from "./contenders.ts";
import {
  emptyTally,
  type Figures,
  figures,
  makeScene,
  measure,
  measureDrawing,
  type Scene,
  sceneOf,
  type Tally,
} from "./measure.ts";
import { type Network, NETWORKS } from "./networks.ts";
import { PATHS, STEPS_HZ, WORLD_HEIGHT_PX, WORLD_WIDTH_PX } from "./paths.ts";
import { mixSeed } from "./random.ts";
import { readTraces, type Trace } from "./traces.ts";
import { Sender, type SenderOptions } from "../../motion.ts";

/** Updates a second that are measured, and the one that the goal is about. */
export const RATES_HZ = [5, 10, 20, 30];
export const MAIN_RATE_HZ = 10;

/** Objects per path and how long each is watched, in seconds, the first three of which are not counted. */
export const OBJECTS = 8;
export const SECONDS = 63;

/** Where all chance of the study comes from. */
export const SEED = 20;

/** The names of the bounds in tables. */
export const BOUND_NAME = "best possible";
export const CALM_BOUND_NAME = "best possible, no jumps";
export const STRAIGHT_NAME = "straight on";
export const CALM_STRAIGHT_NAME = "straight on, no jumps";
/**
 * The default strategy with the walls of the ball's world as its `advance`, which may then be trusted for
 * longer.
 */
export const WALLS_NAME = "blend, walls known";

/** One line of a table. */
export interface Row extends Figures {
  path: string;
  network: string;
  rateHz: number;
  name: string;
}

/** The paths of the study by name, in order. */
async function scenePaths(): Promise<{ name: string; traces?: Trace }[]> {
  const traces = await readTraces(new URL("./traces/", import.meta.url));
  return [
    ...PATHS.map(({ name }) => ({ name })),
    ...traces.map((trace) => ({ name: trace.name, traces: trace })),
  ];
}

/**
 * The scenes of one cell of the study: the same objects on every network, the same network for every
 * contender.
 */
export function scenes(path: { name: string; traces?: Trace }, network: Network, rateHz: number): Scene[] {
  if (path.traces !== undefined) {
    return path.traces.objects.map((truth, i) => {
      const sampled: number[] = [];
      for (let step = 0; step < truth.length; step += STEPS_HZ / rateHz) sampled.push(step);
      return sceneOf(truth, sampled, network, mixSeed(SEED, i));
    });
  }
  const computed = PATHS.find(({ name }) => name === path.name)!;
  return Array.from(
    { length: OBJECTS },
    (_, i) => makeScene(computed, network, rateHz, SECONDS, mixSeed(SEED, i)),
  );
}

/** Measures one contender over the scenes of a cell. */
export function tallyOf(cell: readonly Scene[], entry: Entry, rateHz: number): Tally {
  const tally = emptyTally();
  for (const scene of cell) measure(scene, entry, rateHz, tally);
  return tally;
}

/** Bounces a position off the walls of the ball's world, for however long. */
export function bounce(pos: number[], vel: number[], seconds: number): void {
  [WORLD_WIDTH_PX, WORLD_HEIGHT_PX].forEach((size, d) => {
    const way = ((pos[d] + vel[d] * seconds) % (2 * size) + 2 * size) % (2 * size);
    const turned = way > size;
    // An odd number of walls on the way turns the velocity round.
    const bounces = Math.abs(Math.floor((pos[d] + vel[d] * seconds) / size));
    pos[d] = turned ? 2 * size - way : way;
    if (bounces % 2 === 1) vel[d] = -vel[d];
  });
}

/** Runs the whole study, or only some rates. */
export async function study(ratesHz: readonly number[] = RATES_HZ): Promise<Row[]> {
  const rows: Row[] = [];
  for (const path of await scenePaths()) {
    const computed = PATHS.find(({ name }) => name === path.name);
    for (const network of NETWORKS) {
      for (const rateHz of ratesHz) {
        const cell = scenes(path, network, rateHz);
        const add = (name: string, tally: Tally) =>
          rows.push({ path: path.name, network: network.name, rateHz, name, ...figures(tally) });
        for (const entry of ENTRIES) add(entry.name, tallyOf(cell, entry, rateHz));
        if (computed === undefined) continue;
        if (computed.name === "ball") {
          add(
            WALLS_NAME,
            tallyOf(cell, ours(WALLS_NAME, { advance: bounce, maxExtrapolateMs: 2_000 }), rateHz),
          );
        }
        const oracle = (make: (scene: Scene, seed: number) => Oracle) => {
          const tally = emptyTally();
          cell.forEach((scene, i) => measureDrawing(scene, make(scene, mixSeed(SEED, i)), tally));
          return tally;
        };
        add(BOUND_NAME, oracle((scene, seed) => bestGuess(computed, scene, seed)));
        add(CALM_BOUND_NAME, oracle((scene, seed) => withoutJumps(scene, bestGuess(computed, scene, seed))));
        add(STRAIGHT_NAME, oracle((scene) => straightOn(scene)));
        add(CALM_STRAIGHT_NAME, oracle((scene) => withoutJumps(scene, straightOn(scene))));
      }
    }
  }
  return rows;
}

/** Gives the root of the mean square of several paths: each counts the same. */
export function pooled(rows: readonly Row[], network: string, rateHz: number, name: string): number {
  const some = rows.filter((row) =>
    row.network === network && row.rateHz === rateHz && row.name === name && !row.path.startsWith("trace")
  );
  return Math.sqrt(some.reduce((sum, { rmse }) => sum + rmse * rmse, 0) / some.length);
}

/** One line of the table about the sending side. */
export interface SenderRow extends Figures {
  path: string;
  network: string;
  name: string;
  messagesPerSecond: number;
}

/** Tolerances in pixels at which the sending side is measured. */
const TOLERANCES_PX = [1, 2, 4];

/** Measures the default strategy fed by a `Sender` at 60 steps a second, beside updates at fixed rates. */
export function senderStudy(network: Network): SenderRow[] {
  const rows: SenderRow[] = [];
  const entry = ours("blend", { maxExtrapolateMs: 1_200 });
  for (const path of PATHS) {
    const kinds: { name: string; sampled: (scene: Scene) => number[] }[] = [
      ...RATES_HZ.map((rateHz) => ({
        name: `${rateHz} Hz`,
        sampled: (scene: Scene) => everyStep(scene, STEPS_HZ / rateHz),
      })),
      ...TOLERANCES_PX.map((tolerance) => ({
        name: `Sender, ${tolerance} px`,
        sampled: (scene: Scene) => whenDue(scene, { tolerance }),
      })),
    ];
    const truths = Array.from(
      { length: OBJECTS },
      (_, i) => makeScene(path, network, MAIN_RATE_HZ, SECONDS, mixSeed(SEED, i)),
    );
    for (const { name, sampled } of kinds) {
      const tally = emptyTally();
      let messages = 0;
      truths.forEach((scene, i) => {
        const steps = sampled(scene);
        messages += steps.length;
        measure(sceneOf(scene.truth, steps, network, mixSeed(SEED, i)), entry, MAIN_RATE_HZ, tally);
      });
      const messagesPerSecond = messages / (SECONDS * OBJECTS);
      rows.push({ path: path.name, network: network.name, name, messagesPerSecond, ...figures(tally) });
    }
  }
  return rows;
}

function everyStep(scene: Scene, steps: number): number[] {
  const sampled: number[] = [];
  for (let i = 0; i < scene.truth.length; i += steps) sampled.push(i);
  return sampled;
}

function whenDue(scene: Scene, options: SenderOptions): number[] {
  const sender = new Sender(options);
  return everyStep(scene, STEPS_HZ / 60).filter((i) => {
    const { x, y, vx, vy } = scene.truth[i];
    return sender.due({ t: i * 1000 / STEPS_HZ, pos: [x, y], vel: [vx, vy] });
  });
}

/** A few seconds of what one contender shows, for a plot. */
export function excerpt(
  scene: Scene,
  entry: Entry,
  rateHz: number,
  fromMs: number,
  toMs: number,
): { s: number; x: number; y: number; truthX: number; truthY: number }[] {
  const frames: { s: number; x: number; y: number; truthX: number; truthY: number }[] = [];
  measure(scene, entry, rateHz, emptyTally(), (nowMs, drawn, truth) => {
    if (nowMs < fromMs || nowMs > toMs) return;
    frames.push({ s: nowMs / 1000, x: drawn.x, y: drawn.y, truthX: truth.x, truthY: truth.y });
  });
  return frames;
}
