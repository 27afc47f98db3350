// How a session begins on a new connection: the hello, the relay's answer to it, found among what may be the
// lines of others, and the lines that belong to a welcome. Keeps nothing of earlier sessions and touches no
// socket: it is given a pipe.
//
//   hello ─→ … lines of the lobby … ─→ $welcome ─→ `more` lines, acknowledged ─→ the stream
//                                   └→ $error: RefusedError

import { Attempt } from "../link/attempt.ts";
import type { Pipe } from "../link/speaker.ts";
import { encodeControl, LF } from "../../wire/protocol.ts";
import { concat } from "../../wire/concat.ts";
import { quote } from "../../wire/untrusted.ts";
import { encodeHello, type Hello, makeNonce } from "./hello.ts";
import { ERROR_OPENING, readControlLine } from "./relay_control.ts";
import { followControl } from "./roster_control.ts";
import { readAnswer, type Welcome } from "./welcome.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** How long a relay may take to answer a hello, in ms; one that doesn't know sessions never does. */
export const WELCOME_TIMEOUT_MS = 3000;

/**
 * How long one may take that has answered before, in ms: that knows sessions, and may have a thousand to answer
 * that come back at once. Who tries again only adds to them.
 */
const KNOWN_TIMEOUT_MS = 10_000;

/**
 * For how long the relay, of whatever version, says nothing of others to a connection of which it has heard
 * nothing, in ms: a little less than the 250 ms of docs/PROTOCOL.md, for timers that are early.
 */
const HELD_MS = 240;

/** The longest answer that is looked at, in bytes; a relay's welcome is half as long. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * The most lines that a welcome may announce, and how long all of them may take, in ms: a room of thousands
 * is far below it.
 */
const MAX_MORE_LINES = 1_000_000;
const MAX_WELCOME_MS = 120_000;

/**
 * The share of the relay's window, or of the time that it hears nothing, after which what was read of a
 * welcome is acknowledged.
 */
const ACK_SHARE = 1 / 2;

const WELCOME_OPENING = `{"$welcome":`;

const NOTHING = new Uint8Array(0);

/** What an opening needs to know. */
export interface OpeningOptions extends Omit<Hello, "nonce"> {
  /**
   * How long the relay may take to answer, in ms. Default: {@linkcode WELCOME_TIMEOUT_MS}, and more where it
   * has answered before.
   */
  welcomeTimeoutMs?: number;
  /** The bytes a line may have that belongs to the welcome. */
  maxLineBytes: number;
  /** Whether the relay has answered before. */
  isKnown: boolean;
  /** A clock in ms that never goes back. */
  now(): number;
}

/** A session that the relay has granted: a new one, or one that goes on. */
export interface Opened {
  /** With all who are there, if it is a new one. */
  welcome: Welcome;
  /** When the hello went out and the welcome came, in ms. */
  sentAtMs: number;
  receivedAtMs: number;
  /** The bytes of the relay's stream that have been read: the lines that belong to the welcome. */
  streamBytes: number;
  /** The first lines of the stream to the relay, already written: acknowledgements. */
  written: Uint8Array[];
  /** What was received beyond that. */
  rest: Uint8Array;
}

/**
 * Says hello, and reads the answer with all that belongs to it.
 *
 * @throws {RefusedError} when the relay refuses
 * @throws {Error} when it says something else, ends the connection, or says nothing in time
 */
export async function openSession(pipe: Pipe, options: OpeningOptions): Promise<Opened> {
  const attempt = new Attempt();
  try {
    return await attempt.race(new Opening(pipe, options, attempt).run());
  } finally {
    attempt.end();
  }
}

class Opening {
  readonly #pipe: Pipe;
  readonly #options: OpeningOptions;
  readonly #attempt: Attempt;
  readonly #lines: FirstLines;
  /** Whether a line came that may have been the answer, or somebody else's imitation. */
  #isDoubtful = false;
  /** The first line, if it is none of a relay: another program listens there. */
  #strange: string | undefined;

  constructor(pipe: Pipe, options: OpeningOptions, attempt: Attempt) {
    this.#pipe = pipe;
    this.#options = options;
    this.#attempt = attempt;
    this.#lines = new FirstLines(pipe, attempt);
  }

  async run(): Promise<Opened> {
    const { welcomeTimeoutMs, isKnown, now, ...hello } = this.#options;
    const timeoutMs = welcomeTimeoutMs ?? (isKnown ? KNOWN_TIMEOUT_MS : WELCOME_TIMEOUT_MS);
    const nonce = makeNonce();
    this.#attempt.expect(timeoutMs, () => this.#describeSilence(timeoutMs));
    const sentAtMs = now();
    await this.#pipe.write(encodeHello({ ...hello, nonce }));
    const welcome = await this.#findAnswer(nonce);
    const receivedAtMs = now();
    const start = this.#lines.bytes;
    const isResumed = welcome.resumed && hello.resume !== undefined;
    const written = isResumed ? [] : await this.#readMore(welcome);
    const { bytes, rest } = this.#lines;
    return { welcome, sentAtMs, receivedAtMs, streamBytes: bytes - start, written, rest };
  }

