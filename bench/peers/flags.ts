// The flags of the comparison: string[] -> what to run, or an error that says what is wrong. Pure; starts
// nothing.

import { parseArgs } from "node:util";
import { readCount } from "../command.ts";
import { type Transport, TRANSPORTS } from "./contender.ts";
import { allContenders, type ContenderOptions } from "./contenders.ts";
import { type Extent, FULL, QUICK, type Scenario, scenariosOf, WEBSOCKET_SCENARIOS } from "./scenarios.ts";

/** The text of `--help`. */
export const HELP = `bench/peers/run.ts: compares the relay with its peers

USAGE: deno task bench:peers [options]      (about 30 minutes; by WebSocket about 10)

  --transport NAME     tcp: redis, nats-server, mosquitto, ncat --broker (default); websocket: Bun, ws, Socket.IO,
                       Colyseus, nats-server, mosquitto; packages come from npm, into a cache folder, at first use
  --quick              short runs, one round: prints tables, writes nothing unless --out is given
  --scenario NAME      only these, by name or group; several times for several (--list names them)
  --contender NAME     only these, of either transport; several times for several
  --rounds N           as many rounds of each scenario
  --relay COMMAND      another relay that takes the same arguments, e.g. dist/eventrelay
  --before COMMAND     a relay to compare with, e.g. of another checkout
  --out FOLDER         where results.jsonl and charts go (a whole run: bench/peers/results, and bench/README.md)
  --add                add these runs to the results that are there, so that a comparison can be made in parts
  --report             measure nothing: make charts and tables anew from results.jsonl
  --list               name scenarios and contenders
  --help`;

/** What the flags ask for. */
export interface Options {
  transport: Transport;
  extent: Extent;
  scenarios: readonly Scenario[];
  contenders: readonly string[];
  relay: string[] | null;
  before: string[] | null;
  /** Where results go; null: nowhere. `isOwnPlace` if the page shows them. */
  out: URL | null;
  isOwnPlace: boolean;
  /** Whether runs are added to the results that are there. */
  adds: boolean;
  isReport: boolean;
  isList: boolean;
}

/**
 * Reads the flags; null if they ask for help.
 *
 * @throws {TypeError} for a flag that doesn't exist.
 * @throws {RangeError} for a value that is none of those allowed.
 */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      transport: { type: "string" },
      quick: { type: "boolean" },
      scenario: { type: "string", multiple: true },
      contender: { type: "string", multiple: true },
      rounds: { type: "string" },
      relay: { type: "string" },
      before: { type: "string" },
      out: { type: "string" },
      add: { type: "boolean" },
      report: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  const transport = TRANSPORTS.find((name) => name === (values.transport ?? TRANSPORTS[0]));
  if (transport === undefined) {
    throw new RangeError(`Cannot use --transport "${values.transport}": it is ${TRANSPORTS.join(" or ")}`);
  }
  const [relay, before] = [readCommand(values.relay, "relay"), readCommand(values.before, "before")];
  const extent = values.quick ? QUICK : FULL;
  const isWhole = !values.quick && values.scenario === undefined && values.contender === undefined;
  const own = resultsFolder(transport);
  if (values.out === "") throw new RangeError(`Cannot use --out "": it is a folder`);
  const out = values.out === undefined
    ? isWhole || values.report || values.add ? own : null
    : new URL(`${values.out}/`, `file://${Deno.cwd()}/`);
  return {
    transport,
    extent,
    scenarios: chosenScenarios(extent, transport, values.scenario).map((scenario) => ({
      ...scenario,
      rounds: readCount(values.rounds, "rounds", 1, scenario.rounds),
    })),
    contenders: chosen(contenderNames({ relay, before }), values.contender) ??
      contenderNames({ relay, before }, transport),
    relay,
    before,
    out,
    isOwnPlace: out?.href === own.href,
    adds: values.add ?? false,
    isReport: values.report ?? false,
    isList: values.list ?? false,
  };
}

/** Returns where the results of a whole comparison are kept. */
function resultsFolder(transport: Transport): URL {
  return new URL(transport === "tcp" ? "./results/" : `./results/${transport}/`, import.meta.url);
}

function chosenScenarios(
  extent: Extent,
  transport: Transport,
  wanted: readonly string[] | undefined,
): Scenario[] {
  const all = scenariosOf(extent);
  const names = all.flatMap(({ name, groups }) => [name, ...groups]);
  const those = chosen(names, wanted) ?? (transport === "websocket" ? WEBSOCKET_SCENARIOS : names);
  return all.filter(({ name, groups }) =>
    those.some((each) => each === name || groups.some((g) => g === each))
  )
    // By WebSocket no curves are drawn, of which some are points.
    .map((scenario) => transport === "tcp" ? scenario : { ...scenario, groups: scenario.groups.slice(0, 1) });
}

/** Names the contenders, of one comparison if it is given. */
export function contenderNames(
  relays: Pick<ContenderOptions, "relay" | "before">,
  transport?: Transport,
): string[] {
  return allContenders({ ...relays, folder: "", limitProgram: "" })
    .filter(({ transports }) => transport === undefined || transports.includes(transport))
    .map(({ name }) => name);
}

/**
 * Returns what is wanted, undefined if nothing is said.
 *
 * @throws {RangeError} for one that is none of all.
 */
export function chosen<T extends readonly string[] | undefined>(all: readonly string[], wanted: T): T {
  const unknown = wanted?.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot find "${unknown}": there are ${[...new Set(all)].join("; ")}`);
  }
  return wanted;
}

/** Reads a command and its arguments, which have no blanks in them; null if there is none. */
export function readCommand(text: string | undefined, name: string): string[] | null {
  const words = text?.trim().split(/\s+/) ?? null;
  if (words?.[0] === "") throw new RangeError(`Cannot use --${name} "": it is a command`);
  return words;
}
