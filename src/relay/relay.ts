// The relay as a library: accepts connections from a listener, puts each into the lobby, flushes what has
// news, sweeps, counts, and closes in order. Prints nothing, reads no flags, never exits.

import { NoiseFilter } from "./noise_filter.ts";
import { DEFAULT_MAX_LINE_BYTES, encodeControl } from "../wire/protocol.ts";
import { Rooms, type RoomsOptions } from "./room/rooms.ts";
import type { LogFunction } from "./log.ts";
import { Connection, type ConnectionOptions, type ConnectionStats } from "./connection/connection.ts";
import type { Transport } from "./connection/transport.ts";
import type { SimulationOptions } from "../simulation/parse_simulation.ts";

export type { LogFunction, LogLevel } from "./log.ts";
export type { ConnectionStats } from "./connection/connection.ts";
export type { Transport } from "./connection/transport.ts";

/** What {@linkcode serve} can be told. Every field has a default. */
export interface RelayOptions {
  /** The longest line a client may send, in bytes without its LF. Default: 64 KiB. */
  maxLineBytes?: number;
  /** How many connections are served at a time; further ones are told `relay_full`. Default: 5,000. */
  maxClients?: number;
  /** How old a line may be, in ms, when it is written to a member that is slow; older ones are skipped. Default: 5,000. */
  maxLagMs?: number;
  /** How much a room keeps for members that are slow, in bytes. Default: 8 MiB. */
  maxLogBytes?: number;
  /** What happens to a member that is over one of the two limits: it skips to the newest line, or it is closed. Default: "skip". */
  whenBehind?: "skip" | "close";
  /** How long a member may take no byte at all before it is closed, in ms. Default: 30,000. */
  writeDeadlineMs?: number;
  /** How long the end of a line may take to come before the connection is closed, in ms. Default: 30,000. */
  idleLineMs?: number;
  /** Whether each line must be one JSON value in valid UTF-8. Default: true. */
  isChecked?: boolean;
  /** How many connections one host may have. Default: Infinity, as many as there may be in all. */
  maxClientsPerHost?: number;
  /** How many rooms there may be, the lobby not counted. Default: 1,000. */
  maxRooms?: number;
  /** How many lines a second a client may send; one that sends more is read more slowly. Default: Infinity. */
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
  /** What clients have to know to take part; plain clients can't. Default: "", nothing. */
  token?: string;
  /** The bad network over which members are written to, each with its own seed from this one on; see `parseSimulation`. Default: none. */
  simulate?: SimulationOptions;
  /** Whether a session may ask for a bad network for itself. Default: true. */
  allowsSimulation?: boolean;
  /** Takes what an operator may want to know. Default: nothing is logged. */
  log?: LogFunction;
}

/** The defaults of {@linkcode RelayOptions}. */
export const RELAY_DEFAULTS: Readonly<Required<Omit<RelayOptions, "simulate">> & { simulate: undefined }> = {
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  maxClients: 5000,
  maxLagMs: 5000,
  maxLogBytes: 8 * 1024 * 1024,
  whenBehind: "skip",
  writeDeadlineMs: 30_000,
  idleLineMs: 30_000,
  isChecked: true,
  maxClientsPerHost: Infinity,
  maxRooms: 1000,
  maxLinesPerSecond: Infinity,
  pingTimeoutMs: 15_000,
  resumeMs: 30_000,
  windowBytes: 256 * 1024,
  maxKeys: 256,
  maxValueBytes: 16 * 1024,
  maxStateBytes: 4 * 1024 * 1024,
  token: "",
  simulate: undefined,
  allowsSimulation: true,
  log: () => {},
};

/** Where connections come from; {@linkcode Deno.TcpListener} has it. */
export interface Listener {
  accept(): Promise<Transport & { remoteAddr: Deno.Addr; setNoDelay?(noDelay?: boolean): void }>;
  close(): void;
}

