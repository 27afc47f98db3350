// The command line and the environment of the relay: strings in, options or a message out, and the help text.
// Pure: it reads neither Deno.args nor Deno.env and prints nothing.

import { parseArgs } from "node:util";
import { DEFAULT_PORT } from "../wire/protocol.ts";
import { RELAY_DEFAULTS, type RelayOptions } from "../relay/relay.ts";
import { quote } from "../wire/untrusted.ts";
import {
  addressReader,
  choiceReader,
  countReader,
  hostReader,
  listReader,
  originReader,
  portsReader,
  proxyReader,
  type Reader,
  Refusal,
  simulationReader,
  sizeReader,
  switchReader,
  textReader,
  timeReader,
} from "./option_readers.ts";

/** What the program should do. */
export type Command =
  | { kind: "help" | "version" }
  | {
    kind: "serve";
    options: ServerOptions;
    /** What to tell the operator nevertheless. */
    warnings: string[];
  }
  | { kind: "refuse"; message: string };

/** How to serve: what is left of flags and environment once they are understood. */
export interface ServerOptions {
  host: string;
  /** The ports to try in turn, first and last; the same twice for one port, 0 for any. */
  ports: readonly [first: number, last: number];
  relay: Omit<RelayOptions, "log">;
  /** The file whose content is the token. */
  tokenFile: string | undefined;
  /** The files of a certificate and its key, in PEM; none without TLS. */
  tls: { certFile: string; keyFile: string } | undefined;
  logFormat: "text" | "json";
  logLevel: "debug" | "info" | "error";
}

/** Help for `--help`; the defaults in it are the ones of the code. */
export function helpText(version: string): string {
  return `eventrelay ${version}
Relays JSON lines between all programs that connect.

USAGE: eventrelay [PORT] [options]     PORT (-p, --port): ${DEFAULT_PORT}; 32000-33000: first free one; 0: any

OPTIONS
  --host ADDRESS          address to listen on (0.0.0.0)
  --max-line SIZE         longest line a client may send (64k)
  --max-clients N         connections at a time (5000); of one host: --max-clients-per-host N
  --max-rooms N           rooms at a time (1000)
  --max-rate N            lines a second of a client; who sends more is read slowly (no limit)
  --max-lag TIME          oldest line that a slow member is sent (5s)
  --max-log SIZE          what a room keeps for slow members (8m)
  --max-memory SIZE       what the relay holds for all clients together (64m)
  --when-behind WHAT      skip to the newest lines, or close (skip)
  --write-deadline TIME   a member that takes no byte is closed (30s)
  --ping-timeout TIME     a session that nothing is heard of is gone (15s)
  --token-file FILE       sessions must know the token in it; or EVENTRELAY_TOKEN, --token TEXT
  --tls-cert, --tls-key   PEM files: serve TLS; behind a proxy: --trust-proxy ADDRESS
  --simulate NETWORK      a bad one on purpose: wifi, mobile, delay=80ms,…; --no-simulate for nobody
  --web DIR               serve the files of a folder, too; --no-web: no HTTP, no WebSockets
  --allow-origin ORIGIN   pages of others that may connect; --allow-host NAME: another own name
  --unchecked             pass lines on without checking their JSON
  --log FORMAT            text or json, on stderr (text); --quiet: errors only; --verbose: more
  -h, --help, --version   print this; print the version
  SIZE: 500, 64k, 8m. TIME: 500ms, 5s, 2m. Every option can be set in the environment:
  EVENTRELAY_PORT, EVENTRELAY_MAX_LINE=128k, EVENTRELAY_UNCHECKED=1, … A flag wins.
  EXAMPLE: EVENTRELAY_TOKEN=secret eventrelay 32000-33000 --max-clients 100
`;
}

const READERS = {
  "port": portsReader,
  "host": addressReader,
  "max-line": sizeReader(16, 2 ** 26),
  "max-clients": countReader(1, 1_000_000),
  "max-clients-per-host": countReader(1, 1_000_000),
  "max-rooms": countReader(0, 1_000_000),
  "max-rate": countReader(1, 1_000_000_000),
  "max-lag": timeReader(10, 3_600_000),
  "max-log": sizeReader(4096, 2 ** 32),
  "max-memory": sizeReader(2 ** 24, 2 ** 40),
  "when-behind": choiceReader("skip", "close"),
  "write-deadline": timeReader(10, 3_600_000),
  "ping-timeout": timeReader(10, 3_600_000),
  "token": textReader("a text that isn't empty"),
  "token-file": textReader("a file's name"),
  "tls-cert": textReader("a file's name"),
  "tls-key": textReader("a file's name"),
  "simulate": simulationReader,
  "no-simulate": switchReader,
  "no-web": switchReader,
  "web": textReader("a folder's name"),
  "trust-proxy": listReader(proxyReader),
  "allow-origin": listReader(originReader),
  "allow-host": listReader(hostReader),
  "unchecked": switchReader,
  "log": choiceReader("text", "json"),
  "quiet": switchReader,
  "verbose": switchReader,
} satisfies Record<string, Reader<unknown>>;

