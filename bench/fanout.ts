// Measures a relay: starts it, starts the load as another process, checks that nothing was lost, doubled or
// out of order, and prints settings, deliveries/s, latency, the relay's CPU time per delivery and its memory.
// The load itself is load.ts. Run it with: deno task bench --help

import { runCommand } from "./command.ts";
import { HELP, type Options, readOptions, type RelayChoice } from "./flags.ts";
import type { LoadOrder } from "./load.ts";
import { isFaultless, type LoadResult } from "./load_result.ts";
import { readMemory } from "./process_stats.ts";
import { existingServer, type Server, sourceCommand, startBareRelay, startRelay } from "./relay_process.ts";
import {
  describePlan,
  describeRun,
  type Figures,
  figuresOf,
  markdownTable,
  medianFigures,
} from "./report.ts";
import type { LoadPlan } from "./scenarios.ts";

/** Runs of each scenario in a table. */
const TABLE_ROUNDS = 3;
/** A run this long is steady enough by itself, and nobody waits for three. */
const LONG_SECONDS = 60;

/** What is known of a scenario after all its rounds. */
interface Outcome {
  plan: LoadPlan;
  figures: Figures;
  faulty: boolean;
  results: LoadResult[];
}

/** Runs the load in a process of its own and returns what it has measured. */
async function runLoadProcess(order: LoadOrder): Promise<LoadResult> {
  const load = new URL("./load.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", load.href, JSON.stringify(order)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error("Cannot finish the benchmark: the load failed, see above");
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function connectRelay(relay: RelayChoice): Promise<Server> {
  if (relay.kind === "existing") return existingServer(relay.hostname, relay.port, relay.pid);
  return await startRelay(relay.command ?? sourceCommand(), relay.args);
}

function describeRelay(relay: RelayChoice): string {
  if (relay.kind === "existing") {
    const process = relay.pid === null ? "" : `, process ${relay.pid}`;
    return `already running at ${relay.hostname}:${relay.port}${process}`;
  }
  return `${relay.command?.join(" ") ?? "server.ts of this checkout,"} ${relay.args.join(" ")}`;
}

async function runScenario(plan: LoadPlan, options: Options): Promise<Outcome> {
  if (!options.json) console.log(`\n${describePlan(plan)}`);
  const rounds = options.rounds ?? (plan.seconds < LONG_SECONDS ? TABLE_ROUNDS : 1);
  const results: LoadResult[] = [];
  const figures: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    await using server = await connectRelay(options.relay);
    const { hostname, port, pid, startMs } = server;
    await using bare = plan.isCold ? await startBareRelay() : null;
    const heatPort = bare?.port;
    const result = await runLoadProcess({ hostname, port, relayPid: pid, plan, heatPort });
    results.push(result);
    figures.push(figuresOf(plan, result, readMemory(pid), startMs));
    if (!options.json) {
      if (rounds > 1) console.log(`  round ${round} of ${rounds}`);
      const lines = describeRun({ plan, result, figures: figures[figures.length - 1] });
      for (const line of lines) console.log(`  ${line}`);
    }
  }
  return { plan, figures: medianFigures(figures), faulty: !results.every(isFaultless), results };
}

function settings({ relay, rounds }: Options): Record<string, string> {
  return {
    relay: describeRelay(relay),
    machine:
      `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores, shared by relay and load`,
    deno: Deno.version.deno,
    rounds: rounds === null
      ? `${TABLE_ROUNDS}, medians shown; 1 of a run as long as a minute`
      : String(rounds),
    check: "sender, sequence number and end of every line; every byte of the first line of each read",
    CPU: "user and system time from /proc, in steps of 10 ms",
  };
}

async function run(options: Options): Promise<number> {
  if (!options.json) {
    for (const [name, value] of Object.entries(settings(options))) {
      console.log(`${name.padEnd(8)} ${value}`);
    }
  }
  const outcomes: Outcome[] = [];
  for (const plan of options.plans) outcomes.push(await runScenario(plan, options));
  if (options.json) console.log(JSON.stringify({ settings: settings(options), outcomes }, null, 2));
  else if (outcomes.length > 1 || options.rounds !== 1) console.log(`\n${markdownTable(outcomes)}`);
  return outcomes.some((outcome) => outcome.faulty) ? 1 : 0;
}

if (import.meta.main) await runCommand({ help: HELP, readOptions, run });
