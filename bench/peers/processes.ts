// What a second relay process would give: rooms of two that flood each other, all on one relay or half of
// them on each of two, with the same two loads in both cases. Prints a table. Needs what run.ts needs, but no
// peers. Run it with: deno run -A bench/peers/processes.ts --help

import { parseArgs } from "node:util";
import { readCount, runCommand } from "../command.ts";
import { median } from "../median.ts";
import { allContenders } from "./contenders.ts";
import { buildPrograms, type LoadReport, type Programs, runLoad } from "./native.ts";
import { FULL, type PeerPlan, scenariosOf } from "./scenarios.ts";
import { makeTempFolder, type PeerServer } from "./servers.ts";

const HELP = `bench/peers/processes.ts: measures what a second relay gives where rooms share nothing

USAGE: deno run -A bench/peers/processes.ts [options]      (about a minute)

  --rounds N           runs of one relay and of two, of which medians are shown (5)
  --help`;

const ROOMS = 100;
const LOADS = 2;
const ROUNDS = 5;
const MEASURE_MS = 3000;

interface Run {
  /** Deliveries a second, in millions. */
  rate: number;
  /** CPU time of relays and of loads, in shares of a core. */
  relays: number;
  loads: number;
}

/** Runs both loads at once, the first on the first server, the second on the last. */
async function measure(servers: readonly PeerServer[], plan: PeerPlan, { load }: Programs): Promise<Run> {
  const runs = Array.from({ length: LOADS }, (_, index) => {
    const { port, pid } = servers[index % servers.length];
    return runLoad(load, plan, "sessions", { port, pid });
  });
  const reports = await Promise.all(runs);
  const run: Run = { rate: 0, relays: 0, loads: 0 };
  for (const report of reports) {
    if (typeof report === "string" || !("deliveries" in report)) throw new Error(`Cannot measure: ${report}`);
    const { deliveries, elapsedUs, serverCpuUs, loadCpuUs }: LoadReport = report;
    run.rate += deliveries / elapsedUs;
    run.relays += serverCpuUs / elapsedUs / (LOADS / servers.length);
    run.loads += loadCpuUs / elapsedUs;
  }
  return run;
}

function readOptions(args: string[]): { rounds: number } | null {
  const { values } = parseArgs({
    args,
    strict: true,
    options: { rounds: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  return values.help ? null : { rounds: readCount(values.rounds, "rounds", 1, ROUNDS) };
}

async function run({ rounds }: { rounds: number }): Promise<number> {
  await using folder = await makeTempFolder();
  const programs = await buildPrograms(folder.path);
  const contenders = allContenders({ relay: null, folder: folder.path, limitProgram: programs.limit });
  const { start } = contenders.find(({ name }) => name === "eventrelay, sessions")!;
  const { plan } = scenariosOf(FULL).find(({ name }) => name === `rooms${ROOMS}`)!;
  const share = { ...plan, rooms: ROOMS / LOADS, measureMs: MEASURE_MS };
  const found = new Map<number, Run[]>([[1, []], [2, []]]);
  for (let round = 0; round < rounds; round++) {
    for (const [relays, runs] of found) {
      await using servers = new AsyncDisposableStack();
      const started = [];
      for (let i = 0; i < relays; i++) started.push(servers.use(await start()));
      runs.push(await measure(started, share, programs));
    }
  }
  console.log(`${ROOMS} rooms of 2 that flood each other, ${rounds} rounds in alternation, medians\n`);
  console.log("| relays | million deliveries/s | CPU of relays | of loads |\n| ---: | ---: | ---: | ---: |");
  for (const [relays, runs] of found) {
    const of = (pick: (run: Run) => number) => median(runs.map(pick));
    const [busy, load] = [of((run) => run.relays), of((run) => run.loads)].map((n) =>
      `${Math.round(n * 100)} %`
    );
    console.log(`| ${relays} | ${of((run) => run.rate).toFixed(2)} | ${busy} | ${load} |`);
  }
  return 0;
}

await runCommand({ help: HELP, readOptions, run });
