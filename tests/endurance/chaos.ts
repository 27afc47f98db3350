// Bad luck from a seed: clients of two makes in several rooms, whose connections are cut and held up and
// whose processes are stopped, on a relay that keeps too little. Then all is quiet, and the checker compares
// what each of them saw with all that was sent.
//
//   relay ◀── proxy ◀── player (a process with some clients) ──entries──▶ here ──▶ check()
//         ◀──────────── witnesses, never disturbed          ──entries──▶

import { exponential, mixSeed } from "../../bench/motion/random.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { anyTransport, Cast, NETWORKS, ROOMS } from "./cast.ts";
import { check, type Violation } from "./checker.ts";
import { anySeed, flagsOrExit } from "./flags.ts";
import type { History } from "./history.ts";
import { RelayProcess } from "./relay_process.ts";
import { pause } from "../support/pause.ts";

const HELP = `deno task chaos: breaks connections and stops programs, and checks that all is there or told

USAGE: deno task chaos [--seed S] [--seconds N]

  --seed S       what happens follows from it, not to the millisecond (another each time; it is printed)
  --seconds N    how long the bad luck lasts; 12 s of quiet follow (20)
  --help

Exit code: 0, or 1 with the violations, or 2 for wrong options.`;

/**
 * Time for everybody to be back, or to be given up: resumes wait up to 5 s, and $leave comes up to 6 s after
 * a break.
 */
const RECOVERY_MS = 7500;
/** Time for the last events and values to arrive everywhere. */
const LAST_WORDS_MS = 4500;
/**
 * How much longer a machine may take for that which is busy with something else: what comes late is not
 * missing. It is looked so often whether all is there.
 */
const PATIENCE_MS = 60_000, LOOK_AGAIN_MS = 1000;
const MEAN_PAUSE_MS = 250;

/** What is to be done. */
export interface ChaosOptions {
  seed: number;
  seconds: number;
  /** Takes a line about what goes on. Default: nothing is said. */
  say?(line: string): void;
}

/** Runs it, and returns what did not hold. */
export async function runChaos({ seed, seconds, say = () => {} }: ChaosOptions): Promise<Violation[]> {
  const random = seededRandom(mixSeed(seed, 1));
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)];
  const args = [
    "--max-lag",
    pick(["300ms", "1s", "5s"]),
    "--max-log",
    pick(["384k", "1m", "8m"]),
    "--max-line",
    "8k",
  ];
  args.push("--ping-timeout", pick(["3s", "15s"]));
  say(`relay ${args.join(" ")}`);
  await using relay = await new RelayProcess(args).start();
  await using cast = new Cast(relay.port, mixSeed(seed, 2), say);
  for (const room of Object.keys(ROOMS)) {
    cast.add({ kind: "minimal", transport: anyTransport(random), room, isWitness: true });
    if (room === "lobby") cast.add({ kind: "plain", transport: anyTransport(random), room, isWitness: true });
  }
  await cast.gather();
  await pause(1000);
  for (const room of Object.keys(ROOMS)) {
    for (const kind of ["module", "minimal", "module", "minimal"] as const) {
      await cast.invite(kind, room, random, pick(NETWORKS));
    }
    if (room === "lobby") { for (let i = 0; i < 2; i++) await cast.invite("plain", room, random, ""); }
  }
  await pause(1500);
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    await pause(exponential(random, MEAN_PAUSE_MS));
    await cast.badLuck(random);
  }
  cast.comfort();
  await pause(RECOVERY_MS);
  cast.order({ order: "finish" });
  await pause(LAST_WORDS_MS);
  const quietMs = performance.now();
  let histories = await cast.look(), violations = check(histories);
  while (violations.some(({ isNoProof }) => !isNoProof) && performance.now() - quietMs < PATIENCE_MS) {
    await pause(LOOK_AGAIN_MS);
    histories = await cast.look();
    violations = check(histories);
  }
  say(`looked for ${((performance.now() - quietMs) / 1000).toFixed(1)} s whether all is there`);
  await cast.end();
  for (const what of relay.alarms) violations.push({ client: "relay", what });
  say(summary(histories, cast.deeds));
  return violations;
}

function summary(histories: History[], deeds: Record<string, number>): string {
  const counts: Record<string, number> = {};
  for (const { entries } of histories) {
    for (const entry of entries) {
      const key = entry.kind === "lost"
        ? `told ${entry.reason}`
        : entry.kind === "opened"
        ? entry.resumed ? "resumed" : "new sessions"
        : entry.kind;
      counts[key] = (counts[key] ?? 0) + (entry.kind === "lost" ? entry.lines : 1);
    }
  }
  const list = (of: Record<string, number>) =>
    Object.entries(of).map(([name, count]) => `${count} ${name}`).join(", ");
  return `${histories.length} clients: ${list(counts)}\ndone to them: ${list(deeds)}`;
}

if (import.meta.main) {
  const { seed, seconds } = flagsOrExit("chaos", HELP, {
    seed: anySeed(),
    seconds: { value: 20, least: 1, most: 86_400 },
  });
  console.log(`seed ${seed}`);
  const violations = await runChaos({ seed, seconds, say: (line) => console.log(line) });
  for (const { client, what } of violations) console.log(`VIOLATION ${client}: ${what}`);
  console.log(
    violations.length === 0
      ? "everything was there or told"
      : `${violations.length} violations, seed ${seed}`,
  );
  Deno.exit(violations.length === 0 ? 0 : 1);
}
