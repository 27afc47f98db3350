// The client module: connect() and the Relay it gives to a program, and all that a program may want to import beside
// them. Nothing here touches a socket (src/transport.ts does) or keeps a connection alive (src/link.ts does); here lines
// become events and events become lines. Imports nothing but files of this repository, so it can be imported by URL.
//
//   send(event) ─→ JSON, LF ─→ Link ⇄ relay        Link ─→ line ─→ control line? JSON? schema? ─→ Inbox ─→ drain()
//                                                                                                     └─→ for await

import { readErrorLine, type RelayError } from "./src/control_line.ts";
import { DrainWatch } from "./src/drain_watch.ts";
import { Inbox } from "./src/inbox.ts";
import { Link, type Status, type StatusDetail } from "./src/link.ts";
import { rateLimit } from "./src/pacing.ts";
import { DEFAULT_MAX_LINE_BYTES } from "./src/protocol.ts";
import { eventChecker, type StandardSchema } from "./src/standard_schema.ts";
import { parseTarget, type Target } from "./src/target.ts";
import { openTcp } from "./src/transport.ts";

export { type Clock, frames, rateLimit } from "./src/pacing.ts";
export { DEFAULT_PORT, type ErrorCode } from "./src/protocol.ts";
export type { RelayError } from "./src/control_line.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./src/standard_schema.ts";
export type { Status, StatusDetail } from "./src/link.ts";
export type { Target } from "./src/target.ts";

/** The most events that wait in the inbox, unless `inboxLimit` says otherwise: 3 s of a class of 30 programs. */
const DEFAULT_INBOX_LIMIT = 10_000;

/** The most characters that the waiting events had as lines: what bounds the memory when events are large. */
const MAX_INBOX_CHARACTERS = 32 * 1024 * 1024;

/** What is kept of what is sent while away, unless `offlineBytes` says otherwise: 25 s of a busy program. */
const DEFAULT_OFFLINE_BYTES = 256 * 1024;

/** The bytes a received line may have without an end; no relay keeps more of a whole room. */
const MAX_UNFINISHED_BYTES = 8 * 1024 * 1024;

const encoder = new TextEncoder();

/** What {@linkcode connect} can be told. */
export interface ConnectOptions<E = unknown> {
  /** Keeps trying when the first attempt fails, until `signal` is aborted. Default: false, `connect` rejects. */
  retry?: boolean;
  /** Ends connecting, and later closes the relay object as `close()` does. */
  signal?: AbortSignal;
  /** Checks every event: what it refuses is handled as an invalid line; what it returns is the event. Default: none. */
  schema?: StandardSchema<E>;
  /** Is told every change of {@linkcode Relay.status}, and every failed attempt to (re)connect. */
  onStatus?: (status: Status, detail: StatusDetail) => void;
  /**
   * Is told a received line that is not JSON (SyntaxError), not UTF-8 or refused by `schema` (TypeError), or has no end
   * (RangeError; then only its beginning). Such a line is counted and skipped. Default: it is only counted.
   */
  onInvalid?: (line: string, error: Error) => void;
  /** Is told what the relay complained about: a line it refused, or that it is full. Default: a warning on the console. */
  onError?: (error: RelayError) => void;
  /** The bytes kept of what is sent while there is no connection, the oldest lines dropped first. Default: 256 KiB. */
  offlineBytes?: number;
  /** The most events that wait to be taken, the oldest dropped first. Default: 10,000. */
  inboxLimit?: number;
  /** The most bytes that `send()` takes as a line without its LF. Default: 64 KiB, as the relay. */
  maxLineBytes?: number;
}

/** What a {@linkcode Relay} has counted since it was made. */
export interface Stats {
  /** Events handed to the network whole. */
  sent: number;
  /** Events that wait to be handed to the network. */
  waiting: number;
  /** Events received, those dropped later included. */
  received: number;
  /** Events lost here for lack of space: `droppedSent` plus `droppedReceived`. */
  dropped: number;
  /** Events given to `send()` and never sent: away for too long, or closed. */
  droppedSent: number;
  /** Events received and pushed out of the inbox before anybody took them. */
  droppedReceived: number;
  /** Received lines that were no event. */
  invalid: number;
  /** Complaints of the relay. */
  errors: number;
  /** Connections after the first. */
  reconnects: number;
  /** Bytes handed to the network. */
  bytesSent: number;
  /** Bytes received. */
  bytesReceived: number;
}

