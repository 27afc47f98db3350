// The relay as a library: accepts connections from a listener, puts each into the lobby, flushes what has
// news, sweeps, counts, and closes in order. Prints nothing, reads no flags, never exits.

import { Acceptor } from "./acceptor.ts";
import { formatAddress, hostOf } from "./address.ts";
import { TlsHandshakes } from "./tls_handshakes.ts";
import { HttpDoor } from "./web/http_door.ts";
import type { Upgrade } from "./web/http_connection.ts";
import { Incidents } from "./incidents.ts";
import { Overview } from "./overview.ts";
import { Rates } from "./rates.ts";
import { guardLog, type LogFunction } from "./log.ts";
import { NoiseFilter } from "./noise_filter.ts";
import { encodeControl } from "../wire/protocol.ts";
import { Admission, type Visit } from "./admission.ts";
import { Rooms } from "./room/rooms.ts";
import { Sweeper } from "./sweeper.ts";
import { Connection } from "./connection/connection.ts";
import { type ConnectionStats, noCounts, type RelayStats } from "./relay_stats.ts";
import type { Transport } from "./connection/transport.ts";
import { FramedCopies } from "./connection/websocket/framed_copies.ts";
import { WebSocketTransport } from "./connection/websocket/websocket_transport.ts";
import {
  type Environment,
  REAL_ENVIRONMENT,
  type RelayOptions,
  resolveOptions,
  type Settings,
} from "./options.ts";

export type { LogFunction, LogLevel } from "./log.ts";
export { RELAY_DEFAULTS, type RelayOptions } from "./options.ts";
export type { ConnectionStats, Counts, RelayStats } from "./relay_stats.ts";
export type { Transport } from "./connection/transport.ts";

/** A connection that was just accepted. */
export interface Accepted extends Transport {
  readonly remoteAddr: Deno.Addr;
  setNoDelay?(noDelay?: boolean): void;
  /** Resolves when both sides may speak; it is served from then on. */
  handshake?(): Promise<unknown>;
}

/** Where connections come from; {@linkcode Deno.TcpListener} and {@linkcode Deno.TlsListener} have it. */
export interface Listener {
  accept(): Promise<Accepted>;
  close(): void;
}

/** How often sessions are swept, in ms, where no limit asks for more. */
const SWEEP_MS = 1000;

/** After how long clients should come back when the relay stops, in ms: at least this… */
const MIN_RETRY_MS = 500;

/** …and up to this much later for each client that is connected, but not more than the second. */
const RETRY_SPREAD_MS = 20;
const MAX_RETRY_SPREAD_MS = 10_000;

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
  return new RelayServer(listener, options, REAL_ENVIRONMENT);
}

/** A running relay. Made by {@linkcode serve}. */
export class RelayServer implements AsyncDisposable {
  /** Resolves when the relay has closed. Never rejects. */
  readonly finished: Promise<void>;
  readonly #listener: Listener;
  readonly #settings: Settings;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #rooms: Rooms;
  readonly #admission: Admission;
  readonly #noiseFilter: NoiseFilter;
  readonly #acceptor: Acceptor<Accepted>;
  readonly #tlsHandshakes: TlsHandshakes;
  readonly #sweeper: Sweeper;
  readonly #httpDoor: HttpDoor;
  readonly #framedCopies: FramedCopies;
  /** Connections that were HTTP, until they are closed or clients by WebSocket. */
  readonly #requests = new Set<Promise<void>>();
  readonly #rates: Rates;
  #isStarting = true;
  #isClosing = false;
  readonly #ended = noCounts();

