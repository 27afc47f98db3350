// The relay as a library: accepts connections from a listener, puts each into the lobby, flushes what has news, sweeps, counts, and closes in order.
// Prints nothing, reads no flags, never exits. Used by server.ts, by tests, and by any program that wants a relay inside.

import { setImmediate } from "node:timers";
import { DEFAULT_MAX_LINE_BYTES } from "./protocol.ts";
import { Room } from "./room.ts";
import {
  type Connection,
  type LogFunction,
  Session,
  type SessionOptions,
  type SessionStats,
} from "./session.ts";

export type { Connection, LogFunction, LogLevel, SessionStats } from "./session.ts";

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
  /** Takes what an operator may want to know. Default: nothing is logged. */
  log?: LogFunction;
}

/** The defaults of {@linkcode RelayOptions}. */
export const RELAY_DEFAULTS: Readonly<Required<RelayOptions>> = {
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  maxClients: 5000,
  maxLagMs: 5000,
  maxLogBytes: 8 * 1024 * 1024,
  whenBehind: "skip",
  writeDeadlineMs: 30_000,
  idleLineMs: 30_000,
  isChecked: true,
  log: () => {},
};

/** Where connections come from; {@linkcode Deno.TcpListener} has it. */
export interface Listener {
  accept(): Promise<Connection & { remoteAddr: Deno.Addr; setNoDelay?(noDelay?: boolean): void }>;
  close(): void;
}

/** What a relay has done since it was started. */
export interface RelayStats {
  /** Connections that are served now. */
  members: number;
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

/** How long the relay waits after a failed accept(), in ms: doubling from the first to the second. */
const ACCEPT_BACKOFF_MS = [10, 1000] as const;

/** How often sessions are swept, in ms, where no limit asks for more. */
const SWEEP_MS = 1000;

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
  readonly #options: SessionOptions & typeof RELAY_DEFAULTS;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #lobby: Room;
  readonly #closing = Promise.withResolvers<void>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #isClosing = false;
  #refused = 0;
  #ended: Omit<RelayStats, "members" | "logBytes"> = {
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
    this.#options = { ...RELAY_DEFAULTS, ...options, clock: () => performance.now() };
    const { maxLagMs, writeDeadlineMs, idleLineMs } = this.#options;
    this.#lobby = new Room(this.#options, (room) => setImmediate(() => room.flush(performance.now())));
    this.#sweeper = setInterval(
      () => this.#sweep(),
      Math.min(SWEEP_MS, maxLagMs / 4, writeDeadlineMs / 4, idleLineMs / 4),
    );
    this.finished = this.#acceptAll();
  }

  /** Counts what happened so far. Costs a little for each member that is behind. */
  stats(): RelayStats {
    const sum = { ...this.#ended };
    for (const session of this.#sessions.keys()) add(sum, session.stats());
    return { ...sum, members: this.#sessions.size - this.#refused, logBytes: this.#lobby.logBytes };
  }

  /** Counts for each connection what happened so far, the oldest first. */
  sessionStats(): SessionStats[] {
    return Array.from(this.#sessions.keys(), (session) => session.stats());
  }

  /** Stops accepting, writes out what members have not had (for a second at most), closes, and waits for all of it. */
  close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#closing.resolve();
      this.#listener.close();
      for (const session of this.#sessions.keys()) session.end("shutdown");
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
    await Promise.all(this.#sessions.values());
    clearInterval(this.#sweeper);
  }

  #welcome(conn: Awaited<ReturnType<Listener["accept"]>>): void {
    const { maxClients, log } = this.#options;
    try {
      conn.setNoDelay?.(true);
    } catch {
      return conn.close(); // it is gone again already
    }
    const address = formatAddress(conn.remoteAddr);
    const isFull = this.#sessions.size - this.#refused >= maxClients;
    if (isFull && this.#refused >= MAX_REFUSED) return conn.close();
    const session = new Session(conn, address, this.#lobby, {
      ...this.#options,
      clock: () => performance.now(),
    });
    this.#sessions.set(session, this.#serveSession(session, isFull));
    if (!isFull) return log("debug", "connected", { address });
    const message = `Cannot serve this connection: ${maxClients} clients are connected, no more are allowed`;
    session.refuse({ code: "relay_full", message });
  }

  async #serveSession(session: Session, isRefused: boolean): Promise<void> {
    if (isRefused) this.#refused++;
    await session.run();
    if (isRefused) this.#refused--;
    add(this.#ended, session.stats());
    this.#sessions.delete(session);
  }

  #sweep(): void {
    const now = performance.now();
    for (const session of this.#sessions.keys()) session.sweep(now);
  }

  /** Waits, or stops waiting when the relay closes. */
  async #sleep(ms: number): Promise<void> {
    let timer;
    await Promise.race([new Promise((done) => timer = setTimeout(done, ms)), this.#closing.promise]);
    clearTimeout(timer);
  }
}

function add(sum: Omit<RelayStats, "members" | "logBytes">, part: SessionStats): void {
  sum.receivedLines += part.receivedLines;
  sum.receivedBytes += part.receivedBytes;
  sum.sentLines += part.sentLines;
  sum.sentBytes += part.sentBytes;
  sum.skippedLines += part.skippedLines;
  sum.errors += part.errors;
}

function formatAddress(address: Deno.Addr): string {
  if (!("hostname" in address)) return address.transport;
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}
