// The command line of the example: string[] -> options, or a message for the player; and the help text.
// Prints nothing.

import { parseArgs } from "node:util";
import type { Strategy } from "../motion.ts";
import { parseSimulation } from "../motion.ts";
import { type Drawing, STRATEGIES } from "./remote_balls.ts";

/** What a game is started with. */
export interface Options {
  target: string;
  /** The room, if it was named by a flag. */
  room?: string;
  /** Takes part as a client that knows no sessions. */
  plain: boolean;
  token?: string;
  hz: number;
  balls: number;
  name: string;
  /** How others' balls are drawn at first. */
  drawing: Drawing;
  fps: number;
  /** Plays with itself instead of with a relay. */
  split: boolean;
  /** The network to ask the relay for, if any; and the one in the middle of a split game. */
  simulate?: string;
  network: string;
  /** The file to write our balls' ways to. */
  record?: string;
  /** How long to play, in seconds; Infinity until somebody quits. */
  seconds: number;
  /** Where the balls' chance begins; undefined for other balls each time. */
  seed?: number;
  help: boolean;
}

/** What `--split` simulates if nothing else is named. */
const SPLIT_NETWORK = "wifi";

export const HELP = `eventrelay example: bouncing balls, yours and everybody else's on the same relay;
whose ball first touches the golden one gets a point

USAGE  deno task example [TARGET] [options]      (deno run --allow-net example/main.ts ...)

TARGET is HOST, HOST:PORT or HOST:PORT/ROOM (default localhost:32100/lobby), or wss://… for TLS.
It needs permission for the network and nothing else: --allow-net=HOST:PORT is enough.

OPTIONS
  --name NAME           what the others call you (default player)
  --room ROOM           play with those in this room (default lobby, or that of TARGET)
  --token TOKEN         for a relay that asks for one; or EVENTRELAY_TOKEN, with --allow-env
  --plain               speak plain events, for a relay that knows no sessions
  --balls N             balls of your own, 0 to 1000 (default 10)
  --hz N, --fps N       how often each is sent, 0.1 to 100 (10), and drawn, 1 to 120 (30), a second
  --strategy NAME       where others' balls are between two events: hold, speed, history, blend or
                        interpolate (default blend); --extrapolate none is hold, speed is speed
  --walls WHAT          known: speed, history and blend know where balls bounce; unknown: they don't
                        (default known, in a split game unknown, so that there is an error to see)
  --split               no relay: sender and receiver side by side, and how far off what is seen is
  --simulate NETWORK    receive over a bad network: lan, wifi, mobile, awful, or
                        delay=80ms,jitter=20ms,spike=300ms/5s,... (default none, split: wifi)
  --record FILE         write down your balls' ways, needs --allow-write
  --seconds N, --seed N stop after so many seconds; start with the same balls again
  --help                show this

KEYS  1 to 5 strategy, w walls, g ghosts (where events put the balls), q quits, Ctrl-Z stops (not
under deno task). Into a pipe, without a terminal, or with TERM=dumb it prints a line a second.
NO_COLOR is honoured. Exit codes: 0 quit, 1 error, 2 bad option, 128 + N signal N.
`;

const FLAGS = {
  balls: { type: "string" },
  name: { type: "string" },
  room: { type: "string" },
  plain: { type: "boolean" },
  token: { type: "string" },
  hz: { type: "string" },
  fps: { type: "string" },
  strategy: { type: "string" },
  extrapolate: { type: "string" },
  walls: { type: "string" },
  split: { type: "boolean" },
  simulate: { type: "string" },
  record: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the command line.
 *
 * @throws {TypeError} If there is an unknown flag, a value missing or given twice, or no number.
 * @throws {RangeError} If a value is not one of those allowed.
 */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseFlags(args);
  if (positionals.length > 1) {
    throw new TypeError(
      `Cannot take ${quoted(positionals[1])}: there is one TARGET, ${quoted(positionals[0])}`,
    );
  }
  const split = values.split ?? false;
  if (split) refuseBeside("split", values, ["room", "token", "plain", "record"], positionals);
  if (values.plain) refuseBeside("plain", values, ["token", "simulate"]);
  const strategy = strategyIn(values);
  const walls = choiceIn("walls", values.walls ?? (split ? "unknown" : "known"), ["known", "unknown"]);
  const simulate = simulationIn(values.simulate);
  return {
    target: positionals[0] ?? "localhost",
    room: values.room,
    plain: values.plain ?? false,
    token: values.token,
    hz: numberIn("hz", values.hz, 0.1, 100) ?? 10,
    balls: numberIn("balls", values.balls, 0, 1000, true) ?? 10,
    name: nameIn(values.name ?? "player"),
    drawing: { strategy, walls: walls === "known" },
    fps: numberIn("fps", values.fps, 1, 120) ?? 30,
    split,
    simulate,
    network: simulate ?? SPLIT_NETWORK,
    record: values.record,
    seconds: numberIn("seconds", values.seconds, 0.1, 1e6) ?? Infinity,
    seed: numberIn("seed", values.seed, 0, 2 ** 32 - 1, true),
    help: values.help ?? false,
  };
}

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS; strict: true }>>["values"];

