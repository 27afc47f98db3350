// A lasting link to a relay over one connection at a time: connects, reads, reconnects, and says how much may
// wait to be written. It knows bytes, not what they mean, and prints nothing. What is said over it, first and
// after a break, is its speaker's.
//
//   send(line) ─→ Speaker's source ─→ Writer ─→ Transport ─ the only reader ─→ Speaker.receive(bytes)

import { Backoff } from "./backoff.ts";
import { Countdown } from "./countdown.ts";
import type { LineSource } from "./line_source.ts";
import type { Pipe, Speaker } from "./speaker.ts";
import type { Address } from "../target.ts";
import { connectError, isHopeless, RefusedError } from "./connect_error.ts";
import type { Status, StatusDetail } from "./status.ts";
import type { OpenTransport, Transport } from "./transport.ts";
import { Writer } from "./writer.ts";

/** What a {@linkcode Link} is made of. */
export interface LinkOptions {
  address: Address;
  openTransport: OpenTransport;
  /**
   * What is kept of what is sent while there is no connection, or one that takes nothing, beside what waited
   * by then.
   */
  offlineBytes: number;
  /** What may wait while the connection takes bytes, each line with {@linkcode LINE_COST_BYTES} more. */
  maxQueuedBytes: number;
  speaker: Speaker;
  onStatus(status: Status, detail: StatusDetail): void;
  /** How long one attempt to connect may take. Default: {@linkcode CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number;
}

/** How long one attempt to connect may take: the system's own limit is minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** How long `close()` may take to write out what was sent and to see the relay's end of the connection. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * For how long after `wake()` a connection that breaks is made anew without a wait, in ms: a pause may have
 * broken it, which shows only then.
 */
const WOKEN_MS = 5000;

/** For how long what came before a failed write is read, in ms. */
const LAST_WORDS_MS = 250;

/** What a line that waits costs beside its bytes, in bytes. */
const LINE_COST_BYTES = 64;

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
  /** The writer of the connection in use. */
  #writer: Writer | undefined;
  /** What may wait while there is no connection; while the one in use takes nothing. */
  #awayLimitBytes: number;
  #stuckLimitBytes: number | undefined;
  /** Ends the wait for the next attempt, if that is what it does. */
  readonly #sleep = new Sleep();
  /** When `wake()` was called, unless an attempt to connect began since. */
  #wokenAtMs = -Infinity;
  /** What opening the last connection brought. */
  #opened: { resumed?: boolean } = {};

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
    this.#awayLimitBytes = options.offlineBytes;
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

  /** The bytes of these lines. */
  get droppedBytes(): number {
    return this.#source.droppedBytes;
  }

  /**
   * Connects for the first time; resolves when there is a connection.
   *
   * @throws {Error} when that fails, unless `retry` is set, then it goes on until `close()`; where trying
   * again can't help it fails in any case
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

  /**
   * Takes a line with its LF. Never blocks; drops the oldest lines that wait when too many do, or all when
   * closed.
   */
  send(line: Uint8Array): void {
    this.#source.push(line, this.#limitBytes());
    this.flush();
  }

