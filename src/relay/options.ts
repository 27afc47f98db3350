// What a relay can be told, with its defaults, and what everything inside it shares: the options resolved,
// the clock, the timers, the log.

import type { SimulationOptions } from "../simulation/parse_simulation.ts";
import { DEFAULT_LIMITS } from "../wire/protocol.ts";
import { HELLO_MS, HOLD_MS, SilenceWatch } from "./silence_watch.ts";
import { ServiceQueue } from "./service_queue.ts";
import { EventLoop } from "./event_loop.ts";
import type { LogFunction } from "./log.ts";
import { DEFAULT_MAX_MEMORY_BYTES, MemoryBudget, type Relief } from "./memory_budget.ts";
import { makeSecret, RUN_ID_BYTES } from "./secrets.ts";
import type { Timers } from "./timers.ts";

/** What {@linkcode serve} can be told. Every field has a default. */
export interface RelayOptions {
  /** The longest line a client may send, in bytes without its LF. Default: 64 KiB. */
  maxLineBytes?: number;
  /** How many connections are served at a time; further ones are told `relay_full`. Default: 5,000. */
  maxClients?: number;
  /**
   * How old a line may be, in ms, when it is written to a member that is slow; older ones are skipped.
   * Default: 5,000.
   */
  maxLagMs?: number;
  /** How much a room keeps for members that are slow, in bytes. Default: 8 MiB. */
  maxLogBytes?: number;
  /**
   * What happens to a member that is over one of the two limits: it skips to the newest line, or it is
   * closed. Default: "skip".
   */
  whenBehind?: "skip" | "close";
  /** How long a member may take no byte at all before it is closed, in ms. Default: 30,000. */
  writeDeadlineMs?: number;
  /** How long the end of a line may take to come before the connection is closed, in ms. Default: 30,000. */
  idleLineMs?: number;
  /** How long a TLS handshake may take before the connection is closed, in ms. Default: 5,000. */
  handshakeMs?: number;
  /** Whether each line must be one JSON value in valid UTF-8. Default: true. */
  isChecked?: boolean;
  /** How many connections one host may have. Default: Infinity, as many as there may be in all. */
  maxClientsPerHost?: number;
  /** How many rooms there may be, the lobby not counted. Default: 1,000. */
  maxRooms?: number;
  /**
   * Whether requests of HTTP are answered, pages served and WebSockets opened, on the same port. Default:
   * true; otherwise they get a 400.
   */
  servesWeb?: boolean;
  /**
   * The pages that may open a WebSocket, beside the relay's own and those of the visitor's machine:
   * `https://host:port`, `null`, `*` for all. Default: none.
   */
  allowedOrigins?: readonly string[];
  /**
   * The names under which the relay may be asked, beside addresses and names without a dot. Default: none.
   */
  allowedHosts?: readonly string[];
  /** The folder whose files are served beside the relay's own pages. Default: "", none. */
  webFolder?: string;
  /**
   * The proxies that tell truly for whom they ask (`X-Forwarded-For`): addresses, networks such as
   * `10.0.0.0/8`, `loopback`. Default: none.
   */
  trustedProxies?: readonly string[];
  /**
   * How many lines a second a client may send; one that sends more is read more slowly. Default: Infinity.
   */
  maxLinesPerSecond?: number;
  /** How long a session may be silent before its connection counts as gone, in ms. Default: 15,000. */
  pingTimeoutMs?: number;
  /** How long a session whose connection broke can be resumed, in ms. Default: 30,000. */
  resumeMs?: number;
  /** How many bytes may be on their way to a session that has not acknowledged them. Default: 256 KiB. */
  windowBytes?: number;
  /** How many keys a member, or a room, may set. Default: 256. */
  maxKeys?: number;
  /** How long the JSON of one value may be, in bytes. Default: 16 KiB. */
  maxValueBytes?: number;
  /** How much all keys and values of a room may have together, in bytes. Default: 4 MiB. */
  maxStateBytes?: number;
  /**
   * How much the relay holds for its clients in all, in bytes: logs, state, what waits to be written, absent
   * sessions. When it runs short, see `RELIEF_ORDER` for what is given up; then new rooms and values are
   * refused. Default: 64 MiB.
   */
  maxMemoryBytes?: number;
  /** What clients have to know to take part; plain clients can't. Default: "", nothing. */
  token?: string;
  /**
   * The bad network over which members are written to, each with its own seed from this one on; see
   * `parseSimulation`. Default: none.
   */
  simulate?: SimulationOptions;
  /** Whether a session may ask for a bad network for itself. Default: true. */
  allowsSimulation?: boolean;
  /** What clients connect to, as pages show it, such as `ifilab100:32100`. Default: "", nobody knows. */
  name?: string;
  /** Takes what an operator may want to know. Default: nothing is logged. */
  log?: LogFunction;
}

