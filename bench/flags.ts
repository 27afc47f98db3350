// The benchmark's flags: string[] -> what to run against which server, or an error that says what is wrong.
// Pure; starts nothing.

import { parseArgs } from "node:util";
import { readCount, readNumber } from "./command.ts";
import { checkLineBytes } from "./line_layout.ts";
import {
  checkPlan,
  customPlan,
  DEFAULT_WINDOW_BYTES,
  findScenario,
  type LoadPlan,
  type Pace,
  SCENARIOS,
  SHORT_SCENARIOS,
} from "./scenarios.ts";

/** The text of `--help`. */
export const HELP =
  `bench/fanout.ts: measures how fast a relay passes lines on, and checks that it passes on all of them

USAGE: deno task bench [options]      (without options: a short table)

THE LOAD
  --scenario NAME      ${SCENARIOS.map((scenario) => scenario.name).join(", ")}
  --all-scenarios      all of them, as a Markdown table of medians
  --publishers N --subscribers N        connections that only send, only receive
  --all N              connections that do both
  --idle N             connections that do nothing: memory of each
  --size BYTES         length of a line, a multiple of 4 from 64 (100)
  --rate N             lines a second of each publisher, in writes of --batch lines (1)
  --flood              as fast as the slowest receiver takes it (default)
  --window BYTES       how far the slowest may be behind in a flood (${DEFAULT_WINDOW_BYTES})
  --seconds N --warmup N                measured time (5), time before it (1)
  --rounds N           runs, each with a new relay, of which medians are printed (1; a table 3)

THE RELAY (server.ts of this checkout, unless given)
  --relay CMD          another command that takes the same arguments, e.g. dist/eventrelay
  --target HOST:PORT   a server that is already there; --pid PID reads its CPU time and memory
  --unchecked          start the relay with --unchecked

  --json               print the results as JSON
Exit code: 0, or 1 if something was lost, doubled or out of order, or 2 for wrong options.`;

/** Lengths of the short table's runs. */
const SHORT_SECONDS = 2;
const SHORT_WARMUP_SECONDS = 0.5;

/** The server to measure. */
export type RelayChoice =
  /** Started for each run, by `command` with `args`; a null command is the relay of this checkout. */
  | { kind: "start"; command: string[] | null; args: string[] }
  /** Already listening; `pid` is its process on this machine, null if unknown. */
  | { kind: "existing"; hostname: string; port: number; pid: number | null };

/** What the flags ask for. */
export interface Options {
  plans: LoadPlan[];
  /** Runs of each plan; null lets each have as many as a table needs. */
  rounds: number | null;
  json: boolean;
  relay: RelayChoice;
}

/**
 * Reads the flags; null if they ask for help.
 *
 * @throws {TypeError} for a flag that doesn't exist.
 * @throws {RangeError} for a value out of range, and for flags that exclude each other.
 */
export function readOptions(args: string[]): Options | null {
  const values = parse(args);
  if (values.help) return null;
  const plans = choosePlans(values);
  for (const plan of plans) checkPlan(plan);
  return {
    plans,
    rounds: readCount(values.rounds, "rounds", 1, values["all-scenarios"] ? null : 1),
    json: values.json ?? false,
    relay: chooseRelay(values),
  };
}

