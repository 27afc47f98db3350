// A lasting link to a relay over one connection at a time: connects, reads lines, writes the outbox, reconnects. It
// knows lines, not events, and prints nothing. Used by the client, which makes events of the lines. Whatever a
// connection has to say first or to repair after a break belongs into #serve().
//
//   send(line) ─→ Outbox ─ the only writer ─→ Transport ─ the only reader ─→ LineDecoder ─→ onLine(text)

import { Backoff } from "./backoff.ts";
import { LineDecoder, type LineSink } from "./line_decoder.ts";
import { Outbox } from "./outbox.ts";
import type { Address } from "./target.ts";
import { connectError, isPermissionError, type OpenTransport, type Transport } from "./transport.ts";
import { afterThisTurn } from "./turn.ts";

/**
 * What a relay object is doing: `connecting` before the first connection, `connected`, `reconnecting` after a connection
 * broke, `closed` for good.
 */
export type Status = "connecting" | "connected" | "reconnecting" | "closed";

/** What is known about a change of status. */
export interface StatusDetail {
  /** Why the connection broke, or why the last attempt failed. */
  error?: Error;
  /** While connecting or reconnecting: the number of the attempt that comes next, from 1. */
  attempt?: number;
  /** While connecting or reconnecting: the milliseconds until that attempt. */
  retryInMs?: number;
}

/** What a {@linkcode Link} is made of. */
export interface LinkOptions extends LineSink {
  address: Address;
  openTransport: OpenTransport;
  /** What is kept of what is sent while there is no connection, or one that takes nothing. */
  offlineBytes: number;
  /** The bytes a received line may have without having ended. */
  maxUnfinishedBytes: number;
  onStatus(status: Status, detail: StatusDetail): void;
  /** How long one attempt to connect may take. Default: {@linkcode CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number;
}

/** How long one attempt to connect may take: the system's own limit is minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** How long `close()` may take to write out what was sent and to see the relay's end of the connection. */
const CLOSE_TIMEOUT_MS = 1000;

/** The bytes that are handed over in one write, unless one line alone is longer. */
const WRITE_BATCH_BYTES = 64 * 1024;

/** What may wait while the connection takes bytes: a burst in one turn, which is more than is worth keeping offline. */
const BURST_BYTES = 8 * 1024 * 1024;

/** How long a write may be under way before the connection counts as stuck, and only `offlineBytes` are kept. */
const STUCK_MS = 1000;

/** Keeps a connection to one relay, until `close()`. */
export class Link {
  readonly #options: LinkOptions;
  readonly #outbox = new Outbox();
  readonly #backoff = new Backoff();
  readonly #stop = new AbortController();
  #status: Status = "connecting";
  #transport: Transport | undefined;
  #running: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #writer: Promise<void> | undefined;
  #writeError: unknown;
  #writeStartedAtMs: number | undefined;
  /** Prevents the flush after this turn, if one is due. */
  #cancelFlush: (() => void) | undefined;

  /** The lines that went out whole. */
  sentLines = 0;
  /** The bytes that went out, also those that had to be sent again. */
  sentBytes = 0;
  /** The bytes that came in. */
  receivedBytes = 0;
  /** The connections after the first. */
  reconnects = 0;

  /** Makes a link that does nothing before `open()`. */
  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** What the link is doing. */
  get status(): Status {
    return this.#status;
  }

  /** The lines that have not gone out whole yet. */
  get waitingLines(): number {
    return this.#outbox.length;
  }

  /** The lines that were given to `send()` and dropped. */
  get droppedLines(): number {
    return this.#outbox.dropped;
  }