  async #findAnswer(nonce: string): Promise<Welcome> {
    for (;;) {
      const line = await this.#lines.next(MAX_ANSWER_BYTES);
      if (line === undefined) throw new Error(this.#describeEnd());
      if (this.#lines.count === 1 && !isJson(line)) this.#strange = line;
      if (!line.startsWith(WELCOME_OPENING) && !line.startsWith(ERROR_OPENING)) continue;
      const isSurelyTheRelay = this.#lines.count === 1 && this.#pipe.ageMs() < HELD_MS;
      const welcome = readAnswer(line, nonce, isSurelyTheRelay);
      if (welcome !== undefined) return welcome;
      this.#isDoubtful = true;
    }
  }

  /**
   * Reads the lines that belong to a welcome, and acknowledges them: that is a sign of life, too. Returns
   * what it wrote.
   */
  async #readMore({ more, roster, limits: { windowBytes, pingTimeoutMs } }: Welcome): Promise<Uint8Array[]> {
    const { maxLineBytes } = this.#options;
    if (more > MAX_MORE_LINES) {
      throw new Error(`its $welcome announces ${more} lines, ${MAX_MORE_LINES} are allowed`);
    }
    const start = this.#lines.bytes, beganAtMs = performance.now();
    const written: Uint8Array[] = [];
    let ackedBytes = 0, ackedAtMs = beganAtMs;
    let seenReads = -1;
    for (let left = more; left > 0;) {
      if (seenReads !== this.#lines.reads) {
        seenReads = this.#lines.reads;
        const restMs = beganAtMs + MAX_WELCOME_MS - performance.now();
        this.#attempt.expect(Math.min(pingTimeoutMs, restMs), () => "its $welcome stopped in the middle");
      }
      const line = await this.#lines.next(maxLineBytes);
      if (line === undefined) {
        throw new Error("the relay closed the connection in the middle of its $welcome");
      }
      const control = readControlLine(line);
      if (control === undefined) continue; // no line of a welcome
      followControl(roster, control, line.length);
      left--;
      const bytes = this.#lines.bytes - start, nowMs = performance.now();
      if (bytes - ackedBytes < windowBytes * ACK_SHARE && nowMs - ackedAtMs < pingTimeoutMs * ACK_SHARE) {
        continue;
      }
      const ack = encodeControl("ack", { bytes });
      await this.#pipe.write(ack);
      written.push(ack);
      [ackedBytes, ackedAtMs] = [bytes, nowMs];
    }
    return written;
  }

  #describeSilence(timeoutMs: number): string {
    const within = `within ${timeoutMs / 1000} s`;
    if (this.#isDoubtful) return DOUBTFUL;
    if (this.#strange !== undefined) return describeStranger(this.#strange);
    if (this.#options.isKnown) {
      return `no $welcome ${within}, the relay takes connections but does not answer`;
    }
    const older =
      `no $welcome ${within}, this looks like an older relay, connect with { plain: true } to speak to it`;
    return this.#lines.bytes > 0 ? older : `${older}, or like one that hangs`;
  }

  #describeEnd(): string {
    if (this.#isDoubtful) return DOUBTFUL;
    if (this.#strange !== undefined) return describeStranger(this.#strange);
    const tls = this.#options.isKnown ? "" : ", if it serves TLS, connect with { tls: true }";
    return `the relay closed the connection before its $welcome${tls}`;
  }
}

const DOUBTFUL =
  "what looked like the answer to the hello may be another client's: it came late and without the hello's " +
  "nonce, which relays before version 0.2 don't repeat";

function describeStranger(line: string): string {
  return `it says ${quote(line.trimEnd())}, which no relay does, is the port right`;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** The first lines of a connection, one at a time, and what was received behind them. */
class FirstLines {
  readonly #pipe: Pipe;
  readonly #attempt: Attempt;
  #chunk: Uint8Array = NOTHING;
  /** The bytes of the lines that `next()` has returned, LF included; their number; how often was read. */
  bytes = 0;
  count = 0;
  reads = 0;

  constructor(pipe: Pipe, attempt: Attempt) {
    this.#pipe = pipe;
    this.#attempt = attempt;
  }

  /** What was received behind the last line. */
  get rest(): Uint8Array {
    return this.#chunk;
  }

  /**
   * Waits for the next line and returns it without its LF, "" for one that is longer than allowed;
   * `undefined` when the connection has ended.
   */
  async next(maxBytes: number): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const end = this.#chunk.indexOf(LF);
      const part = end < 0 ? this.#chunk : this.#chunk.subarray(0, end);
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else parts.length = 0;
      if (end >= 0) {
        this.#chunk = this.#chunk.subarray(end + 1);
        this.bytes += length + 1;
        this.count++;
        return decodeUtf8(concat(parts));
      }
      this.#chunk = NOTHING;
      const bytes = await this.#pipe.read();
      if (this.#attempt.isOver) throw this.#attempt.error;
      if (bytes === null) return undefined;
      this.reads++;
      this.#chunk = bytes.slice(); // it is valid until the next read
    }
  }
}