/** Makes a relay object and opens it; only {@linkcode connect} may. */
let open: <E>(target: Target, options: ConnectOptions<E>) => Promise<Relay<E>>;

/**
 * A program's end of a relay: what it sends goes to everybody else, what everybody else sends arrives here.
 *
 * Made by {@linkcode connect}. It reconnects by itself, until `close()`. Order is kept per sender. What the network had
 * taken when a connection broke may be lost; what it had not is sent again whole, and so is what was sent meanwhile,
 * within `offlineBytes`. Received events wait in an inbox that `drain()` and iterators share. A relay that vanishes
 * without ending its connections (power, cable) is noticed only when the system gives up on what was sent, in minutes.
 */
export class Relay<E = unknown> implements AsyncIterable<E, undefined>, AsyncDisposable {
  readonly #inbox: Inbox<E>;
  readonly #link: Link;
  readonly #check: ((value: unknown) => E) | undefined;
  readonly #options: ConnectOptions<E>;
  readonly #maxLineBytes: number;
  readonly #drainWatch = new DrainWatch();
  readonly #mayWarn = rateLimit(1);
  readonly #onAbort: () => void;
  #closed: Promise<void> | undefined;
  #received = 0;
  #invalid = 0;
  #errors = 0;

  static {
    open = async <E>(target: Target, options: ConnectOptions<E>) => {
      const relay = new Relay<E>(target, options);
      await relay.#open();
      return relay;
    };
  }

