// How servers get slower as their core runs short: p50 and p99 over the load, from a tenth to more than all
// that each can hold, on one core that it shares with a busy neighbour. Prints a table, and draws it. Needs
// what run.ts needs, two cores and taskset. Run it with: deno task bench:curve --help

import { parseArgs } from "node:util";
import { readCount, runCommand } from "../command.ts";
import type { Contender } from "./contender.ts";
import { allContenders } from "./contenders.ts";
import {
  curveTable,
  findCapacity,
  hallPlan,
  isHeld,
  type Point,
  pointOf,
  QUICK_SHARES,
  SHARES,
} from "./curve_loads.ts";
import { buildPrograms, type LoadReport, type Programs, runLoad, type Verdict } from "./native.ts";
import type { PeerPlan } from "./scenarios.ts";
import { chosen, contenderNames, readCommand } from "./flags.ts";
import { writeReadme } from "./readme.ts";
import { makeTempFolder, startNeighbour } from "./servers.ts";

const HELP = `bench/peers/curve.ts: p50 and p99 over the load, on a core that is shared with a busy neighbour

USAGE: deno task bench:curve [options]      (about 6 minutes; writes bench/peers/results/curve.svg and bench/README.md)

  --quick              fewer points, one round, about 2 minutes: prints the table, writes nothing
  --contender NAME     these instead of eventrelay and redis; several times for several
  --neighbours N       processes that want the server's core all the time (1)
  --rounds N           runs of each point, of which medians are shown (3)
  --relay COMMAND      another relay that takes the same arguments, e.g. dist/eventrelay
  --before COMMAND     a relay to compare with, as contender "eventrelay, before"
  --help`;

/** The server's core, and the load's. */
const [SERVER_CORE, LOAD_CORE] = [0, 1];
const TIMES = { heatMs: 500, warmupMs: 500, measureMs: 2000 };
const SEARCH_TIMES = { heatMs: 300, warmupMs: 300, measureMs: 1500 };
const CHART = new URL("./results/curve.svg", import.meta.url);

interface Bench {
  programs: Programs;
  neighbours: number;
}

/**
 * Runs one load against a server that shares its core. A server that fails under it is one that doesn't hold
 * it.
 */
async function measure(
  contender: Contender,
  plan: PeerPlan,
  { programs, neighbours }: Bench,
): Promise<LoadReport & Verdict | null> {
  await using server = await contender.start();
  await using busy = new AsyncDisposableStack();
  for (let i = 0; i < neighbours; i++) busy.use(startNeighbour(SERVER_CORE));
  const outcome = await runLoad(programs.load, plan, contender.wire, server, taskset(LOAD_CORE));
  if (typeof outcome !== "string") return outcome as LoadReport & Verdict;
  console.error(`${contender.name} at ${plan.ticksPerSecond.toFixed(1)} Hz: ${outcome}`);
  return null;
}

function taskset(core: number): string[] {
  return ["taskset", "-c", String(core)];
}

/** Draws points as lines, both axes logarithmic. */
async function drawCurve(points: readonly Point[], subtitle: string): Promise<string> {
  const { renderSvg } = await import("../svg.ts");
  const values = points.flatMap(({ contender, asked, p50Ms, p99Ms }) => [
    { contender, asked, quantile: "p50", ms: p50Ms },
    { contender, asked, quantile: "p99", ms: p99Ms },
  ]);
  return await renderSvg({
    title: { text: "When the core runs short", subtitle },
    data: { values },
    width: 560,
    height: 320,
    mark: "line",
    encoding: {
      x: {
        field: "asked",
        type: "quantitative",
        title: "deliveries/s asked for",
        scale: { type: "log" },
        axis: { format: "~s" },
      },
      y: {
        field: "ms",
        type: "quantitative",
        title: "latency, ms",
        scale: { type: "log" },
        axis: { format: ".3~f" },
      },
      color: {
        field: "contender",
        type: "nominal",
        title: null,
        scale: { range: ["#0072b2", "#d55e00", "#009e73", "#56b4e9"] },
      },
      strokeDash: { field: "quantile", type: "nominal", title: null },
    },
  }, 12);
}

interface Options {
  names: readonly string[];
  neighbours: number;
  rounds: number;
  shares: readonly number[];
  relay: string[] | null;
  before: string[] | null;
  /** Whether chart and table are written. */
  writes: boolean;
}

