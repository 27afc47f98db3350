/**
 * Draws remote objects that are updated a few times a second so that they move smoothly, and near to where
 * they are.
 *
 * Pure and without dependencies: the caller passes the time, nothing is printed, timed or sent. Runs in Deno;
 * bundled (`deno bundle`) also in a browser and in whatever else runs modules. A simulated network
 * (`Simulation`) says how motion looks over a bad line, without one. Times are in milliseconds, velocities in
 * units per second.
 *
 * @example
 * ```ts
 * import { Track } from "./motion.ts";
 *
 * const track = new Track();
 * track.push({ t: 1000, pos: [10, 20], vel: [100, 0] }, 1040); // event.t, event.pos, event.vel; relay.now()
 * const { pos } = track.at(1050); // relay.now(): where to draw it in this frame
 * ```
 *
 * @module
 */

export { MAX_DIMENSIONS, MAX_NUMBER } from "./src/motion/numbers.ts";
export {
  ACCELERATE_MS,
  BRAKE_MS,
  CLOCK_STEP_MS,
  DEFAULT_MAX_EXTRAPOLATE_MS,
  DIMENSION_CHANGE_SAMPLES,
  MAX_AHEAD_MS,
  MAX_SHARED_AGE_MS,
  type Strategy,
  Track,
  type TrackOptions,
} from "./src/motion/track.ts";
export { DEFAULT_HEARTBEAT_MS, Sender, type SenderOptions } from "./src/motion/sender.ts";
export { HURRY, LEAP_SECONDS } from "./src/motion/correct.ts";
export type { Motion, Sample } from "./src/motion/types.ts";
export type { Advance } from "./src/motion/predict.ts";
export { parseSimulation, type SimulationOptions } from "./src/simulation/parse_simulation.ts";
export { type Passage, Simulation } from "./src/simulation/simulation.ts";
export { seededRandom } from "./src/simulation/random.ts";