/** Takes the command line apart; what is wrong with a flag is said in our words, not in the parser's. */
function parseFlags(args: string[]): { values: Values; positionals: string[] } {
  const parsed = parseArgs({ args, options: FLAGS, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    if (!Object.hasOwn(FLAGS, name)) throw new TypeError(`Cannot use ${quoted(rawName)}: it is no option`);
    if (FLAGS[name as keyof typeof FLAGS].type === "boolean") {
      if (value === undefined) continue;
      throw new TypeError(`Cannot use ${rawName} with a value: ${rawName} alone is allowed`);
    }
    if (value === undefined) throw new TypeError(`Cannot use ${rawName} without a value: it takes one`);
    if (!inlineValue && /^-./.test(value)) {
      throw new TypeError(
        `Cannot use ${rawName} without a value: what begins with - is written as ${rawName}=-1`,
      );
    }
    const earlier = given.get(name);
    if (earlier !== undefined) {
      throw new TypeError(
        `Cannot use ${rawName} twice: it is ${quoted(earlier)} and ${quoted(value)}, one is allowed`,
      );
    }
    given.set(name, value);
  }
  return { values: parsed.values as Values, positionals: parsed.positionals };
}

function numberIn(flag: string, text: string | undefined, min: number, max: number, whole = false) {
  if (text === undefined) return undefined;
  const value = Number(text);
  const kind = whole ? "a whole number" : "a number";
  if (text.trim() === "" || Number.isNaN(value)) {
    throw new TypeError(`Cannot use --${flag} ${quoted(text)}: it is ${kind} from ${min} to ${max}`);
  }
  if (value < min || value > max || (whole && !Number.isInteger(value))) {
    throw new RangeError(`Cannot use --${flag} ${text}: it is ${kind} from ${min} to ${max}`);
  }
  return value;
}

function nameIn(text: string): string {
  if (/^[\p{L}\p{N}_.-]{1,32}$/u.test(text)) return text;
  throw new RangeError(
    `Cannot use --name ${quoted(text)}: it is 1 to 32 letters, digits or one of _ . -`,
  );
}

/** The strategies that `--extrapolate` used to name. */
const EXTRAPOLATIONS: Readonly<Record<string, Strategy>> = { none: "hold", speed: "speed" };

function strategyIn({ strategy, extrapolate }: { strategy?: string; extrapolate?: string }): Strategy {
  if (extrapolate === undefined) return choiceIn("strategy", strategy ?? "blend", STRATEGIES);
  if (strategy !== undefined) {
    throw new TypeError("Cannot use --extrapolate beside --strategy: both say the same, one is allowed");
  }
  return EXTRAPOLATIONS[choiceIn("extrapolate", extrapolate, Object.keys(EXTRAPOLATIONS))];
}

function choiceIn<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  const all = `${choices.slice(0, -1).join(", ")} or ${choices[choices.length - 1]}`;
  throw new RangeError(`Cannot use --${flag} ${quoted(text)}: it is ${all}`);
}

function simulationIn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    parseSimulation(text);
    return text;
  } catch (error) {
    throw new RangeError(`Cannot use --simulate ${quoted(text)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Refuses what has no meaning beside a flag. */
function refuseBeside(
  flag: string,
  values: Readonly<Record<string, unknown>>,
  others: readonly string[],
  positionals: readonly string[] = [],
): void {
  const other = others.find((name) => values[name] !== undefined);
  const refused = other === undefined ? positionals.map(quoted)[0] : `--${other}`;
  if (refused !== undefined) {
    throw new TypeError(`Cannot use ${refused} beside --${flag}: it has no meaning there`);
  }
}

/** Control characters leave as escapes. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
