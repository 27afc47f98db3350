// A lasting link to a relay over one connection at a time: connects, reads, writes, reconnects. It knows
// bytes and when they go, not what they mean, and prints nothing. What is said over it, first and after a
// break, is its speaker's.
//
//   send(line) ─→ Speaker's source ─ the only writer ─→ Transport ─ the only reader ─→ Speaker.receive(bytes)

import { Backoff } from "./backoff.ts";
import type { LineSource } from "./line_source.ts";
import type { Pipe, Speaker } from "./speaker.ts";
import type { Address } from "../target.ts";
import { connectError, isHopeless, RefusedError } from "./connect_error.ts";
import type { Status, StatusDetail } from "./status.ts";
import type { OpenTransport, Transport } from "./transport.ts";
import { afterThisTurn } from "./after_turn.ts";

/** What a {@linkcode Link} is made of. */
export interface LinkOptions {
  address: Address;
  openTransport: OpenTransport;
  /** What is kept of what is sent while there is no connection, or one that takes nothing. */
  offlineBytes: number;
  speaker: Speaker;
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
  readonly #source: LineSource;
  readonly #backoff = new Backoff();
  readonly #stop = new AbortController();
  #status: Status = "connecting";
  #transport: Transport | undefined;
  #running: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #writer: Promise<void> | undefined;
  #writeError: unknown;
  #writeStartedAtMs: number | undefined;
  /** Since when the source has had lines that it may not give out. */
  #heldBackSinceMs: number | undefined;
  /** What opening the last connection brought. */
  #opened: { resumed?: boolean } = {};
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
    this.#source = options.speaker.source;
  }

  /** What the link is doing. */
  get status(): Status {
    return this.#status;
  }

  /** The lines that have not gone out whole yet. */
  get waitingLines(): number {
    return this.#source.length;
  }

  /** The lines that were given to `send()` and dropped. */
  get droppedLines(): number {
    return this.#source.dropped;
  }

  /**
   * Connects for the first time; resolves when there is a connection.
   *
   * @throws {Error} when that fails, unless `retry` is set, then it goes on until `close()`; where trying again can't
   * help it fails in any case
   */
  async open(retry: boolean): Promise<void> {
    this.#setStatus("connecting", { attempt: 1, retryInMs: 0 });
    let transport: Transport;
    try {
      transport = await this.#connect();
    } catch (error) {
      if (!retry || this.#stop.signal.aborted || isFinal((error as Error).cause)) {
        if (!this.#stop.signal.aborted) this.#setStatus("closed", { error: error as Error });
        throw error;
      }
      transport = await this.#keepConnecting("connecting", error as Error, 2, isFinal);
    }
    this.#running = this.#run(transport);
  }

  /** Takes a line with its LF. Never blocks; drops the oldest lines that wait when too many do, or all when closed. */
  send(line: Uint8Array): void {
    this.#source.push(line, this.#limitBytes());
    this.flush();
  }

  /** Has what waits written after this turn of the event loop, if there is a connection. */
  flush(): void {
    if (this.#transport !== undefined && !this.#stop.signal.aborted) this.#flushAfterThisTurn();
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
    this.#source.clear();
    if (this.#status !== "closed") this.#setStatus("closed", {});
  }

  /** Closing with received bytes unread would reset the connection and could destroy what was just sent: reads on. */
  async #sayGoodbye(transport: Transport): Promise<void> {
    this.#options.speaker.finish();
    try {
      while (this.#transport === transport && this.#source.hasMore && this.#writeError === undefined) {
        await this.#write(transport);
      }
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
    const { address, offlineBytes, speaker } = this.#options;
    const startedAtMs = performance.now();
    let cause: unknown;
    if (this.#stop.signal.aborted) transport.close(); // close() came before there was a connection to end
    this.#transport = transport;
    this.#writeError = undefined;
    const fail = (error: unknown) => {
      if (this.#transport !== transport) return;
      // Makes the reader end, which does the rest.
      this.#writeError = error;
      transport.close();
    };
    speaker.begin({ flush: () => this.flush(), fail });
    this.#setStatus("connected", this.#opened);
    if (this.#source.hasMore) this.#flushAfterThisTurn();
    try {
      for (let bytes = await this.#read(transport); bytes !== null; bytes = await this.#read(transport)) {
        speaker.receive(bytes);
      }
    } catch (error) {
      cause = this.#writeError ?? error;
    }
    this.#transport = undefined;
    // A write may never settle on a connection that is stuck: nobody waits for it, and it sees that its time is over.
    this.#writer = this.#writeStartedAtMs = this.#heldBackSinceMs = undefined;
    transport.close();
    speaker.end();
    this.#source.rewind(offlineBytes);
    this.#backoff.noteConnection(performance.now() - startedAtMs);
    return lostError(address, cause);
  }

  /** Tries until there is a connection. Rejects only when the link is closed, or with an error that `isFinal`. */
  async #keepConnecting(
    status: Status,
    error: Error,
    attempt: number,
    isFinal: (cause: unknown) => boolean = () => false,
  ): Promise<Transport> {
    for (;; attempt++) {
      const retryInMs = this.#backoff.nextDelayMs() + (this.#options.speaker.takeRetryMs() ?? 0);
      this.#setStatus(status, { error, attempt, retryInMs });
      await sleep(retryInMs, this.#stop.signal);
      try {
        return await this.#connect();
      } catch (failure) {
        if (this.#stop.signal.aborted) throw failure;
        error = failure as Error;
        if (!isFinal(error.cause)) continue;
        this.#setStatus("closed", { error });
        throw error;
      }
    }
  }

  /** Makes one attempt: a connection, and what the speaker has to say first. */
  async #connect(): Promise<Transport> {
    const { address, speaker } = this.#options;
    const stopped = this.#stop.signal;
    const transport = await this.#openTransport();
    const abort = () => transport.close();
    stopped.addEventListener("abort", abort);
    const pipe: Pipe = {
      read: () => this.#read(transport),
      write: async (bytes) => {
        for (let rest = bytes; rest.length > 0;) {
          const written = await transport.write(rest);
          this.sentBytes += written;
          rest = rest.subarray(written);
        }
      },
    };
    try {
      stopped.throwIfAborted();
      this.#opened = await speaker.open(pipe);
      stopped.throwIfAborted();
      return transport;
    } catch (cause) {
      transport.close();
      if (stopped.aborted) throw stopped.reason;
      throw connectError(address, cause);
    } finally {
      stopped.removeEventListener("abort", abort);
    }
  }

  /** Opens a connection. That ends at its deadline and at `close()` also where looking up a name can't be cancelled. */
  async #openTransport(): Promise<Transport> {
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

  async #read(transport: Transport): Promise<Uint8Array | null> {
    const bytes = await transport.read();
    this.receivedBytes += bytes?.length ?? 0;
    return bytes;
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
        let bytes = this.#source.nextBatch(WRITE_BATCH_BYTES);
        if (bytes === undefined) {
          this.#heldBackSinceMs = this.#source.hasMore
            ? this.#heldBackSinceMs ?? performance.now()
            : undefined;
          return;
        }
        this.#heldBackSinceMs = undefined;
        while (bytes.length > 0) {
          this.#writeStartedAtMs = performance.now();
          const written = await transport.write(bytes);
          if (this.#transport !== transport) return;
          this.#writeStartedAtMs = undefined;
          this.sentBytes += written;
          this.sentLines += this.#source.confirm(written);
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
    const sinceMs = this.#writeStartedAtMs ?? this.#heldBackSinceMs;
    const isStuck = sinceMs !== undefined && performance.now() - sinceMs > STUCK_MS;
    return this.#transport === undefined || isStuck ? offlineBytes : Math.max(offlineBytes, BURST_BYTES);
  }

  #setStatus(status: Status, detail: StatusDetail): void {
    this.#status = status;
    this.#options.onStatus(status, detail);
  }
}

/** Tells whether trying to connect for the first time again is useless. */
function isFinal(cause: unknown): boolean {
  return isHopeless(cause) || (cause instanceof RefusedError && !cause.isTemporary);
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