type OptionName = keyof typeof READERS;
type Values = { [K in OptionName]?: Exclude<ReturnType<(typeof READERS)[K]>, Refusal> };

/** Options that stand alone. */
const SWITCHES: readonly string[] = [
  ...Object.entries(READERS).filter(([, read]) => read === switchReader).map(([name]) => name),
  "help",
  "version",
];

/** Options that may be given several times; in the environment the values stand in a list with commas. */
const LISTS: readonly string[] = ["trust-proxy", "allow-origin", "allow-host"];

/**
 * Options of which one at most can hold. A flag keeps the other one's twin in the environment from being
 * looked at, as it does its own.
 */
const RIVALS: readonly (readonly [OptionName, OptionName])[] = [
  ["quiet", "verbose"],
  ["web", "no-web"],
  ["token", "token-file"],
];

/** Letters that stand for a whole name. */
const SHORT: Record<string, string> = { port: "p", help: "h" };

/** How many unknown variables of the environment are named. */
const MAX_WARNINGS = 20;

/**
 * Reads the command line, and the environment for what it doesn't say. What is set and empty is refused like
 * any other value that is not allowed. `variables` names what is in the environment, so that what begins like
 * an option of the relay and is none can be told of.
 */
export function readCommand(
  args: string[],
  env: (name: string) => string | undefined,
  variables: readonly string[] = [],
): Command {
  const given = readArguments(args);
  if (given.flags.has("help")) return { kind: "help" };
  if (given.flags.has("version")) return { kind: "version" };
  if (given.fault !== undefined) return refuse(given.fault);

  const values: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(READERS)) {
    const bare = name === "port" ? given.bare : undefined;
    const flag = bare ?? given.flags.get(name)?.join(",");
    const twin = environmentName(name);
    const text = flag ?? (isOverruled(name, given.flags) ? undefined : env(twin));
    if (text === undefined) continue;
    const value = read(text);
    if (value instanceof Refusal) {
      return refuseValue(bare !== undefined ? "port" : flag === undefined ? twin : `--${name}`, text, value);
    }
    values[name] = value;
  }
  return combine(values as Values, warnOf(variables));
}

/** Whether a flag says the opposite of what an option could say in the environment. */
function isOverruled(name: string, flags: Given["flags"]): boolean {
  return RIVALS.some(([one, other]) => name === one && flags.has(other) || name === other && flags.has(one));
}

/** What stands on the command line, as texts. */
interface Given {
  /** By the names of options. */
  flags: Map<string, string[]>;
  /** What stands there without a flag. */
  bare: string | undefined;
  /** What is wrong with it, the first thing of all. */
  fault: string | undefined;
}

/**
 * Takes the command line apart. What is wrong is said in our words, so the parser need not know what is
 * right.
 */
function readArguments(args: string[]): Given {
  const options = Object.fromEntries(
    [...Object.keys(READERS), "help", "version"].map((name) => {
      const type = SWITCHES.includes(name) ? "boolean" as const : "string" as const;
      return [name, { type, ...(name in SHORT && { short: SHORT[name] }) }];
    }),
  );
  const { tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true });
  const flags = new Map<string, string[]>(), bare: string[] = [];
  let fault: string | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") bare.push(token.value);
    else if (token.kind === "option") {
      const texts = flags.get(token.name) ?? [];
      fault ??= flagFault(token, texts);
      flags.set(token.name, SWITCHES.includes(token.name) ? ["1"] : [...texts, token.value ?? ""]);
    }
  }
  if (bare.length > 0 && flags.has("port")) {
    fault ??= "Cannot take the port from two places: --port or the bare one, choose one";
  }
  if (bare.length > 1) {
    fault ??= `Cannot use ${quote(bare[1])}: one port or range is all that is named without a flag`;
  }
  return { flags, bare: bare[0], fault };
}

/** A flag as it stands on the command line. */
interface Flag {
  name: string;
  /** As it was written: `--port`, `-p`. */
  rawName: string;
  value?: string;
  /** Whether the value stands in the same word. */
  inlineValue?: boolean;
}

/** Says what is wrong with a flag, before its value is looked at; `earlier` is what it was given before. */
function flagFault({ name, rawName, value, inlineValue }: Flag, earlier: string[]): string | undefined {
  if (SWITCHES.includes(name)) {
    if (value === undefined) return undefined;
    return `Cannot use ${rawName} with a value: it is ${quote(value)}, ${rawName} alone is allowed`;
  }
  if (!Object.hasOwn(READERS, name)) {
    return `Cannot use ${quote(rawName)}: it is no option`;
  }
  const { allowed } = READERS[name as OptionName]("") as Refusal;
  if (value === undefined) return `Cannot use ${rawName} without a value: ${allowed}`;
  if (!inlineValue && /^-./.test(value)) {
    const way = rawName.startsWith("--") ? `--${name}=${value}` : rawName + value;
    return `Cannot use ${rawName} without a value: ${allowed}; what begins with - is written as ${
      quote(way)
    }`;
  }
  if (earlier.length > 0 && !LISTS.includes(name)) {
    return `Cannot use --${name} twice: it is ${quote(earlier[0])} and ${quote(value)}, one is allowed`;
  }
}