  private constructor(target: Target, options: ConnectOptions<E>) {
    const address = parseTarget(target);
    const { schema, offlineBytes = DEFAULT_OFFLINE_BYTES, inboxLimit = DEFAULT_INBOX_LIMIT } = options;
    const { maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
    checkLimit("offlineBytes", offlineBytes, 0);
    checkLimit("inboxLimit", inboxLimit, 1);
    checkLimit("maxLineBytes", maxLineBytes, 1);
    this.#options = options;
    this.#maxLineBytes = maxLineBytes;
    this.#check = schema && eventChecker(schema);
    this.#inbox = new Inbox({ maxEvents: inboxLimit, maxSize: MAX_INBOX_CHARACTERS });
    this.#link = new Link({
      address,
      openTransport: openTcp,
      offlineBytes,
      maxUnfinishedBytes: Math.max(MAX_UNFINISHED_BYTES, maxLineBytes),
      onLine: (line) => this.#onLine(line),
      onBadLine: (line, error) => this.#onBadLine(line, error),
      onStatus: (status, detail) => tell(options.onStatus, status, detail),
    });
    this.#onAbort = () => void this.close();
  }

  /** What it is doing; `closed` once `close()` is through. */
  get status(): Status {
    return this.#link.status;
  }

  /** What it has counted so far: a copy, which doesn't change. */
  get stats(): Stats {
    const link = this.#link;
    const [droppedSent, droppedReceived] = [link.droppedLines, this.#inbox.dropped];
    return {
      sent: link.sentLines,
      waiting: link.waitingLines,
      received: this.#received,
      dropped: droppedSent + droppedReceived,
      droppedSent,
      droppedReceived,
      invalid: this.#invalid,
      errors: this.#errors,
      reconnects: link.reconnects,
      bytesSent: link.sentBytes,
      bytesReceived: link.receivedBytes,
    };
  }

  /**
   * Sends an event to everybody else. Never blocks, and never throws because of the network.
   *
   * What is sent in one turn of the event loop goes out in one write. While there is no connection, or one that takes
   * nothing, up to `offlineBytes` are kept, the oldest dropped first and counted. After `close()` it is dropped and
   * counted. As with `JSON.stringify`, NaN becomes null and properties that are undefined or functions are left out.
   *
   * @throws {TypeError} when JSON can't hold it: undefined, a function, a symbol, a BigInt, a cycle
   * @throws {RangeError} when it is longer than `maxLineBytes`
   */
  send(event: unknown): void {
    const line = encoder.encode(stringify(event) + "\n");
    const bytes = line.length - 1;
    if (bytes > this.#maxLineBytes) {
      throw new RangeError(`Cannot send event: it has ${bytes} bytes, maxLineBytes is ${this.#maxLineBytes}`);
    }
    this.#link.send(line);
  }

  /**
   * Takes all events that have arrived since the last call, oldest first. Returns at once; also after `close()`, for
   * what is left. Shares the inbox with iterators: each event goes to whoever takes it first.
   *
   * A loop that calls it has to await something in between, such as `frames()`: otherwise nothing ever arrives.
   */
  drain(): E[] {
    if (this.#drainWatch.noteCall()) {
      console.warn(
        "eventrelay: drain() is called in a loop that never awaits, so the network never gets to run and " +
          "nothing can arrive. Tick the loop with: for await (const seconds of frames(30)) { … }",
      );
    }
    return this.#inbox.takeAll();
  }

  /**
   * Waits for each event in turn. Goes on waiting while the connection is away; ends after `close()`, when what was left
   * has been taken. `break` loses nothing. Several iterators share the events, each goes to one of them.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined> {
    return this.#inbox.iterate();
  }

  /**
   * Writes out what was sent and closes the connection, within a second. Nothing more is received from the call on; what
   * is left can still be taken. Never rejects; may be called again.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Does what `close()` does: `await using relay = await connect(…)`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    const { signal, retry = false } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort);
    try {
      await this.#link.open(retry);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    const { signal } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    this.#drainWatch.stop();
    this.#inbox.close();
    await this.#link.close(signal?.aborted ? signal.reason : undefined);
  }

  /** Looks at every received line first. */
  #onLine(line: string): void {
    if (this.#closed !== undefined) return;
    const error = readErrorLine(line);
    if (error !== undefined) return this.#onError(error);
    let event: E;
    try {
      const value = JSON.parse(line);
      event = this.#check === undefined ? value : this.#check(value);
    } catch (error) {
      return this.#onBadLine(line, error instanceof Error ? error : new TypeError(String(error)));
    }
    this.#received++;
    this.#inbox.push(event, line.length);
  }

  #onBadLine(line: string, error: Error): void {
    if (this.#closed !== undefined) return;
    this.#invalid++;
    tell(this.#options.onInvalid, line, error);
  }

  #onError(error: RelayError): void {
    this.#errors++;
    if (this.#options.onError !== undefined) return tell(this.#options.onError, error);
    if (!this.#mayWarn()) return;
    // The text comes from outside: control characters must not reach a terminal.
    const text = `${error.code}: ${error.message}`.replace(/[\p{Cc}\p{Cf}]/gu, "?");
    console.warn(`eventrelay: the relay reports ${text}`);
  }
}

/**
 * Connects to a relay.
 *
 * Resolves when there is a connection; from then on the relay object reconnects by itself, with waits that double from
 * 250 ms to 5 s, drawn evenly between 0 and that. An attempt may take 10 s.
 *
 * @example
 * ```ts
 * import { connect } from "./client.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // a relay, to try it
 * const { port } = listener.addr;
 *
 * await using relay = await connect<{ id: string; pos: number[] }>(`127.0.0.1:${port}`);
 * relay.send({ id: "ada-1", pos: [3, 4] });
 * for (const event of relay.drain()) console.log(event.id, event.pos); // what has arrived
 * ```
 *
 * @throws {TypeError} when the target or an option has the wrong form
 * @throws {RangeError} when the port or an option is out of range
 * @throws {Error} `Cannot connect to ifilab100:32100: connection refused, is the relay running there`, and the like, with
 * the network's own error as its `cause`; with `retry` only when this program lacks the permission. When `signal` is
 * aborted, its reason.
 */
// deno-lint-ignore require-await -- a wrong target rejects, too: one way for all errors
export async function connect<E = unknown>(
  target: Target,
  options: ConnectOptions<E> = {},
): Promise<Relay<E>> {
  return open(target, options);
}

function stringify(event: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(event);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new TypeError(`Cannot send event: ${reason}, what JSON can hold is allowed`, { cause });
  }
  if (text === undefined) {
    const kind = event === undefined ? "undefined" : `a ${typeof event}`;
    throw new TypeError(`Cannot send event: it is ${kind}, what JSON can hold is allowed`);
  }
  return text;
}

function checkLimit(name: string, value: number, least: number): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot connect: ${name} is a ${typeof value}, a number is allowed`);
  }
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`Cannot connect: ${name} is ${value}, a whole number from ${least} is allowed`);
  }
}

/** Calls a program's callback. What it throws is the program's own mistake: reported as uncaught, after our work. */
function tell<A extends unknown[]>(callback: ((...args: A) => void) | undefined, ...args: A): void {
  try {
    callback?.(...args);
  } catch (error) {
    reportError(error);
  }
}