/** What a relay has done since it was started. */
export interface RelayStats {
  /** Connections that are served now. */
  members: number;
  /** How many of them are sessions, and how many more sessions may be resumed. */
  sessions: number;
  absentSessions: number;
  /** Rooms that somebody is in. */
  rooms: number;
  /** Lines and bytes that came in and were good. */
  receivedLines: number;
  receivedBytes: number;
  /** Lines and bytes that went out: a line for 30 members counts 30 times. */
  sentLines: number;
  sentBytes: number;
  /** Lines that members missed because they were behind. */
  skippedLines: number;
  /** Lines that were refused. */
  errors: number;
  /** The memory that the log takes, in bytes. */
  logBytes: number;
}

type Counts = Omit<RelayStats, "members" | "sessions" | "absentSessions" | "rooms" | "logBytes">;

/** How long the relay waits after a failed accept(), in ms: doubling from the first to the second. */
const ACCEPT_BACKOFF_MS = [10, 1000] as const;

/** How often sessions are swept, in ms, where no limit asks for more. */
const SWEEP_MS = 1000;

/** After how long clients shall come back when the relay stops, in ms: at least this… */
const MIN_RETRY_MS = 500;

/** …and up to this much later for each client that is connected, but not more than the second. */
const RETRY_SPREAD_MS = 20;
const MAX_RETRY_SPREAD_MS = 10_000;

/** How many refused connections may be told why at the same time; further ones are closed without a word. */
const MAX_REFUSED = 100;

/**
 * Starts a relay on a listener. The relay owns the listener from now on and closes it in the end.
 *
 * @example
 * ```ts
 * import { serve } from "./relay.ts";
 *
 * await using relay = serve(Deno.listen({ hostname: "127.0.0.1", port: 0 }), { maxClients: 100 });
 * console.log(relay.stats().members);
 * ```
 */
export function serve(listener: Listener, options: RelayOptions = {}): RelayServer {
  return new RelayServer(listener, options);
}