/**
 * Names the variables that look like an option's and are none: a slip of the pen must not start an open relay
 * in silence.
 */
function warnOf(variables: readonly string[]): string[] {
  const twins = Object.keys(READERS).map(environmentName);
  return variables
    .filter((name) => name.startsWith("EVENTRELAY_") && !twins.includes(name))
    .sort().slice(0, MAX_WARNINGS)
    .map((name) => `${name} in the environment is no option, see --help`);
}

/** Makes of what was given how to serve, or says why that can't be. */
function combine(values: Values, warnings: string[]): Command {
  const ports = values.port ?? [DEFAULT_PORT, DEFAULT_PORT];
  const relay = {
    maxLineBytes: values["max-line"] ?? RELAY_DEFAULTS.maxLineBytes,
    maxClients: values["max-clients"] ?? RELAY_DEFAULTS.maxClients,
    maxLagMs: values["max-lag"] ?? RELAY_DEFAULTS.maxLagMs,
    maxLogBytes: values["max-log"] ?? RELAY_DEFAULTS.maxLogBytes,
    maxMemoryBytes: values["max-memory"] ?? RELAY_DEFAULTS.maxMemoryBytes,
    whenBehind: values["when-behind"] ?? RELAY_DEFAULTS.whenBehind,
    writeDeadlineMs: values["write-deadline"] ?? RELAY_DEFAULTS.writeDeadlineMs,
    maxClientsPerHost: values["max-clients-per-host"] ?? RELAY_DEFAULTS.maxClientsPerHost,
    maxRooms: values["max-rooms"] ?? RELAY_DEFAULTS.maxRooms,
    maxLinesPerSecond: values["max-rate"] ?? RELAY_DEFAULTS.maxLinesPerSecond,
    pingTimeoutMs: values["ping-timeout"] ?? RELAY_DEFAULTS.pingTimeoutMs,
    simulate: values.simulate,
    allowsSimulation: !values["no-simulate"],
    servesWeb: !values["no-web"],
    webFolder: values.web ?? RELAY_DEFAULTS.webFolder,
    trustedProxies: values["trust-proxy"] ?? RELAY_DEFAULTS.trustedProxies,
    allowedOrigins: values["allow-origin"] ?? RELAY_DEFAULTS.allowedOrigins,
    allowedHosts: values["allow-host"] ?? RELAY_DEFAULTS.allowedHosts,
    token: values.token ?? RELAY_DEFAULTS.token,
    isChecked: !values.unchecked,
  };
  const contradiction = contradictionIn(values, relay);
  if (contradiction !== undefined) return refuse(contradiction);
  const tokenFile = values["token-file"], certFile = values["tls-cert"], keyFile = values["tls-key"];
  const tls = certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
  const host = values.host ?? "0.0.0.0", logFormat = values.log ?? "text";
  const logLevel = values.quiet ? "error" : values.verbose ? "debug" : "info";
  return { kind: "serve", options: { host, ports, relay, tokenFile, tls, logFormat, logLevel }, warnings };
}

/** Says which of the values, each of them good, can't be together; undefined if all can. */
function contradictionIn(
  values: Values,
  { maxLineBytes, maxLogBytes }: Pick<Required<RelayOptions>, "maxLineBytes" | "maxLogBytes">,
): string | undefined {
  if (maxLineBytes * 4 > maxLogBytes) {
    return `Cannot keep lines of ${maxLineBytes} bytes in a log of ${maxLogBytes}: ` +
      "--max-log is at least 4 times --max-line";
  }
  if (values["no-web"] && values.web !== undefined) {
    return "Cannot serve a folder with --no-web: choose one of --web and --no-web";
  }
  if (values.quiet && values.verbose) return "Cannot be --quiet and --verbose: choose one";
  if (values.token !== undefined && values["token-file"] !== undefined) {
    return "Cannot take the token from two places: --token (EVENTRELAY_TOKEN) or --token-file, choose one";
  }
  if ((values["tls-cert"] === undefined) !== (values["tls-key"] === undefined)) {
    return "Cannot serve TLS with half of it: --tls-cert and --tls-key go together";
  }
}

/** Names the environment twin of an option: `EVENTRELAY_MAX_LINE` for `max-line`. */
function environmentName(option: string): string {
  return `EVENTRELAY_${option.toUpperCase().replaceAll("-", "_")}`;
}

function refuse(message: string): Command {
  return { kind: "refuse", message };
}

function refuseValue(name: string, text: string, { allowed }: Refusal): Command {
  return refuse(`Cannot use ${name} ${quote(text)}: ${allowed}`);
}
