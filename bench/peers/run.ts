// Compares the relay with its peers: builds the load, starts each server anew for each run, goes through all scenarios in
// rounds with all servers in alternation, and writes results.jsonl, charts and the tables of bench/README.md.
// Needs Linux and a C compiler. Run it with: deno run -A bench/peers/run.ts --help

import { parseArgs } from "node:util";
import type { Contender } from "./contender.ts";
import { allContenders } from "./contenders.ts";
import { buildPrograms, type Programs, runLoad } from "./native.ts";
import {
  formatResults,
  Lookup,
  parseResults,
  type Results,
  type RunRecord,
  type Setting,
} from "./results.ts";
import { FULL, QUICK, type Scenario, scenariosOf } from "./scenarios.ts";
import { killAll } from "./servers.ts";
import { reportMarkdown } from "./tables.ts";

const HELP = `bench/peers/run.ts: compares the relay with redis, nats-server, mosquitto and ncat --broker

USAGE: deno run -A bench/peers/run.ts [options]

  --quick              short runs, one round: prints tables, writes nothing unless --out is given
  --scenario NAME      only these, by name or group; several times for several (--list names them)
  --contender NAME     only these; several times for several
  --rounds N           as many rounds of each scenario
  --relay COMMAND      another relay that takes the same arguments, e.g. dist/eventrelay
  --before COMMAND     a relay to compare with, e.g. of another checkout
  --out FOLDER         where results.jsonl and the charts go (bench/peers/results for a whole run)
  --report             measure nothing: make charts and tables anew from results.jsonl
  --list               name scenarios and contenders
  --help`;

const RESULTS_FOLDER = new URL("./results/", import.meta.url);
const README = new URL("../README.md", import.meta.url);
const BEGIN = "<!-- peers: made by bench/peers/run.ts -->\n<!-- deno-fmt-ignore-start -->";
const END = "<!-- deno-fmt-ignore-end -->\n<!-- /peers -->";
/** A run costs about this much beyond its warm-up and measured time: starting, connecting, ending. */
const OVERHEAD_MS = 400;
const IDLE_RUN_MS = 9_000;

interface Job {
  scenario: Scenario;
  contender: Contender;
  round: number;
}

/** Orders the runs: rounds outermost, so that whatever drifts touches all; in each round another contender begins. */
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
  scenarios: readonly Scenario[],
  extent: "full" | "quick",
  compiler: string,
): Promise<Setting> {
  const read = async (path: string, pattern: RegExp) =>
    (await Deno.readTextFile(path).catch(() => "")).match(pattern)?.[1] ?? "unknown";
  const model = await read("/proc/cpuinfo", /^model name\s*: (.*)$/m);
  const memoryKib = Number(await read("/proc/meminfo", /^MemTotal:\s+(\d+)/m));
  const system = await read("/etc/os-release", /^PRETTY_NAME="(.*)"$/m);
  return {
    date: new Date().toISOString().slice(0, 10),
    extent,
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

/** Writes charts into `folder`, and the tables into bench/README.md if it is the results' own place. */
async function writeReport(results: Results, folder: URL): Promise<void> {
  // Only here: measuring needs nothing from npm.
  const { drawCharts } = await import("./charts.ts");
  for (const [name, svg] of await drawCharts(results)) {
    await Deno.writeTextFile(new URL(`${name}.svg`, folder), svg);
  }
  if (folder.href !== RESULTS_FOLDER.href) return;
  const text = await Deno.readTextFile(README);
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error("Cannot write tables: bench/README.md has no place for them");
  const report = reportMarkdown(results, (name) => `peers/results/${name}.svg`);
  await Deno.writeTextFile(README, `${text.slice(0, from + BEGIN.length)}\n\n${report}\n\n${text.slice(to)}`);
}

function chosen<T>(
  all: readonly T[],
  names: readonly string[] | undefined,
  matches: (each: T, name: string) => boolean,
) {
  for (const name of names ?? []) {
    if (!all.some((each) => matches(each, name))) {
      throw new RangeError(`Cannot find "${name}": --list names what there is`);
    }
  }
  return names === undefined ? [...all] : all.filter((each) => names.some((name) => matches(each, name)));
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      quick: { type: "boolean" },
      scenario: { type: "string", multiple: true },
      contender: { type: "string", multiple: true },
      rounds: { type: "string" },
      relay: { type: "string" },
      before: { type: "string" },
      out: { type: "string" },
      report: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP), 0;
  const isWhole = !values.quick && values.scenario === undefined && values.contender === undefined;
  const out = values.out === undefined
    ? isWhole ? RESULTS_FOLDER : null
    : new URL(`${values.out}/`, `file://${Deno.cwd()}/`);
  if (values.report) {
    const folder = out ?? RESULTS_FOLDER;
    const results = parseResults(await Deno.readTextFile(new URL("results.jsonl", folder)));
    await writeReport(results, folder);
    return console.log(reportMarkdown(results, null)), 0;
  }

  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds >= 1)) {
    throw new RangeError(`Cannot run ${values.rounds} rounds: it is a whole number of at least 1`);
  }
  const extent = values.quick ? QUICK : FULL;
  const scenarios = chosen(
    scenariosOf(extent).map((scenario) => ({ ...scenario, rounds: rounds ?? scenario.rounds })),
    values.scenario,
    ({ name, groups }, wanted) => name === wanted || groups.some((group) => group === wanted),
  );

  await using folder = await makeTempFolder();
  const relay = values.relay?.trim().split(/\s+/) ?? null;
  const before = values.before?.trim().split(/\s+/) ?? null;
  const named = (limitProgram: string) =>
    chosen(
      allContenders({ relay, before, folder: folder.path, limitProgram }),
      values.contender,
      ({ name }, wanted) => name === wanted,
    );
  if (values.list) {
    for (const { name, groups, title } of scenarios) {
      console.log(`${name.padEnd(12)} ${groups.join(", ").padEnd(20)} ${title}`);
    }
    for (const { name, settings } of named("")) console.log(`${name.padEnd(24)} ${settings}`);
    return 0;
  }
  const programs = await buildPrograms(folder.path);
  const found = await Promise.all(
    named(programs.limit).map(async (contender) => ({ contender, version: await contender.version() })),
  );
  for (const { contender, version } of found) {
    console.error(`${contender.name} ${version ?? "is not installed and left out"}: ${contender.settings}`);
  }
  const present = found.filter(({ version }) => version !== null).map(({ contender }) => contender);
  const jobs = planJobs(scenarios, present);
  console.error(`${jobs.length} runs, about ${Math.ceil(estimateMs(jobs) / 60_000)} minutes`);

  const results: Results = {
    setting: await readSetting(found, scenarios, extent.name, programs.compiler),
    runs: [],
  };
  for (const [index, job] of jobs.entries()) {
    const record = await runJob(job, programs);
    results.runs.push(record);
    console.error(progress(index, jobs, record, results));
  }
  console.log(reportMarkdown(results, null));
  if (out !== null) {
    await Deno.mkdir(out, { recursive: true });
    await Deno.writeTextFile(new URL("results.jsonl", out), formatResults(results));
    await writeReport(results, out);
  }
  return 0;
}

/** Makes a folder that is gone with the program, however that ends. */
async function makeTempFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "eventrelay_peers_" });
  // mosquitto gives up root and must still be able to read its settings.
  await Deno.chmod(path, 0o755);
  const interrupted = () => {
    killAll();
    Deno.removeSync(path, { recursive: true });
    Deno.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupted);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, interrupted);
      await Deno.remove(path, { recursive: true });
    },
  };
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