  /** Has what waits written after this turn of the event loop, if there is a connection. */
  flush(): void {
    if (!this.#stop.signal.aborted) this.#writer?.flush();
  }

  /**
   * Takes it that the program, its network or its machine was away and is back: tries at once to connect, or
   * looks whether the connection still stands.
   */
  wake(): void {
    this.#wokenAtMs = performance.now();
    if (this.#transport !== undefined) return this.#options.speaker.wake();
    this.#sleep.end();
  }

  /**
   * Writes out what waits, ends the connection and waits for the relay's end of it, {@linkcode
   * CLOSE_TIMEOUT_MS} at most. What didn't go out is dropped and counted. A pending `open()` rejects with
   * `reason`. Never rejects; the second call waits for the first.
   */
  close(reason: unknown = new DOMException("The relay object was closed", "AbortError")): Promise<void> {
    return this.#closed ??= this.#shutDown(reason);
  }

  async #shutDown(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    const transport = this.#transport;
    if (transport !== undefined) {
      const { promise: deadline, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      await Promise.race([this.#sayGoodbye(transport), deadline]);
      clearTimeout(timer);
      transport.close();
    }
    await this.#running;
    this.#source.clear();
    if (this.#status !== "closed") this.#setStatus("closed", {});
  }

  /**
   * Closing with received bytes unread would reset the connection and could destroy what was just sent: reads
   * on.
   */
  async #sayGoodbye(transport: Transport): Promise<void> {
    this.#options.speaker.finish();
    try {
      await this.#writer?.finish();
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
    const { address, speaker } = this.#options, startedAtMs = performance.now();
    if (this.#stop.signal.aborted) transport.close(); // close() came before there was a connection to end
    let cause: unknown, lastWords: Countdown | undefined;
    const fail = (error: unknown) => {
      if (this.#transport !== transport) return;
      // Makes the reader end, which does the rest.
      cause ??= error;
      transport.close();
    };
    const writer = new Writer(transport, this.#source, {
      onWritten: (bytes, lines) => {
        this.sentBytes += bytes;
        this.sentLines += lines;
      },
      onError: (error) => {
        cause ??= error;
        lastWords = new Countdown(LAST_WORDS_MS, () => fail(error));
      },
    });
    this.#transport = transport;
    this.#writer = writer;
    speaker.begin({ flush: () => this.flush(), fail });
    this.#setStatus("connected", this.#opened);
    if (this.#source.hasMore) this.flush();
    try {
      for (let bytes = await this.#read(transport); bytes !== null; bytes = await this.#read(transport)) {
        speaker.receive(bytes);
      }
    } catch (error) {
      cause ??= error;
    }
    lastWords?.stop();
    writer.stop();
    this.#transport = this.#writer = this.#stuckLimitBytes = undefined;
    transport.close();
    speaker.end();
    this.#source.rewind(Infinity);
    this.#awayLimitBytes = this.#besideWaitingBytes();
    this.#backoff.noteConnection(performance.now() - startedAtMs);
    return lostError(address, cause);
  }

  /**
   * Tries until there is a connection. Rejects only when the link is closed, or with an error that `isFinal`.
   */
  async #keepConnecting(
    status: Status,
    error: Error,
    attempt: number,
    isFinal: (cause: unknown) => boolean = () => false,
  ): Promise<Transport> {
    for (;; attempt++) {
      const isWoken = performance.now() - this.#wokenAtMs < WOKEN_MS;
      const askedMs = this.#options.speaker.takeRetryMs() ?? 0;
      const retryInMs = (isWoken ? 0 : this.#backoff.nextDelayMs()) + askedMs;
      this.#setStatus(status, { error, attempt, retryInMs });
      await this.#sleep.wait(retryInMs, this.#stop.signal);
      this.#wokenAtMs = -Infinity;
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
    const beganAtMs = performance.now();
    const transport = await this.#openTransport();
    const abort = () => transport.close();
    stopped.addEventListener("abort", abort);
    const pipe: Pipe = {
      ageMs: () => performance.now() - beganAtMs,
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

  /**
   * Opens a connection. That ends at its deadline and at `close()` also where looking up a name can't be
   * cancelled.
   */
  async #openTransport(): Promise<Transport> {
    const { address, openTransport, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const stopped = this.#stop.signal;
    stopped.throwIfAborted();
    const attempt = new AbortController();
    const abort = () => attempt.abort(stopped.reason);
    const countdown = new Countdown(connectTimeoutMs, () => {
      attempt.abort(new DOMException(`no answer within ${connectTimeoutMs / 1000} s`, "TimeoutError"));
    });
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
      countdown.stop();
      stopped.removeEventListener("abort", abort);
    }
  }

  async #read(transport: Transport): Promise<Uint8Array | null> {
    const bytes = await transport.read();
    this.receivedBytes += bytes?.length ?? 0;
    return bytes;
  }

  /** How many bytes may wait beside the batch under way. */
  #limitBytes(): number {
    if (this.#stop.signal.aborted) return 0;
    if (this.#writer === undefined) return this.#awayLimitBytes;
    const { offlineBytes, maxQueuedBytes } = this.#options;
    if (this.#writer.isStuck) return this.#stuckLimitBytes ??= this.#besideWaitingBytes();
    this.#stuckLimitBytes = undefined;
    return Math.max(offlineBytes, maxQueuedBytes - LINE_COST_BYTES * this.#source.length);
  }

  /** What may wait if what waits now is kept; it can't grow with each connection that breaks. */
  #besideWaitingBytes(): number {
    const { offlineBytes, maxQueuedBytes } = this.#options;
    return Math.min(this.#source.waitingBytes, maxQueuedBytes) + offlineBytes;
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

/** A wait that can be ended before its time. */
class Sleep {
  /** Ends the wait that is under way. */
  end: () => void = () => {};

  /** Waits; rejects with the signal's reason when it is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    this.end = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    });
  }
}
