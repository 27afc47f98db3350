// How much of one core a crowd of tracks takes, and whether drawing leaves garbage: no object does, but the
// engine may put a number that is passed on, such as the time, on the heap (16 bytes). Prints; not a test.
//
//   deno run bench/motion/speed.ts [STRATEGY...]

import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { type Motion, Track, type TrackOptions } from "../../motion.ts";

const TRACKS = 10_000;
const FRAMES_HZ = 60;
const UPDATES_HZ = 10;
const SECONDS = 3;

const cases: [string, TrackOptions][] = [
  ["hold", { strategy: "hold" }],
  ["speed", { strategy: "speed" }],
  ["history", { strategy: "history" }],
  ["history, alpha-beta", { strategy: "history", filter: "alpha-beta" }],
  ["blend", { strategy: "blend" }],
  ["interpolate", { strategy: "interpolate" }],
];

const HELP = `bench/motion/speed.ts: measures how much of one core drawing takes, and taking in updates

USAGE: deno run bench/motion/speed.ts [STRATEGY...]      (all of them: half a minute)

STRATEGY: ${cases.map(([name]) => JSON.stringify(name)).join(", ")}`;

/** Reads the names of what is measured. */
function readOptions(args: string[]): { names: string[] } | null {
  const { values, positionals } = parseArgs({
    args,
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
    strict: true,
  });
  if (values.help) return null;
  const known = cases.map(([name]) => name);
  const wrong = positionals.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    const all = known.map((name) => JSON.stringify(name)).join(", ");
    throw new RangeError(`Cannot measure ${JSON.stringify(wrong)}: there are ${all}`);
  }
  return { names: positionals.length > 0 ? positionals : known };
}

function run({ names }: { names: string[] }): Promise<number> {
  console.log(
    `${TRACKS} tracks in 2 dimensions, ${FRAMES_HZ} frames/s, ${UPDATES_HZ} updates/s each, ${SECONDS} s after a warm-up, Deno ${Deno.version.deno}`,
  );
  console.log("strategy               at() only  with push()  ns per at()  ns per push()  bytes per at()");
  for (const [name, options] of cases.filter(([name]) => names.includes(name))) {
    const tracks = Array.from({ length: TRACKS }, () => new Track(options));
    const out: Motion = { pos: [0, 0], vel: [0, 0], age: 0.5, delay: 0.5, starved: false };
    const sample = { t: 0.5, pos: [0.5, 0.5], vel: [0.5, 0.5] };
    const framesPerUpdate = FRAMES_HZ / UPDATES_HZ;
    let pushMs = 0, atMs = 0, pushes = 0, sum = 0, grownBytes = 0, grownCalls = 0;
    for (let frame = 0; frame < (SECONDS + 1) * FRAMES_HZ; frame++) {
      const now = 1e12 + frame * 1000 / FRAMES_HZ;
      const counted = frame >= FRAMES_HZ;
      const begin = performance.now();
      // Every track has something to draw from its first frame on.
      const every = frame === 0 ? 1 : framesPerUpdate;
      for (let i = frame % every; i < TRACKS; i += every) {
        const angle = i + (now - 1e12) * 0.002;
        sample.t = now - 30.5;
        sample.pos[0] = 100 * Math.cos(angle);
        sample.pos[1] = 100 * Math.sin(angle);
        sample.vel[0] = -200 * Math.sin(angle);
        sample.vel[1] = 200 * Math.cos(angle);
        tracks[i].push(sample, now);
        if (counted) pushes++;
      }
      const middle = performance.now();
      const heap = Deno.memoryUsage().heapUsed;
      const drawing = performance.now();
      for (const track of tracks) sum += track.at(now, out).pos[0];
      const end = performance.now();
      const grown = Deno.memoryUsage().heapUsed - heap;
      if (!counted) continue;
      pushMs += middle - begin;
      atMs += end - drawing;
      if (grown >= 0) {
        grownBytes += grown;
        grownCalls += TRACKS;
      }
    }
    if (Number.isNaN(sum)) throw new Error("a position is not a number");
    const share = (ms: number) => `${(ms / (SECONDS * 10)).toFixed(1)} %`;
    console.log(
      [
        name.padEnd(21),
        share(atMs).padStart(10),
        share(atMs + pushMs).padStart(12),
        (atMs * 1e6 / (SECONDS * FRAMES_HZ * TRACKS)).toFixed(0).padStart(12),
        (pushMs * 1e6 / pushes).toFixed(0).padStart(14),
        (grownBytes / grownCalls).toFixed(2).padStart(15),
      ].join(" "),
    );
  }
  return Promise.resolve(0);
}

await runCommand({ help: HELP, readOptions, run });
