// The flags of the isolation benchmark: string[] -> what to run, or an error that says what is wrong. Pure;
// starts nothing.

import { parseArgs } from "node:util";
import { readNumber } from "../command.ts";
import { findKind, type Kind, KINDS } from "./kinds.ts";

const SECONDS = 4;
const QUICK_SECONDS = 1.5;
const CLIENTS = 2;

/** The text of `--help`. */
export const HELP = `bench/isolation.ts: measures what the worst clients do to a quiet pair of members

USAGE: deno task bench:isolation [options]      (5 minutes)

  --quick              some kinds, less time (1 minute)
  --kind NAME          this kind alone; may be given several times
  --list               tell the kinds, measure nothing
  --seconds N          measured time of each (${SECONDS}; quick: ${QUICK_SECONDS}); storms end by themselves
  --clients N          connections of a flood (${CLIENTS})
  --relay DIR          a checkout of the relay (this one)
  --before DIR         another checkout, measured first beside each kind, without goals
  --json               print the results as JSON

Exit code: 0, or 1 if this relay misses a goal, or 2 for wrong options.`;

/** What the flags ask for. */
export interface Options {
  kinds: readonly Kind[];
  isList: boolean;
  seconds: number;
  clients: number;
  /** Folders of checkouts; null is this one, and none before it. */
  relay: string | null;
  before: string | null;
  json: boolean;
}

/**
 * Reads the flags; null if they ask for help.
 *
 * @throws {TypeError} for a flag that doesn't exist.
 * @throws {RangeError} for a value out of range, and for flags that exclude each other.
 */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    strict: true,
    allowPositionals: false,
    options: {
      quick: { type: "boolean" },
      kind: { type: "string", multiple: true },
      list: { type: "boolean" },
      seconds: { type: "string" },
      clients: { type: "string" },
      relay: { type: "string" },
      before: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  if (values.quick && values.kind) {
    throw new RangeError("Cannot use --quick with --kind: it chooses the kinds itself");
  }
  const kinds = values.kind?.map(findKind) ?? KINDS.filter(({ quick }) => quick || !values.quick);
  const usualSeconds = values.quick ? QUICK_SECONDS : SECONDS;
  return {
    kinds,
    isList: values.list ?? false,
    seconds: readNumber(values.seconds, "seconds", { least: 0.5, most: 60 }, usualSeconds),
    clients: readNumber(values.clients, "clients", { least: 1, most: 100, isWhole: true }, CLIENTS),
    relay: folderFrom("relay", values.relay),
    before: folderFrom("before", values.before),
    json: values.json ?? false,
  };
}

function folderFrom(name: string, text: string | undefined): string | null {
  if (text === "") throw new RangeError(`Cannot use --${name} "": it is the folder of a checkout`);
  return text ?? null;
}
