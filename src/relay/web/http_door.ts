// The door for connections that speak HTTP: how many there may be, who is given up for a newcomer, what each request is answered, and
// the end of all of them. They are no clients: they hold no place among those, and no member.

import type { LogFunction } from "../log.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Timers } from "../options.ts";
import type { Transport } from "../connection/transport.ts";
import type { Answer } from "./answer.ts";
import { HttpConnection, type HttpService, type Upgrade } from "./http_connection.ts";
import type { HttpFault, RequestHead } from "./head.ts";
import { Routes } from "./routes.ts";
import { hostFault, originFault, type WhoMayOptions } from "./who_may.ts";

/** How many connections speak HTTP at a time. For a further one, the one that has waited longest for a request is closed. */
export const MAX_HTTP_CONNECTIONS = 256;

/** …and how many of one host: a class may come from one address. */
export const MAX_HTTP_CONNECTIONS_PER_HOST = 192;

/** What the door needs of its relay. */
export interface HttpDoorSettings extends WhoMayOptions {
  clock: () => number;
  timers: Timers;
  log: LogFunction;
  loop: Pick<EventLoop, "isBusy" | "callLater">;
}

/** All connections of a relay that speak HTTP. */
export class HttpDoor implements HttpService {
  readonly clock: () => number;
  readonly timers: Timers;
  readonly #settings: HttpDoorSettings;
  readonly #routes: Routes;
  readonly #connections = new Map<HttpConnection, Promise<unknown>>();
  readonly #countByHost = new Map<string, number>();
  isStopping = false;
  #isClosed = false;

  constructor(settings: HttpDoorSettings) {
    this.#settings = settings;
    this.#routes = new Routes(settings);
    this.clock = settings.clock;
    this.timers = settings.timers;
  }

  /** How many connections speak HTTP now. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Serves a connection that has begun with `bytes`, and owns it until it is closed: then it returns undefined. Or until it is a
   * WebSocket. Never rejects.
   * @param host who counts as one, where `address` has a port
   */
  async serve(
    conn: Transport,
    bytes: Uint8Array,
    host: string,
    address: string,
  ): Promise<Upgrade | undefined> {
    const connection = new HttpConnection(conn, bytes, host, address, this);
    if (this.#isClosed || !this.#makeRoom(host)) {
      this.#settings.log("warn", "HTTP connection refused, too many", { address });
      return connection.close() as undefined;
    }
    const service = connection.serve();
    this.#connections.set(connection, service);
    this.#countByHost.set(host, (this.#countByHost.get(host) ?? 0) + 1);
    const upgrade = await service;
    this.#connections.delete(connection);
    const left = this.#countByHost.get(host)! - 1;
    if (left > 0) this.#countByHost.set(host, left);
    else this.#countByHost.delete(host);
    return upgrade;
  }

  /** Answers what is asked meanwhile, but no further request of any connection. */
  stop(): void {
    this.isStopping = true;
  }

  /** Closes all of them, and waits for that. Never rejects. */
  async close(): Promise<void> {
    this.stop();
    this.#isClosed = true;
    for (const connection of this.#connections.keys()) connection.close();
    await Promise.all(this.#connections.values());
  }

  /** Gives up connections that wait for a request where there are too many; returns whether there is room for one more of `host`. */
  #makeRoom(host: string): boolean {
    if ((this.#countByHost.get(host) ?? 0) >= MAX_HTTP_CONNECTIONS_PER_HOST) return this.#giveUp(host);
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
    longest?.close();
    return longest !== undefined;
  }

  /** @internal For connections. */
  turn(): Promise<void> {
    const { loop, clock } = this.#settings;
    if (!loop.isBusy(clock())) return Promise.resolve();
    return new Promise((done) => loop.callLater(done));
  }

  /** @internal For connections. */
  answer(head: RequestHead, _connection: HttpConnection): Answer | HttpFault | Promise<Answer | HttpFault> {
    return this.#routes.answer(head);
  }

  /** @internal For connections. */
  admit(head: RequestHead, { host, address }: HttpConnection): HttpFault | Pick<Upgrade, "host" | "address"> {
    return hostFault(head, this.#settings) ?? originFault(head, this.#settings) ?? { host, address };
  }

  /** @internal For connections. */
  onAnswered({ address }: HttpConnection, head: RequestHead | undefined, status: number, why: string): void {
    const { log } = this.#settings;
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
