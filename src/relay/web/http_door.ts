// The door for connections that speak HTTP: how many there may be, who is given up for a newcomer, what each
// request is answered, and the end of all of them. They are no clients: they hold no place among those, and
// no member.

import { joinHostPort } from "../address.ts";
import type { LogFunction } from "../log.ts";
import type { EventLoop } from "../event_loop.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import type { Timer, Timers } from "../timers.ts";
import type { Transport } from "../connection/transport.ts";
import type { Answer } from "./answer.ts";
import { Files } from "./files.ts";
import { HttpConnection, type HttpService, type Upgrade } from "./http_connection.ts";
import { HttpFault, type RequestHead } from "./head.ts";
import { Metrics } from "./metrics.ts";
import { Proxies } from "./proxies.ts";
import { Routes } from "./routes.ts";
import { Stats } from "./stats.ts";
import { parseTarget } from "./target.ts";
import type { RelayView } from "./view.ts";
import { hostFault, originFault, type WhoMayOptions } from "./who_may.ts";

/**
 * How many connections speak HTTP at a time. For a further one, the one that has waited longest for a request
 * is closed.
 */
const MAX_HTTP_CONNECTIONS = 256;

/** …and how many of one host: a class may come from one address. */
export const MAX_HTTP_CONNECTIONS_PER_HOST = 192;

/** How many more wait for a place while all of these are being answered… */
const MAX_NEWCOMERS = 1000;

/** …how long at the most, in ms… */
const NEWCOMER_MS = 10_000;

/** …and how far apart the looks are whether there is one, in ms. */
const LOOK_MS = 50;

/**
 * How long the end waits for what is still being looked for, in ms: a file may lie on a machine that is gone.
 */
const CLOSE_MS = 1000;

/**
 * For so long after its last connection a host counts as browsing, in ms: longer than browsers keep sockets
 * in reserve.
 */
const BROWSING_MS = 15_000;

/** How many hosts are remembered for that. */
const MAX_HOSTS = 1000;

/** What the door needs of its relay. */
export interface HttpDoorSettings extends WhoMayOptions {
  webFolder: string;
  trustedProxies: readonly string[];
  clock: () => number;
  timers: Timers;
  log: LogFunction;
  memory: MemoryBudget;
  loop: Pick<EventLoop, "isBusy" | "laterTurn" | "turnIfBusy">;
}

/** A connection that waits for a place. */
interface Newcomer {
  connection: HttpConnection;
  untilMs: number;
  /** Is told whether it has one. */
  done: (hasEntered: boolean) => void;
}

/** All connections of a relay that speak HTTP. */
export class HttpDoor implements HttpService {
  readonly clock: () => number;
  readonly timers: Timers;
  readonly memory: MemoryBudget;
  readonly #settings: HttpDoorSettings;
  readonly #routes: Routes;
  readonly #proxies: Proxies;
  /** How many answers had which status. */
  readonly #requests = new Map<string, number>();
  readonly #connections = new Map<HttpConnection, Promise<Upgrade | undefined>>();
  readonly #countByHost = new Map<string, number>();
  /** The longest first. */
  #newcomers: Newcomer[] = [];
  #look: Timer | undefined;
  /** When the last connection of a host ended, the longest ago first. */
  readonly #endedByHost = new Map<string, number>();
  isStopping = false;
  #isClosed = false;