/** The defaults of {@linkcode RelayOptions}. */
export const RELAY_DEFAULTS: Readonly<Required<Omit<RelayOptions, "simulate">> & { simulate: undefined }> = {
  ...DEFAULT_LIMITS,
  maxClients: 5000,
  maxLogBytes: 8 * 1024 * 1024,
  whenBehind: "skip",
  writeDeadlineMs: 30_000,
  idleLineMs: 30_000,
  handshakeMs: 5000,
  isChecked: true,
  maxClientsPerHost: Infinity,
  maxRooms: 1000,
  servesWeb: true,
  allowedOrigins: [],
  allowedHosts: [],
  webFolder: "",
  trustedProxies: [],
  maxLinesPerSecond: Infinity,
  maxMemoryBytes: DEFAULT_MAX_MEMORY_BYTES,
  token: "",
  simulate: undefined,
  allowsSimulation: true,
  name: "",
  log: () => {},
};

/** What a relay takes from the machine beside its sockets, so that a test can hand it a time of its own. */
export interface Environment {
  /** Tells the time in ms; never goes back. */
  clock(): number;
  /** What the clock's 0 is, in ms since 1970. */
  timeOriginMs: number;
  timers: Timers;
}

/** The machine's own. */
export const REAL_ENVIRONMENT: Environment = {
  clock: () => performance.now(),
  timeOriginMs: performance.timeOrigin,
  timers: {
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  },
};

/** What all parts of one relay share. Where a part needs little of it, it asks for that. */
export interface Settings extends Readonly<Required<Omit<RelayOptions, "simulate">>> {
  /** Whether only clients that know the token may take part, so no plain ones. */
  readonly needsToken: boolean;
  /** Makes the simulated network over which a member is written to, each its own; none if undefined. */
  readonly simulate: (() => SimulationOptions) | undefined;
  /** Tells one run of a relay from another. */
  readonly runId: string;
  /** Tells the time in ms; never goes back. */
  readonly clock: () => number;
  /** Tells the relay's time, in ms since 1970: the same clock. */
  readonly relayTime: () => number;
  readonly timers: Timers;
  readonly loop: EventLoop;
  /** Who is served when. */
  readonly service: ServiceQueue;
  /** Connections that have sent nothing yet. */
  readonly silences: SilenceWatch;
  /** The memory that all parts draw from. */
  readonly memory: MemoryBudget;
}

/** Puts in the defaults, and what the relay takes from its environment. */
export function resolveOptions(options: RelayOptions, environment: Environment = REAL_ENVIRONMENT): Settings {
  const { clock, timeOriginMs, timers } = environment;
  const all = { ...RELAY_DEFAULTS, ...options };
  const loop = new EventLoop(clock);
  const needsToken = all.token !== "";
  return {
    ...all,
    needsToken,
    simulate: all.simulate && simulateEach(all.simulate),
    runId: makeSecret(RUN_ID_BYTES),
    clock,
    relayTime: () => timeOriginMs + clock(),
    timers,
    loop,
    service: new ServiceQueue(clock, loop),
    silences: new SilenceWatch({ clock, timers, waitMs: needsToken ? HELLO_MS : HOLD_MS }),
    memory: new MemoryBudget({
      maxMemoryBytes: all.maxMemoryBytes,
      timers,
      onRelief: reliefLog(all.log, clock),
    }),
  };
}

/** How far apart the log lines about one kind of relief are at least, in ms. */
const RELIEF_LOG_MS = 10_000;

/**
 * Makes a function that logs what was given up: that it was, at once, and then how much it was since the last
 * line.
 */
function reliefLog(log: LogFunction, clock: () => number): (relief: Relief, bytes: number) => void {
  const sums = new Map<Relief, { bytes: number; loggedAt: number }>();
  return (relief, bytes) => {
    const sum = sums.get(relief) ?? { bytes: 0, loggedAt: -Infinity };
    sums.set(relief, sum);
    sum.bytes += bytes;
    if (clock() - sum.loggedAt < RELIEF_LOG_MS) return;
    log("warn", "memory is short, gave some up", { what: relief, bytes: sum.bytes });
    sum.bytes = 0;
    sum.loggedAt = clock();
  };
}

/** Gives each member a network of its own: the same qualities, another seed. */
function simulateEach(options: SimulationOptions): () => SimulationOptions {
  let { seed } = options;
  return () => ({ ...options, seed: seed++ });
}
