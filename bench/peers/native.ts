// Builds the native helpers with the machine's C compiler, and runs the load. They need nothing but libc and
// Linux.

import { type PeerPlan, windowBytes } from "./scenarios.ts";
import type { Wire } from "./contender.ts";
import { adopt, type PeerServer } from "./servers.ts";

const FOLDER = new URL("./native/", import.meta.url);
const LOAD_SOURCES = [
  ...["load.c", "plan.c", "crowd.c", "entry.c", "block.c", "receiver.c", "event.c", "stats.c"],
  ...["wire.c", "wire_websocket.c", "websocket.c"],
];
const LIMIT_SOURCES = ["limit.c"];
const STORM_SOURCES = ["storm.c", "event.c", "stats.c", "wire.c", "wire_websocket.c", "websocket.c"];
const COMPILER_FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra"];
/**
 * A load that hasn't ended this long after its measured time doesn't end any more; beyond that, idle
 * connections take a while.
 */
const GRACE_MS = 25_000;
const IDLE_CONNECTION_MS = 40;

/**
 * What native/load.c prints. Counts and times are those of the measured time; faults are of the whole run.
 */
export interface LoadReport {
  elapsedUs: number;
  sent: number;
  deliveries: number;
  latencyUs: { p50: number; p90: number; p99: number; p999: number; max: number };
  tickLateP99Us: number;
  serverCpuUs: number;
  loadCpuUs: number;
  busyCpuUs: number;
  /** TCP segments with data that the receivers got. */
  segments: number;
  rssKib: number;
  peakKib: number;
}

/** What native/load.c prints of idle connections. */
export interface IdleReport {
  idle: {
    connections: number;
    warm: number;
    coldKib: number;
    warmKib: number;
    idleKib: number;
    afterKib: number;
    /** Share of a core that the server takes while nothing happens. */
    restCpuShare: number;
  };
}

/** What was wrong, in both kinds of runs. */
export interface Verdict {
  expected: number;
  received: number;
  /** Not yet delivered when the run was cut off. */
  behind: number;
  disconnected: number;
  stalledCut: number;
  faults: { lost: number; again: number; own: number; damaged: number };
  odd: string;
}

/** One run of the load. */
export type Measured = Verdict & (LoadReport | IdleReport);

export interface Programs {
  load: string;
  limit: string;
  compiler: string;
}

/** Builds both programs into `folder`. Rejects with what to install if there is no compiler. */
export async function buildPrograms(folder: string): Promise<Programs> {
  const compiler = (await run("cc", ["--version"])).split("\n")[0];
  return { load: await buildProgram(folder, "load"), limit: await buildProgram(folder, "limit"), compiler };
}

/**
 * Builds one program into `folder` and returns its path. Rejects with what to install if there is no
 * compiler.
 */
export async function buildProgram(folder: string, name: "load" | "limit" | "storm"): Promise<string> {
  const program = `${folder}/${name}`;
  const sources = { load: LOAD_SOURCES, limit: LIMIT_SOURCES, storm: STORM_SOURCES }[name];
  const files = sources.map((source) => decodeURIComponent(new URL(source, FOLDER).pathname));
  await run("cc", [...COMPILER_FLAGS, "-o", program, ...files]);
  return program;
}

async function run(command: string, args: string[]): Promise<string> {
  let output;
  try {
    output = await new Deno.Command(command, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Cannot build the load: ${command} is not installed (on Debian: apt install gcc libc6-dev)`,
    );
  }
  const decoder = new TextDecoder();
  if (!output.success) throw new Error(`Cannot build the load: ${decoder.decode(output.stderr)}`);
  return decoder.decode(output.stdout);
}

/** Returns the arguments of native/load.c for a plan. */
export function loadArguments(
  plan: PeerPlan,
  wire: Wire,
  { port, pid }: Pick<PeerServer, "port" | "pid">,
): string[] {
  const values = {
    wire,
    port,
    pid,
    rooms: plan.rooms,
    publishers: plan.publishers,
    subscribers: plan.subscribers,
    members: plan.members,
    stalled: plan.stalled,
    idle: plan.idle,
    warm: plan.warm,
    bytes: plan.eventBytes,
    window: windowBytes(plan),
    period: plan.ticksPerSecond === 0 ? 0 : Math.round(1e6 / plan.ticksPerSecond),
    lines: plan.eventsPerTick,
    heat: plan.heatMs,
    warmup: plan.warmupMs,
    measure: plan.measureMs,
  };
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

/**
 * Runs the load against a server. Returns what it has measured, or why it couldn't, as text. `prefix` is a
 * command that starts commands, such as taskset.
 */
export async function runLoad(
  program: string,
  plan: PeerPlan,
  wire: Wire,
  server: Pick<PeerServer, "port" | "pid">,
  prefix: readonly string[] = [],
): Promise<Measured | string> {
  const [command, ...args] = [...prefix, program, ...loadArguments(plan, wire, server)];
  const child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  adopt(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, plan.heatMs + plan.warmupMs + plan.measureMs + (plan.idle + plan.warm) * IDLE_CONNECTION_MS + GRACE_MS);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  if (success) return JSON.parse(decoder.decode(stdout));
  return late ? "it didn't come to an end" : decoder.decode(stderr).trim();
}