function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      quick: { type: "boolean" },
      contender: { type: "string", multiple: true },
      neighbours: { type: "string" },
      rounds: { type: "string" },
      relay: { type: "string" },
      before: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  const [relay, before] = [readCommand(values.relay, "relay"), readCommand(values.before, "before")];
  const names = values.contender ??
    ["eventrelay", "redis", ...(before === null ? [] : ["eventrelay, before"])];
  return {
    names: chosen(contenderNames({ relay, before }), names),
    neighbours: readCount(values.neighbours, "neighbours", 0, 1),
    rounds: readCount(values.rounds, "rounds", 1, values.quick ? 1 : 3),
    shares: values.quick ? QUICK_SHARES : SHARES,
    relay,
    before,
    writes: !values.quick && values.contender === undefined && values.neighbours === undefined &&
      relay === null && before === null,
  };
}

async function run({ names, neighbours, rounds, shares, relay, before, writes }: Options): Promise<number> {
  if (Deno.build.os !== "linux" || navigator.hardwareConcurrency < 2) {
    throw new Error(
      "Cannot draw a curve: it needs Linux and two cores, one for the server and one for the load",
    );
  }
  await using folder = await makeTempFolder();
  const programs = await buildPrograms(folder.path);
  const contenders: Contender[] = [];
  const all = allContenders({
    relay,
    before,
    folder: folder.path,
    limitProgram: programs.limit,
    prefix: taskset(SERVER_CORE),
  });
  for (const name of names) {
    const contender = all.find((each) => each.name === name)!;
    if (await contender.version() === null) console.error(`${name} is not installed and left out`);
    else contenders.push(contender);
  }
  const points = await measureCurves(contenders, shares, rounds, { programs, neighbours });
  const about = `100 members x 10 objects, on one core with ${neighbours} busy neighbour${
    neighbours === 1 ? "" : "s"
  }; medians of ${rounds} rounds`;
  const table = curveTable(points);
  console.log(`${about}\n\n${table}`);
  if (writes) await write(points, table, about);
  return 0;
}

/**
 * Finds what each contender can hold, then measures shares of it: rounds outermost, contenders in
 * alternation.
 */
async function measureCurves(
  contenders: readonly Contender[],
  shares: readonly number[],
  rounds: number,
  bench: Bench,
): Promise<Point[]> {
  const capacities = new Map<Contender, number>();
  for (const contender of contenders) {
    const capacity = await findCapacity(async (hz) => {
      const plan = hallPlan(hz, SEARCH_TIMES);
      const report = await measure(contender, plan, bench);
      const held = report !== null && isHeld(plan, report);
      console.error(`${contender.name} at ${hz.toFixed(1)} Hz: ${held ? "held" : "not held"}`);
      return held;
    });
    if (capacity === 0) console.error(`${contender.name} holds nothing here and is left out`);
    else capacities.set(contender, capacity);
  }
  const reports = new Map<string, (LoadReport & Verdict)[]>();
  const plans = [...capacities].flatMap(([contender, capacity]) =>
    shares.map((share) => ({ contender, share, plan: hallPlan(capacity * share, TIMES) }))
  ).sort((a, b) => a.share - b.share);
  for (let round = 0; round < rounds; round++) {
    for (const { contender, share, plan } of plans) {
      const report = await measure(contender, plan, bench);
      const key = `${contender.name} ${share}`;
      if (report === null) continue;
      reports.set(key, [...(reports.get(key) ?? []), report]);
      const { p50Ms, p99Ms } = pointOf(contender.name, share, plan, [report]);
      console.error(`${contender.name} at ${share}: ${p50Ms.toFixed(2)}, ${p99Ms.toFixed(2)} ms`);
    }
  }
  return plans.filter(({ contender, share }) => reports.has(`${contender.name} ${share}`))
    .map(({ contender, share, plan }) =>
      pointOf(contender.name, share, plan, reports.get(`${contender.name} ${share}`)!)
    );
}

/** Writes the chart, and the table into bench/README.md. */
async function write(points: readonly Point[], table: string, about: string): Promise<void> {
  await Deno.writeTextFile(CHART, await drawCurve(points, about));
  const date = new Date().toISOString().slice(0, 10);
  const body = `${date}. ${about}.\n\n${table}\n\n![latency over the load](peers/results/curve.svg)`;
  await writeReadme("curve", body);
}

if (import.meta.main) await runCommand({ help: HELP, readOptions, run });
