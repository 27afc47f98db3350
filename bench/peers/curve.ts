// How servers get slower as their core runs short: p50 and p99 over the load, from a tenth to more than all
// that each can hold, on one core that it shares with a busy neighbour. Prints a table, and draws it. Needs
// what run.ts needs, two cores and taskset. Run it with: deno task bench:curve --help

import { parseArgs } from "node:util";
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
import { killAll, startNeighbour } from "./servers.ts";

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
const README = new URL("../README.md", import.meta.url);
const BEGIN = "<!-- curve: made by bench/peers/curve.ts -->\n<!-- deno-fmt-ignore-start -->";
const END = "<!-- deno-fmt-ignore-end -->\n<!-- /curve -->";

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
    mark: { type: "line", point: true },
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

function readCount(text: string | undefined, name: string, least: number, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text === "" || !Number.isInteger(value) || value < least) {
    throw new RangeError(`Cannot use --${name} ${text}: it is a whole number of at least ${least}`);
  }
  return value;
}

async function main(args: string[]): Promise<number> {
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
  if (values.help) return console.log(HELP), 0;
  const neighbours = readCount(values.neighbours, "neighbours", 0, 1);
  const rounds = readCount(values.rounds, "rounds", 1, values.quick ? 1 : 3);
  const shares = values.quick ? QUICK_SHARES : SHARES;
  if (Deno.build.os !== "linux" || navigator.hardwareConcurrency < 2) {
    throw new RangeError(
      "Cannot draw a curve: it needs Linux and two cores, one for the server and one for the load",
    );
  }
  const command = (text: string | undefined) => text?.trim().split(/\s+/) ?? null;
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_curve_" });
  const interrupted = () => {
    killAll();
    Deno.removeSync(folder, { recursive: true });
    Deno.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupted);
  try {
    await Deno.chmod(folder, 0o755);
    const programs = await buildPrograms(folder);
    const all = allContenders({
      relay: command(values.relay),
      before: command(values.before),
      folder,
      limitProgram: programs.limit,
      prefix: taskset(SERVER_CORE),
    });
    const names = values.contender ??
      ["eventrelay", "redis", ...(values.before === undefined ? [] : ["eventrelay, before"])];
    const contenders: Contender[] = [];
    for (const name of names) {
      const contender = all.find((each) => each.name === name);
      if (contender === undefined) {
        throw new RangeError(
          `Cannot find "${name}": contenders are ${all.map(({ name }) => name).join(", ")}`,
        );
      }
      if (await contender.version() === null) console.error(`${name} is not installed and left out`);
      else contenders.push(contender);
    }
    const points = await run(contenders, shares, rounds, { programs, neighbours });
    const about = `100 members x 10 objects, on one core with ${neighbours} busy neighbour${
      neighbours === 1 ? "" : "s"
    }; medians of ${rounds} rounds`;
    const table = curveTable(points);
    console.log(`${about}\n\n${table}`);
    const isWhole = !values.quick && values.contender === undefined && values.neighbours === undefined &&
      values.relay === undefined && values.before === undefined;
    if (isWhole) await write(points, table, about);
    return 0;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, interrupted);
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Finds what each contender can hold, then measures shares of it: rounds outermost, contenders in
 * alternation.
 */
async function run(
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
  const text = await Deno.readTextFile(README);
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error("Cannot write the table: bench/README.md has no place for it");
  const date = new Date().toISOString().slice(0, 10);
  const body = `${date}. ${about}.\n\n${table}\n\n![latency over the load](peers/results/curve.svg)`;
  await Deno.writeTextFile(README, `${text.slice(0, from + BEGIN.length)}\n\n${body}\n\n${text.slice(to)}`);
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
  } finally {
    killAll();
  }
}