function parse(args: string[]) {
  return parseArgs({
    args,
    strict: true,
    allowPositionals: false,
    options: {
      scenario: { type: "string" },
      "all-scenarios": { type: "boolean" },
      publishers: { type: "string" },
      subscribers: { type: "string" },
      all: { type: "string" },
      idle: { type: "string" },
      size: { type: "string" },
      rate: { type: "string" },
      batch: { type: "string" },
      flood: { type: "boolean" },
      window: { type: "string" },
      seconds: { type: "string" },
      warmup: { type: "string" },
      rounds: { type: "string" },
      relay: { type: "string" },
      target: { type: "string" },
      pid: { type: "string" },
      unchecked: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  }).values;
}

/** The flags that were given, each with its text. */
type Flags = ReturnType<typeof parse>;

/** Returns the loads to run: one of the flags' own, named ones, or those of the short table. */
function choosePlans(flags: Flags): LoadPlan[] {
  const publishers = readCount(flags.publishers, "publishers", 0, undefined);
  const subscribers = readCount(flags.subscribers, "subscribers", 0, undefined);
  const members = readCount(flags.all, "all", 0, undefined);
  const idle = readCount(flags.idle, "idle", 1, undefined);
  const isIdle = idle !== undefined;
  const isCustom = publishers !== undefined || subscribers !== undefined || members !== undefined;
  if (isIdle && isCustom) {
    throw new RangeError("Cannot use --idle with other connections: it measures idle ones alone");
  }
  const chosen = [isCustom || isIdle, flags.scenario !== undefined, flags["all-scenarios"] === true];
  if (chosen.filter(Boolean).length > 1) {
    throw new RangeError(
      "Cannot run several loads at once: give one of --scenario, --all-scenarios, or numbers of connections",
    );
  }
  const changes = readChanges(flags);
  if (isIdle) return [customPlan({ idle, ...changes })];
  if (isCustom) {
    const others = members === undefined ? 1 : 0;
    return [customPlan({
      publishers: publishers ?? others,
      subscribers: subscribers ?? others,
      members: members ?? 0,
      ...changes,
    })];
  }
  if (flags.scenario !== undefined) return [{ ...findScenario(flags.scenario), ...changes }];
  if (flags["all-scenarios"]) return SCENARIOS.map((scenario) => ({ ...scenario, ...changes }));
  const short = { seconds: SHORT_SECONDS, warmupSeconds: SHORT_WARMUP_SECONDS };
  return SHORT_SCENARIOS.map((name) => ({ ...findScenario(name), ...short, ...changes }));
}

/** Returns what the flags change in every plan. */
function readChanges(flags: Flags): Partial<LoadPlan> {
  const pace = choosePace(flags);
  const lineBytes = readCount(flags.size, "size", 1, undefined);
  if (lineBytes !== undefined) checkLineBytes(lineBytes);
  const seconds = readNumber(flags.seconds, "seconds", { least: 0.01 }, undefined);
  const warmupSeconds = readNumber(flags.warmup, "warmup", { least: 0 }, undefined);
  return {
    ...(pace && { pace }),
    ...(lineBytes !== undefined && { lineBytes }),
    ...(seconds !== undefined && { seconds }),
    ...(warmupSeconds !== undefined && { warmupSeconds }),
  };
}

/** Returns how fast to send, undefined if no flag says. */
function choosePace({ rate: rateText, batch: batchText, flood, window }: Flags): Pace | undefined {
  const rate = readNumber(rateText, "rate", { least: 0.001 }, undefined);
  const batch = readCount(batchText, "batch", 1, undefined);
  const windowBytes = readNumber(window, "window", { least: 1 }, undefined);
  const isFlood = flood || windowBytes !== undefined;
  if (rate !== undefined && isFlood) {
    throw new RangeError("Cannot use --rate in a flood: give --rate or --flood and --window");
  }
  if (batch !== undefined && rate === undefined) {
    throw new RangeError("Cannot use --batch alone: it needs --rate");
  }
  if (rate !== undefined) {
    return { kind: "rate", ticksPerSecond: rate / (batch ?? 1), linesPerTick: batch ?? 1 };
  }
  return isFlood ? { kind: "flood", windowBytes: windowBytes ?? DEFAULT_WINDOW_BYTES } : undefined;
}

/** Returns the server to measure: one to start, or one that is there. */
function chooseRelay({ relay, target, pid: pidText, unchecked }: Flags): RelayChoice {
  const pid = readCount(pidText, "pid", 1, null);
  if (target === undefined) {
    if (pid !== null) {
      throw new RangeError("Cannot use --pid alone: it belongs to the server named by --target");
    }
    const args = ["0", "--quiet", "--host", "127.0.0.1", ...(unchecked ? ["--unchecked"] : [])];
    return { kind: "start", command: relay === undefined ? null : relay.trim().split(/\s+/), args };
  }
  if (relay !== undefined || unchecked) {
    throw new RangeError("Cannot use --relay or --unchecked with --target: that server is already running");
  }
  const [, hostname, port] = target.match(/^(.+):(\d+)$/) ?? [];
  if (hostname === undefined) {
    throw new RangeError(`Cannot connect to "${target}": a target is host:port`);
  }
  return { kind: "existing", hostname, port: Number(port), pid };
}
