// The command line of the example: string[] -> options, or a message for the player; and the help text. Prints nothing.
// Used by main.ts.

import { parseArgs } from "node:util";
import type { Extrapolation } from "./world.ts";

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
  extrapolate: Extrapolation;
  fps: number;
  /** How long to play, in seconds; Infinity until somebody quits. */
  seconds: number;
  /** Where the balls' chance begins; undefined for other balls each time. */
  seed?: number;
  help: boolean;
}

export const HELP = `eventrelay example: bouncing balls, yours and everybody else's on the same relay

USAGE
  deno run --allow-net example/main.ts [TARGET] [options]
  deno task example [TARGET] [options]

TARGET is the relay, HOST, HOST:PORT or HOST:PORT/ROOM (default localhost, port 32100, room lobby).
It needs permission for the network and nothing else: --allow-net=HOST:PORT is enough.

OPTIONS
  --balls N             balls of your own, 0 to 1000 (default 10)
  --name NAME           what the others call you (default player)
  --room ROOM           play with those in this room (default lobby, or that of TARGET)
  --plain               speak plain events, for a relay that knows no sessions
  --token TOKEN         for a relay that asks for one; or EVENTRELAY_TOKEN, with --allow-env
  --hz N                how often each ball is sent, times a second, 0.1 to 100 (default 10)
  --fps N               frames a second, 1 to 120 (default 30)
  --extrapolate MODE    where others' balls are between two events: none (where they were
                        last) or speed (moved on at their speed) (default speed)
  --seconds N           stop after so many seconds (default: play until q)
  --seed N              whole number: start with the same balls again
  --help                show this

KEYS  q or Ctrl-C quits, e changes --extrapolate.
Into a pipe, or without a terminal, it prints one status line a second instead.
NO_COLOR is honoured. Exit codes: 0 quit, 1 error, 2 bad option, 128 + N signal N.

EXAMPLE  deno task example ifilab100:32100/pong --name ada
`;

const FLAGS = {
  balls: { type: "string" },
  name: { type: "string" },
  room: { type: "string" },
  plain: { type: "boolean" },
  token: { type: "string" },
  hz: { type: "string" },
  fps: { type: "string" },
  extrapolate: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the command line.
 *
 * @throws {TypeError} If there is an unknown flag, a value missing, or something that is no number.
 * @throws {RangeError} If a value is not one of those allowed.
 */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseFlags(args);
  if (positionals.length > 1) {
    throw new TypeError(
      `Cannot take ${quoted(positionals[1])}: there is one TARGET, ${quoted(positionals[0])}`,
    );
  }
  const seconds = numberIn("seconds", values.seconds, 0.1, 1e6);
  return {
    target: positionals[0] ?? "localhost",
    room: values.room,
    plain: values.plain ?? false,
    token: values.token,
    hz: numberIn("hz", values.hz, 0.1, 100) ?? 10,
    balls: numberIn("balls", values.balls, 0, 1000, true) ?? 10,
    name: nameIn(values.name ?? "player"),
    extrapolate: extrapolationIn(values.extrapolate ?? "speed"),
    fps: numberIn("fps", values.fps, 1, 120) ?? 30,
    seconds: seconds ?? Infinity,
    seed: numberIn("seed", values.seed, 0, 2 ** 32 - 1, true),
    help: values.help ?? false,
  };
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS, strict: true, allowPositionals: true });
  } catch (error) {
    // Some of its messages have three lines, and a period.
    const message = (error as Error).message.replaceAll("\n", " ").replace(/\.$/, "");
    throw new TypeError(message, { cause: error });
  }
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

function extrapolationIn(text: string): Extrapolation {
  if (text === "none" || text === "speed") return text;
  throw new RangeError(`Cannot use --extrapolate ${quoted(text)}: it is none or speed`);
}

/** Control characters leave as escapes. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