  constructor(settings: HttpDoorSettings, relay: RelayView) {
    this.#settings = settings;
    this.clock = settings.clock;
    this.timers = settings.timers;
    this.memory = settings.memory;
    const stats = new Stats(relay, {
      clock: settings.clock,
      turn: () => settings.loop.laterTurn(),
    });
    const { webFolder } = settings, files = webFolder === "" ? undefined : new Files(webFolder);
    this.#proxies = new Proxies(settings.trustedProxies);
    const counts = () => ({ connections: this.size, requests: this.#requests });
    this.#routes = new Routes(settings, relay, stats, new Metrics(relay, counts, settings.clock), files);
  }

  /**
   * Whether a host speaks HTTP, or did so a moment ago: what it opens and says nothing on may be a browser's
   * socket in reserve.
   */
  isBrowsing(host: string): boolean {
    const endedAt = this.#endedByHost.get(host) ?? -Infinity;
    return this.#countByHost.has(host) || this.clock() - endedAt < BROWSING_MS;
  }

  /** How many connections speak HTTP now. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Serves a connection that has begun with `bytes`, and owns it until it is closed: then it returns
   * undefined. Or until it is a WebSocket. Never rejects.
   * @param host who counts as one, where `address` has a port
   */
  async serve(
    conn: Transport,
    bytes: Uint8Array,
    host: string,
    address: string,
  ): Promise<Upgrade | undefined> {
    const connection = new HttpConnection(conn, bytes, host, address, this);
    if (!this.#enter(connection) && !(await this.#waitToEnter(connection))) {
      this.#settings.log("warn", "HTTP connection refused, too many", { address });
      return connection.close() as undefined;
    }
    const upgrade = await Promise.race([this.#connections.get(connection), connection.closed]);
    this.#forget(connection);
    return upgrade;
  }

  /** Begins to serve a connection, if there is room for it. */
  #enter(connection: HttpConnection): boolean {
    const { host } = connection;
    if (this.#isClosed || !this.#makeRoom(host)) return false;
    this.#connections.set(connection, connection.serve());
    this.#countByHost.set(host, (this.#countByHost.get(host) ?? 0) + 1);
    return true;
  }

  /** Waits for a place: of those who have one all are being answered, which takes a while in a slow network. */
  #waitToEnter(connection: HttpConnection): Promise<boolean> | boolean {
    if (this.#isClosed || this.#newcomers.length >= MAX_NEWCOMERS) return false;
    return new Promise((done) => {
      this.#newcomers.push({ connection, untilMs: this.clock() + NEWCOMER_MS, done });
      this.#lookIn(LOOK_MS);
    });
  }

  #lookIn(ms: number): void {
    this.#look ??= this.timers.setTimeout(() => {
      void this.#settings.loop.laterTurn().then(() => {
        this.#look = undefined;
        this.#letIn();
      });
    }, ms);
  }

  /** Lets in for whom there is room by now, the longest wait first; some of them, if they are many. */
  #letIn(): void {
    const { loop } = this.#settings, nowMs = this.clock();
    const full = new Set<string>(), left: Newcomer[] = [];
    let isLater = false;
    for (const newcomer of this.#newcomers) {
      const { connection, untilMs, done } = newcomer;
      isLater ||= loop.isBusy(this.clock());
      if (!isLater && !full.has(connection.host) && this.#enter(connection)) done(true);
      else if (nowMs >= untilMs || this.#isClosed) done(false);
      else {
        full.add(connection.host);
        left.push(newcomer);
      }
    }
    this.#newcomers = left;
    if (left.length > 0) this.#lookIn(isLater ? 0 : LOOK_MS);
  }

  /** Answers what is asked meanwhile, but no further request of any connection. */
  stop(): void {
    this.isStopping = true;
  }

  /** Closes all of them, and waits for that. Never rejects. */
  async close(): Promise<void> {
    this.stop();
    this.#isClosed = true;
    const services = [...this.#connections.values()];
    for (const connection of this.#connections.keys()) connection.close();
    this.timers.clearTimeout(this.#look);
    this.#letIn();
    let timer: Timer | undefined;
    const late = new Promise<void>((done) => timer = this.timers.setTimeout(done, CLOSE_MS));
    await Promise.race([Promise.all(services), late]);
    this.timers.clearTimeout(timer);
  }

  /**
   * Gives up connections that wait for a request where there are too many; returns whether there is room for
   * one more of `host`.
   */
  #makeRoom(host: string): boolean {
    const ofHost = this.#proxies.trusts(host) ? 0 : this.#countByHost.get(host) ?? 0;
    if (ofHost >= MAX_HTTP_CONNECTIONS_PER_HOST) return this.#giveUp(host);
    return this.#connections.size < MAX_HTTP_CONNECTIONS || this.#giveUp(undefined);
  }

  #giveUp(host: string | undefined): boolean {
    const nowMs = this.clock();
    let longest: HttpConnection | undefined, since = Infinity;
    for (const connection of this.#connections.keys()) {
      const idleSince = connection.idleSince(nowMs);
      if (idleSince === undefined || idleSince >= since || host !== undefined && connection.host !== host) {
        continue;
      }
      longest = connection;
      since = idleSince;
    }
    if (longest === undefined) return false;
    longest.close();
    this.#forget(longest); // at once: many may come in one turn
    return true;
  }

  #forget(connection: HttpConnection): void {
    if (!this.#connections.delete(connection)) return;
    const { host } = connection, left = this.#countByHost.get(host)! - 1;
    this.#endedByHost.delete(host);
    this.#endedByHost.set(host, this.clock());
    if (this.#endedByHost.size > MAX_HOSTS) this.#endedByHost.delete(this.#endedByHost.keys().next().value!);
    if (left > 0) this.#countByHost.set(host, left);
    else this.#countByHost.delete(host);
  }

  /** @internal For connections. */
  turn(): Promise<void> | undefined {
    return this.#settings.loop.turnIfBusy();
  }

  /** @internal For connections. */
  answer(head: RequestHead, { host }: HttpConnection): Answer | HttpFault | Promise<Answer | HttpFault> {
    return this.#routes.answer(head, this.#clientOf(head, host));
  }

  /** @internal For connections. */
  admit(head: RequestHead, connection: HttpConnection): HttpFault | Pick<Upgrade, "host" | "address"> {
    const target = parseTarget(head); // any path will do, but it has to be one
    const fault = target instanceof HttpFault
      ? target
      : hostFault(head, this.#settings) ?? originFault(head, this.#settings);
    if (fault !== undefined) return fault;
    const host = this.#clientOf(head, connection.host);
    return { host, address: addressOf(host, connection) };
  }

  #clientOf(head: RequestHead, host: string): string {
    return this.#proxies.clientOf(host, head.fields.get("x-forwarded-for"));
  }

  /** @internal For connections. */
  onAnswered(connection: HttpConnection, head: RequestHead | undefined, status: number, why: string): void {
    const { log } = this.#settings;
    const client = head === undefined ? connection.host : this.#clientOf(head, connection.host);
    const address = addressOf(client, connection);
    this.#requests.set(String(status), (this.#requests.get(String(status)) ?? 0) + 1);
    if (status < 400 || status === 404) {
      return log("debug", "HTTP request", {
        address,
        method: head?.method ?? "",
        path: head?.target ?? "",
        status,
      });
    }
    log("warn", "HTTP request refused", { address, status, why });
  }

  /** @internal For connections. */
  onFailed({ address }: HttpConnection, error: unknown): void {
    this.#settings.log("error", "HTTP connection failed", { address, error: String(error) });
  }
}

/** The address of whom a proxy asks for has no port of its own: it gets the one of the connection. */
function addressOf(client: string, { host, address }: HttpConnection): string {
  if (client === host) return address;
  return joinHostPort(client, Number(address.slice(address.lastIndexOf(":") + 1)));
}