  /**
   * Connects for the first time; resolves when there is a connection.
   *
   * @throws {Error} when that fails, unless `retry` is set, then it goes on until `close()`; without the permission it
   * fails in any case
   */
  async open(retry: boolean): Promise<void> {
    this.#setStatus("connecting", { attempt: 1, retryInMs: 0 });
    let transport: Transport;
    try {
      transport = await this.#connect();
    } catch (error) {
      if (!retry || this.#stop.signal.aborted || isPermissionError((error as Error).cause)) {
        if (!this.#stop.signal.aborted) this.#setStatus("closed", { error: error as Error });
        throw error;
      }
      transport = await this.#keepConnecting("connecting", error as Error, 2);
    }
    this.#running = this.#run(transport);
  }

  /** Takes a line with its LF. Never blocks; drops the oldest lines that wait when too many do, or all when closed. */
  send(line: Uint8Array): void {
    this.#outbox.push(line, this.#limitBytes());
    if (this.#transport !== undefined) this.#flushAfterThisTurn();
  }

  /**
   * Writes out what waits, ends the connection and waits for the relay's end of it, {@linkcode CLOSE_TIMEOUT_MS} at most.
   * What didn't go out is dropped and counted. A pending `open()` rejects with `reason`. Never rejects; the second call
   * waits for the first.
   */
  close(reason: unknown = new DOMException("The relay object was closed", "AbortError")): Promise<void> {
    return this.#closed ??= this.#shutDown(reason);
  }

  async #shutDown(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    this.#cancelFlush?.();
    const transport = this.#transport;
    if (transport !== undefined) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_TIMEOUT_MS));
      await Promise.race([this.#sayGoodbye(transport), deadline]);
      clearTimeout(timer);
      transport.close();
    }
    await this.#running;
    this.#outbox.clear();
    if (this.#status !== "closed") this.#setStatus("closed", {});
  }

  /** Closing with received bytes unread would reset the connection and could destroy what was just sent: reads on. */
  async #sayGoodbye(transport: Transport): Promise<void> {
    try {
      while (this.#transport === transport && this.#outbox.length > 0) await this.#write(transport);
      if (this.#transport === transport) await transport.endWriting();
      await this.#running;
    } catch {
      // The connection broke meanwhile: that is an end, too.
    }
  }

  async #run(transport: Transport): Promise<void> {
    for (;;) {
      const error = await this.#serve(transport);
      if (this.#stop.signal.aborted) return;
      try {
        transport = await this.#keepConnecting("reconnecting", error, 1);
      } catch {
        return; // close() was called
      }
      this.reconnects++;
    }
  }

  /** Reads one connection to its end; returns why it ended. */
  async #serve(transport: Transport): Promise<Error> {
    const { address, offlineBytes, maxUnfinishedBytes } = this.#options;
    const startedAtMs = performance.now();
    const decoder = new LineDecoder(maxUnfinishedBytes, this.#options);
    let cause: unknown;
    this.#transport = transport;
    this.#writeError = undefined;
    this.#setStatus("connected", {});
    if (this.#outbox.length > 0) this.#flushAfterThisTurn();
    try {
      for (let bytes = await transport.read(); bytes !== null; bytes = await transport.read()) {
        this.receivedBytes += bytes.length;
        decoder.push(bytes);
      }
    } catch (error) {
      cause = this.#writeError ?? error;
    }
    this.#transport = undefined;
    // A write may never settle on a connection that is stuck: nobody waits for it, and it sees that its time is over.
    this.#writer = this.#writeStartedAtMs = undefined;
    transport.close();
    this.#outbox.rewind(offlineBytes);
    this.#backoff.noteConnection(performance.now() - startedAtMs);
    return lostError(address, cause);
  }

  /** Tries until there is a connection. Rejects only when the link is closed or may not connect. */
  async #keepConnecting(status: Status, error: Error, attempt: number): Promise<Transport> {
    for (;; attempt++) {
      const retryInMs = this.#backoff.nextDelayMs();
      this.#setStatus(status, { error, attempt, retryInMs });
      await sleep(retryInMs, this.#stop.signal);
      try {
        return await this.#connect();
      } catch (failure) {
        if (this.#stop.signal.aborted) throw failure;
        error = failure as Error;
      }
    }
  }

  /** Makes one attempt. It ends at its deadline and at `close()` also where looking up a name can't be cancelled. */
  async #connect(): Promise<Transport> {
    const { address, openTransport, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const stopped = this.#stop.signal;
    stopped.throwIfAborted();
    const attempt = new AbortController();
    const abort = () => attempt.abort(stopped.reason);
    const timer = setTimeout(() => {
      attempt.abort(new DOMException(`no answer within ${connectTimeoutMs / 1000} s`, "TimeoutError"));
    }, connectTimeoutMs);
    stopped.addEventListener("abort", abort);
    const aborted = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener("abort", () => reject(attempt.signal.reason));
    });
    const opening = openTransport(address, attempt.signal);
    try {
      return await Promise.race([opening, aborted]);
    } catch (cause) {
      opening.then((late) => late.close(), () => {});
      if (stopped.aborted) throw stopped.reason;
      throw connectError(address, cause);
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener("abort", abort);
    }
  }

  #flushAfterThisTurn(): void {
    this.#cancelFlush ??= afterThisTurn(() => {
      this.#cancelFlush = undefined;
      if (this.#transport !== undefined) this.#write(this.#transport);
    });
  }

  /** Starts the only writer, or returns the one at work. Never rejects. */
  #write(transport: Transport): Promise<void> {
    if (this.#writer !== undefined) return this.#writer;
    const writer = this.#writeAll(transport).finally(() => {
      if (this.#writer === writer) this.#writer = undefined;
    });
    return this.#writer = writer;
  }

  async #writeAll(transport: Transport): Promise<void> {
    try {
      for (;;) {
        let bytes = this.#outbox.nextBatch(WRITE_BATCH_BYTES);
        if (bytes === undefined) return;
        while (bytes.length > 0) {
          this.#writeStartedAtMs = performance.now();
          const written = await transport.write(bytes);
          if (this.#transport !== transport) return;
          this.#writeStartedAtMs = undefined;
          this.sentBytes += written;
          this.sentLines += this.#outbox.confirm(written);
          bytes = bytes.subarray(written);
        }
      }
    } catch (error) {
      if (this.#transport !== transport) return;
      // Makes the reader end, which does the rest.
      this.#writeError = error;
      transport.close();
    }
  }

  #limitBytes(): number {
    if (this.#stop.signal.aborted) return 0;
    const { offlineBytes } = this.#options;
    const startedAtMs = this.#writeStartedAtMs;
    const isStuck = startedAtMs !== undefined && performance.now() - startedAtMs > STUCK_MS;
    return this.#transport === undefined || isStuck ? offlineBytes : Math.max(offlineBytes, BURST_BYTES);
  }

  #setStatus(status: Status, detail: StatusDetail): void {
    this.#status = status;
    this.#options.onStatus(status, detail);
  }
}

/** Makes the error for a connection that ended; no cause means that the relay ended it. */
function lostError({ label }: Address, cause: unknown): Error {
  if (cause === undefined) return new Error(`Lost the connection to ${label}: the relay closed it`);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Lost the connection to ${label}: ${why}`, { cause });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    function wake() {
      signal.removeEventListener("abort", abort);
      resolve();
    }
    function abort() {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      reject(signal.reason);
    }
  });
}