  /** @internal Use {@linkcode serve}. */
  constructor(listener: Listener, options: RelayOptions, environment: Environment) {
    this.#listener = listener;
    const write = guardLog(options.log ?? (() => {}));
    const incidents = new Incidents(() => this.#settings.relayTime());
    this.#noiseFilter = new NoiseFilter(both(incidents.keep, write), environment.clock);
    const log = both(incidents.count, this.#noiseFilter.log);
    this.#settings = resolveOptions({ ...options, log }, environment);
    this.#rooms = new Rooms(this.#settings);
    this.#admission = new Admission(this.#settings, this.#rooms);
    this.#rates = new Rates(this.#settings.clock());
    this.#httpDoor = new HttpDoor(
      this.#settings,
      new Overview({
        settings: this.#settings,
        admission: this.#admission,
        rooms: this.#rooms,
        rates: this.#rates,
        incidents,
        connections: () => this.#connections.keys(),
        totals: () => this.stats(),
        health: () => this.#isClosing ? "stopping" : this.#isStarting ? "starting" : "ok",
      }),
    );
    this.#framedCopies = new FramedCopies(this.#settings.memory);
    const { maxLagMs, writeDeadlineMs, idleLineMs, pingTimeoutMs, resumeMs } = this.#settings;
    const shortestMs = Math.min(maxLagMs, writeDeadlineMs, idleLineMs, pingTimeoutMs, resumeMs);
    const everyMs = Math.min(SWEEP_MS, shortestMs / 4);
    this.#sweeper = new Sweeper(this.#settings, everyMs, (nowMs) => this.#sweep(nowMs));
    void this.#settings.loop.open().then(() => this.#isStarting = false);
    this.#tlsHandshakes = new TlsHandshakes(this.#settings);
    this.#acceptor = new Acceptor(listener, (conn) => this.#receive(conn), this.#settings);
    this.finished = this.#serveAll();
  }

  /** Counts what happened so far. Costs a little for each member that is behind. */
  stats(): RelayStats {
    const sum = { ...this.#ended };
    for (const connection of this.#connections.keys()) connection.addCounts(sum);
    const { waiting, ...sessions } = this.#admission.stats();
    return { ...sum, members: this.#connections.size - waiting, ...sessions, ...this.#rooms.stats() };
  }

  /** Counts for each connection what happened so far, the oldest first. */
  connectionStats(): ConnectionStats[] {
    return Array.from(this.#connections.keys(), (connection) => connection.stats());
  }

  /**
   * Stops accepting, writes out what members have not had (for a second at most), closes, and waits for all
   * of it.
   */
  close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#acceptor.stop();
      this.#httpDoor.stop();
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

  async #serveAll(): Promise<void> {
    await this.#acceptor.run();
    await this.#tlsHandshakes.close();
    await Promise.all(this.#connections.values());
    await this.#httpDoor.close();
    await Promise.all(this.#requests);
    this.#sweeper.close();
    this.#framedCopies.close();
    this.#admission.close();
    this.#rooms.close();
    await this.#settings.loop.close();
    this.#settings.memory.close();
    this.#noiseFilter.flush(Infinity);
  }

  /** Takes a connection that was just accepted: first its handshake, if it has one. */
  #receive(conn: Accepted): void {
    try {
      conn.setNoDelay?.(true);
    } catch {
      return conn.close(); // it is gone again already
    }
    const address = formatAddress(conn.remoteAddr);
    const visit = this.#admission.arrive(hostOf(conn.remoteAddr));
    if (visit === undefined) return conn.close();
    if (conn.handshake === undefined) return this.#welcome(conn, address, visit);
    this.#tlsHandshakes.start(
      conn as Accepted & Required<Pick<Accepted, "handshake">>,
      address,
      () => this.#welcome(conn, address, visit),
      () => visit.end(),
    );
  }

  #welcome(conn: Accepted, address: string, visit: Visit): void {
    if (this.#isClosing) {
      visit.end();
      return conn.close();
    }
    const httpTaker = this.#settings.servesWeb ? this.#httpDoor : undefined;
    const connection = new Connection(conn, address, this.#rooms.lobby, this.#settings, visit, httpTaker);
    this.#connections.set(connection, this.#serveConnection(conn, connection, visit));
    this.#settings.log("debug", "connected", { address });
  }

  /** Makes the last line of a session: come back, but not all in the same moment. Plain clients get none. */
  #farewell(connection: Connection): Uint8Array | undefined {
    if (!connection.isSession) return undefined;
    const spreadMs = Math.min(this.#connections.size * RETRY_SPREAD_MS, MAX_RETRY_SPREAD_MS);
    const retryMs = Math.round(MIN_RETRY_MS + Math.random() * spreadMs);
    return encodeControl("bye", { reason: "shutdown", retryMs });
  }

  async #serveConnection(
    conn: Accepted | WebSocketTransport,
    connection: Connection,
    visit: Visit,
  ): Promise<void> {
    const http = await connection.run();
    // A thousand pages may come at once: until it is its turn it is one who has arrived, not one who is served.
    if (http !== undefined) await this.#settings.loop.turnIfBusy();
    visit.end();
    this.#connections.delete(connection);
    connection.addTraffic(this.#rates.sum);
    if (http === undefined || !("remoteAddr" in conn)) connection.addCounts(this.#ended);
    else {
      const request = this.#serveHttp(conn, http, connection.address).finally(() =>
        this.#requests.delete(request)
      );
      this.#requests.add(request);
    }
  }

  /** Serves a connection that speaks HTTP: it is none of the clients, unless it becomes one by WebSocket. */
  async #serveHttp(conn: Accepted, bytes: Uint8Array, address: string): Promise<void> {
    const upgrade = await this.#httpDoor.serve(conn, bytes, hostOf(conn.remoteAddr), address);
    if (upgrade !== undefined) await this.#welcomeWebSocket(conn, upgrade);
  }

  /**
   * Takes a WebSocket whose handshake is over as it takes a connection that was just accepted, but for a last
   * word that a page can read.
   */
  async #welcomeWebSocket(conn: Accepted, { rest, host, address }: Upgrade): Promise<void> {
    const websocket = new WebSocketTransport(conn, rest, address, this.#framedCopies, this.#settings);
    const visit = this.#isClosing ? undefined : this.#admission.arrive(host);
    if (visit === undefined) {
      return await websocket.turnAway(
        this.#isClosing ? { reason: "shutdown" } : { reason: "refused", code: "relay_full" },
      );
    }
    const connection = new Connection(websocket, address, this.#rooms.lobby, this.#settings, visit);
    this.#connections.set(connection, this.#serveConnection(websocket, connection, visit));
    this.#settings.log("debug", "connected", { address, transport: "websocket" });
  }

  /** Looks after everything once, in small steps. */
  *#sweep(nowMs: number): Generator<void> {
    for (const connection of this.#connections.keys()) {
      connection.sweep(this.#settings.clock());
      connection.addTraffic(this.#rates.sum);
      yield;
    }
    yield* this.#admission.sweep(nowMs);
    yield* this.#rooms.sweep();
    this.#rates.note(this.#settings.clock());
    this.#noiseFilter.flush(this.#settings.clock());
  }
}

/** Makes one log of two. */
function both(first: LogFunction, second: LogFunction): LogFunction {
  return (level, message, fields) => {
    first(level, message, fields);
    second(level, message, fields);
  };
}
