// Compares the relay with its peers: builds the load, starts each server anew for each run, goes through all
// scenarios in rounds with all servers in alternation, and writes results.jsonl, charts and the tables of
// bench/README.md. Needs Linux and a C compiler. Run it with: deno run -A bench/peers/run.ts --help

import { runCommand } from "../command.ts";
import type { Contender } from "./contender.ts";
import { allContenders } from "./contenders.ts";
import { HELP, type Options, readOptions } from "./flags.ts";
import { buildPrograms, type Programs, runLoad } from "./native.ts";
import { writeReadme } from "./readme.ts";
import {
  formatResults,
  joinResults,
  Lookup,
  parseResults,
  type Results,
  type RunRecord,
  type Setting,
} from "./results.ts";
import { type Scenario, scenariosOf } from "./scenarios.ts";
import { makeTempFolder } from "./servers.ts";
import { reportMarkdown } from "./tables.ts";

/** A run costs about this much beyond its warm-up and measured time: starting, connecting, ending. */
const OVERHEAD_MS = 400;
const IDLE_RUN_MS = 9_000;

interface Job {
  scenario: Scenario;
  contender: Contender;
  round: number;
}

/**
 * Orders the runs: rounds outermost, so that whatever drifts touches all; in each round another contender
 * begins.
 */
function planJobs(scenarios: readonly Scenario[], contenders: readonly Contender[]): Job[] {
  const jobs: Job[] = [];
  const rounds = Math.max(0, ...scenarios.map((scenario) => scenario.rounds));
  for (let round = 0; round < rounds; round++) {
    for (const scenario of scenarios) {
      if (round >= scenario.rounds) continue;
      const able = contenders.filter((contender) => isAble(contender, scenario));
      for (let turn = 0; turn < able.length; turn++) {
        jobs.push({ scenario, contender: able[(turn + round) % able.length], round });
      }
    }
  }
  return jobs;
}

function isAble({ kind, hasRooms, maxConnections }: Contender, { plan, copies }: Scenario): boolean {
  const connections = plan.publishers + plan.subscribers + plan.members + plan.idle + plan.warm;
  if (kind === "limit" && !copies) return false;
  if (plan.rooms > 1 && !hasRooms) return false;
  return connections * plan.rooms < maxConnections;
}

function estimateMs(jobs: readonly Job[]): number {
  return jobs.reduce(
    (sum, { scenario: { plan } }) =>
      sum + (plan.idle > 0 ? IDLE_RUN_MS : plan.heatMs + plan.warmupMs + plan.measureMs + OVERHEAD_MS),
    0,
  );
}

async function runJob({ scenario, contender, round }: Job, programs: Programs): Promise<RunRecord> {
  const record = { scenario: scenario.name, contender: contender.name, round };
  try {
    await using server = await contender.start();
    const outcome = await runLoad(programs.load, scenario.plan, contender.wire, server);
    if (typeof outcome === "string") return { ...record, measured: null, failure: outcome };
    return { ...record, measured: outcome, failure: null };
  } catch (error) {
    return { ...record, measured: null, failure: error instanceof Error ? error.message : String(error) };
  }
}