/** A running relay. Made by {@linkcode serve}. */
export class RelayServer implements AsyncDisposable {
  /** Resolves when the relay has closed. Never rejects. */
  readonly finished: Promise<void>;
  readonly #listener: Listener;
  readonly #options: ConnectionOptions & RoomsOptions & { maxClients: number; maxClientsPerHost: number };
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #clientsOfHost = new Map<string, number>();
  readonly #rooms: Rooms;
  readonly #noiseFilter: NoiseFilter;
  readonly #closing = Promise.withResolvers<void>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #isClosing = false;
  #refused = 0;
  #ended: Counts = {
    receivedLines: 0,
    receivedBytes: 0,
    sentLines: 0,
    sentBytes: 0,
    skippedLines: 0,
    errors: 0,
  };

  /** @internal Use {@linkcode serve}. */
  constructor(listener: Listener, options: RelayOptions) {
    this.#listener = listener;
    const all = { ...RELAY_DEFAULTS, ...options };
    const clock = () => performance.now();
    this.#noiseFilter = new NoiseFilter(all.log, clock);
    this.#options = {
      ...all,
      log: this.#noiseFilter.log,
      needsToken: all.token !== "",
      clock,
      simulate: all.simulate && simulateEach(all.simulate),
    };
    const { maxLagMs, writeDeadlineMs, idleLineMs, pingTimeoutMs, resumeMs } = all;
    this.#rooms = new Rooms(this.#options);
    const shortestMs = Math.min(maxLagMs, writeDeadlineMs, idleLineMs, pingTimeoutMs, resumeMs);
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, shortestMs / 4));
    this.finished = this.#acceptAll();
  }

  /** Counts what happened so far. Costs a little for each member that is behind. */
  stats(): RelayStats {
    const sum = { ...this.#ended };
    for (const connection of this.#connections.keys()) add(sum, connection.stats());
    return { ...sum, members: this.#connections.size - this.#refused, ...this.#rooms.stats() };
  }

  /** Counts for each connection what happened so far, the oldest first. */
  connectionStats(): ConnectionStats[] {
    return Array.from(this.#connections.keys(), (connection) => connection.stats());
  }

  /** Stops accepting, writes out what members have not had (for a second at most), closes, and waits for all of it. */
  close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#closing.resolve();
      this.#listener.close();
      for (const connection of this.#connections.keys()) {
        connection.end("shutdown", this.#farewell(connection));
      }
    }
    return this.finished;
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #acceptAll(): Promise<void> {
    let backoffMs = 0;
    while (!this.#isClosing) {
      try {
        const conn = await this.#listener.accept();
        backoffMs = 0;
        if (this.#isClosing) conn.close();
        else this.#welcome(conn);
      } catch (error) {
        if (this.#isClosing) break;
        backoffMs = Math.min(Math.max(backoffMs * 2, ACCEPT_BACKOFF_MS[0]), ACCEPT_BACKOFF_MS[1]);
        this.#options.log("error", "cannot accept a connection", {
          error: String(error),
          retryMs: backoffMs,
        });
        await this.#sleep(backoffMs);
      }
    }
    await Promise.all(this.#connections.values());
    clearInterval(this.#sweeper);
    this.#rooms.close();
    this.#noiseFilter.flush(Infinity);
  }

  #welcome(conn: Awaited<ReturnType<Listener["accept"]>>): void {
    const { log } = this.#options;
    try {
      conn.setNoDelay?.(true);
    } catch {
      return conn.close(); // it is gone again already
    }
    const address = formatAddress(conn.remoteAddr);
    const host = "hostname" in conn.remoteAddr ? conn.remoteAddr.hostname : "";
    const full = this.#fullFor(host);
    if (full !== undefined && this.#refused >= MAX_REFUSED) return conn.close();
    const connection = new Connection(
      conn,
      address,
      this.#rooms.lobby,
      this.#options,
      (hello, line) => this.#rooms.admit(hello, line),
    );
    this.#connections.set(connection, this.#serveConnection(connection, host, full !== undefined));
    if (full === undefined) return log("debug", "connected", { address });
    connection.refuse({ code: "relay_full", message: `Cannot serve this connection: ${full}` });
  }

  /** Says why there is no place for a connection from `host`; undefined if there is. */
  #fullFor(host: string): string | undefined {
    const { maxClients, maxClientsPerHost } = this.#options;
    if (this.#connections.size - this.#refused >= maxClients) {
      return `${maxClients} clients are connected, no more are allowed`;
    }
    if ((this.#clientsOfHost.get(host) ?? 0) >= maxClientsPerHost) {
      return `${maxClientsPerHost} clients of ${host} are connected, no more of one host are allowed`;
    }
  }

  /** Makes the last line of a session: come back, but not all in the same moment. Plain clients get none. */
  #farewell(connection: Connection): Uint8Array | undefined {
    if (!connection.isSession) return undefined;
    const spreadMs = Math.min(this.#connections.size * RETRY_SPREAD_MS, MAX_RETRY_SPREAD_MS);
    const retryMs = Math.round(MIN_RETRY_MS + Math.random() * spreadMs);
    return encodeControl("bye", { reason: "shutdown", retryMs });
  }

  async #serveConnection(connection: Connection, host: string, isRefused: boolean): Promise<void> {
    const count = (step: number) => {
      if (isRefused) this.#refused += step;
      else this.#clientsOfHost.set(host, (this.#clientsOfHost.get(host) ?? 0) + step);
      if (this.#clientsOfHost.get(host) === 0) this.#clientsOfHost.delete(host);
    };
    count(1);
    await connection.run();
    count(-1);
    add(this.#ended, connection.stats());
    this.#connections.delete(connection);
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections.keys()) connection.sweep(now);
    this.#rooms.sweep(now);
    this.#noiseFilter.flush(now);
  }

  /** Waits, or stops waiting when the relay closes. */
  async #sleep(ms: number): Promise<void> {
    let timer;
    await Promise.race([new Promise((done) => timer = setTimeout(done, ms)), this.#closing.promise]);
    clearTimeout(timer);
  }
}

function add(sum: Counts, part: ConnectionStats): void {
  sum.receivedLines += part.receivedLines;
  sum.receivedBytes += part.receivedBytes;
  sum.sentLines += part.sentLines;
  sum.sentBytes += part.sentBytes;
  sum.skippedLines += part.skippedLines;
  sum.errors += part.errors;
}

/** Gives each member a line of its own: the same qualities, another seed. */
function simulateEach(options: SimulationOptions): () => SimulationOptions {
  let { seed } = options;
  return () => ({ ...options, seed: seed++ });
}

function formatAddress(address: Deno.Addr): string {
  if (!("hostname" in address)) return address.transport;
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}