async function readSetting(
  contenders: readonly { contender: Contender; version: string | null }[],
  { scenarios, extent, transport }: Options,
  compiler: string,
): Promise<Setting> {
  const read = async (path: string, pattern: RegExp) =>
    (await Deno.readTextFile(path).catch(() => "")).match(pattern)?.[1] ?? "unknown";
  const model = await read("/proc/cpuinfo", /^model name\s*: (.*)$/m);
  const memoryKib = Number(await read("/proc/meminfo", /^MemTotal:\s+(\d+)/m));
  const system = await read("/etc/os-release", /^PRETTY_NAME="(.*)"$/m);
  return {
    date: new Date().toISOString().slice(0, 10),
    transport,
    extent: extent.name,
    machine: `${model}, ${navigator.hardwareConcurrency} cores shared by server and load, ${
      (memoryKib / 1024 / 1024).toFixed(0)
    } GiB`,
    system: `${system}, Linux ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    compiler,
    contenders: contenders.map(({ contender: { name, kind, wire, settings }, version }) => ({
      name,
      kind,
      wire,
      settings,
      version,
    })),
    scenarios: scenarios.map(({ name, title, groups, plan }) => ({ name, title, groups, plan })),
  };
}

/** One line for who waits: how far it is, and what came out. */
function progress(index: number, jobs: readonly Job[], record: RunRecord, results: Results): string {
  const { scenario, contender, failure } = record;
  const last = new Lookup({ setting: results.setting, runs: [record] });
  const cell = last.cell(scenario, contender);
  const complaint = last.complaint(scenario, contender);
  const text = cell === null
    ? failure ?? "measured"
    : `${(cell.deliveriesPerSecond.median / 1e6).toFixed(3)} M/s, ${
      cell.cpuUsPerDelivery.median.toFixed(3)
    } us, p99 ${cell.latencyP99Ms.median.toFixed(2)} ms, CPU ${cell.serverCpuShare.median.toFixed(2)} load ${
      cell.loadCpuShare.median.toFixed(2)
    }`;
  const warning = complaint === null || complaint === failure ? "" : `; ${complaint}`;
  return `[${index + 1}/${jobs.length}] ${scenario} ${contender}: ${text}${warning}`;
}

/** Reads the results in a folder; null if there are none. */
async function readResults(folder: URL): Promise<Results | null> {
  try {
    return parseResults(await Deno.readTextFile(new URL("results.jsonl", folder)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Writes charts beside the results, and the tables into bench/README.md if that shows them. */
async function writeReport(results: Results, folder: URL, { transport, isOwnPlace }: Options): Promise<void> {
  // Only here: measuring needs nothing from npm.
  const { drawCharts } = await import("./charts.ts");
  for (const [name, svg] of await drawCharts(results)) {
    await Deno.writeTextFile(new URL(`${name}.svg`, folder), svg);
  }
  if (!isOwnPlace) return;
  const [place, path] = transport === "tcp"
    ? ["peers", "peers/results"] as const
    : ["peers-websocket", "peers/results/websocket"] as const;
  await writeReadme(place, reportMarkdown(results, (name) => `${path}/${name}.svg`));
}

function list({ scenarios, contenders: names }: Options, contenders: readonly Contender[]): void {
  for (const { name, groups, title } of scenarios) {
    console.log(`${name.padEnd(14)} ${groups.join(", ").padEnd(20)} ${title}`);
  }
  for (const { name, settings } of contenders) {
    if (names.includes(name)) console.log(`${name.padEnd(26)} ${settings}`);
  }
}

async function run(options: Options): Promise<number> {
  const { scenarios, contenders: names, relay, before, out } = options;
  if (options.isReport) {
    const results = await readResults(out!);
    if (results === null) throw new Error(`Cannot report: there are no results in ${out!.pathname}`);
    await writeReport(results, out!, options);
    return console.log(reportMarkdown(results, null)), 0;
  }
  await using folder = await makeTempFolder();
  const contendersWith = (limitProgram: string) =>
    allContenders({ relay, before, folder: folder.path, limitProgram });
  if (options.isList) return list(options, contendersWith("")), 0;
  const programs = await buildPrograms(folder.path);
  const found = await Promise.all(
    contendersWith(programs.limit).filter(({ name }) => names.includes(name))
      .map(async (contender) => ({ contender, version: await contender.version() })),
  );
  for (const { contender, version } of found) {
    console.error(`${contender.name} ${version ?? "is not installed and left out"}: ${contender.settings}`);
  }
  const present = found.filter(({ version }) => version !== null).map(({ contender }) => contender);
  const jobs = planJobs(scenarios, present);
  console.error(`${jobs.length} runs, about ${Math.ceil(estimateMs(jobs) / 60_000)} minutes`);

  let results: Results = { setting: await readSetting(found, options, programs.compiler), runs: [] };
  for (const [index, job] of jobs.entries()) {
    const record = await runJob(job, programs);
    results.runs.push(record);
    console.error(progress(index, jobs, record, results));
  }
  if (options.adds && out !== null) {
    const before = await readResults(out);
    const order = [...contendersWith(""), ...scenariosOf(options.extent)].map(({ name }) => name);
    if (before !== null) results = joinResults(before, results, order);
  }
  console.log(reportMarkdown(results, null));
  if (out !== null) {
    await Deno.mkdir(out, { recursive: true });
    await Deno.writeTextFile(new URL("results.jsonl", out), formatResults(results));
    await writeReport(results, out, options);
  }
  return 0;
}

if (import.meta.main) await runCommand({ help: HELP, readOptions, run });
