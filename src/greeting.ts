// How a session begins: the hello, and the relay's answer to it, found among lines of a lobby that this client was taken
// to be in, and read. Touches no socket. Used by the client's session on every connection.

import { isRecord, printable, readControlLine, readError } from "./control_line.ts";
import { encodeControl, LF } from "./protocol.ts";
import { Roster } from "./roster.ts";
import type { Channel } from "./talk.ts";

/** The version of the protocol that is spoken here. */
const VERSION = 1;

/** The longest answer that is looked at; a relay's welcome is half as long. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The error codes that another attempt may not meet. */
const TEMPORARY_CODES = ["relay_full", "too_many_rooms"];

const WELCOME_START = `{"$welcome":`;
const ERROR_START = `{"$error":`;

const decoder = new TextDecoder();

/** What a client says first. */
export interface Hello {
  room: string;
  name: string;
  token: string;
  /** The bad network that the client asks for, "" for none. */
  simulate: string;
  /** The session to go on with, and the bytes of it that were received. */
  resume?: { session: string; bytes: number };
}

/** What a relay allows in a session. */
export interface SessionLimits {
  maxLineBytes: number;
  /** What the relay sends without an acknowledgement. */
  windowBytes: number;
  /** How old events may be when they are sent. */
  maxLagMs: number;
  /** How long a connection may be silent. */
  pingTimeoutMs: number;
  /** The keys a member may set. */
  maxKeys: number;
  /** The bytes a value may have as JSON. */
  maxValueBytes: number;
}

/** What is taken for a limit that a relay doesn't name. */
const DEFAULT_LIMITS: SessionLimits = {
  maxLineBytes: 64 * 1024,
  windowBytes: 256 * 1024,
  maxLagMs: 5000,
  pingTimeoutMs: 15_000,
  maxKeys: 256,
  maxValueBytes: 16 * 1024,
};

/** A welcome that has been read. */
export interface Welcome {
  id: string;
  room: string;
  /** Which run of the relay it is of; "" if it doesn't say. */
  relay: string;
  /** The secret with which the session can be resumed. */
  session: string;
  /** The relay's clock, in ms since 1970. */
  timeMs: number;
  /** What the relay has counted of this session's stream. */
  bytes: number;
  resumed: boolean;
  /** How many lines that belong to the welcome follow. */
  more: number;
  /** Who is there, as far as the welcome itself says. */
  roster: Roster;
  limits: SessionLimits;
}

/** The relay's refusal of a session, in its own words. */
export class RefusedError extends Error {
  /** The relay's code for it. */
  readonly code: string;
  /** Whether another attempt may succeed. */
  readonly isTemporary: boolean;

  /** Makes an error of an `$error`; what comes from outside is made fit for a terminal. */
  constructor(code: string, message: string) {
    super(printable(message));
    this.name = "RefusedError";
    this.code = printable(code);
    this.isTemporary = TEMPORARY_CODES.includes(code);
  }
}

/** Encodes the first line of a session; what is empty is left out. */
export function encodeHello({ room, name, token, simulate, resume }: Hello): Uint8Array {
  return encodeControl("hello", {
    version: VERSION,
    room,
    ...(name === "" ? {} : { name }),
    ...(token === "" ? {} : { token }),
    ...(simulate === "" ? {} : { simulate }),
    ...(resume === undefined ? {} : { resume }),
  });
}

/** Finds the answer to a hello in received bytes. Lines before it are another room's and are skipped. */
export class AnswerFinder {
  #unfinished: Uint8Array[] = [];
  #unfinishedBytes = 0;

  /** Takes a chunk; returns the answer when it is whole, and the bytes that follow it: the session's stream. */
  push(chunk: Uint8Array): { line: string; rest: Uint8Array } | undefined {
    for (let start = 0;;) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) {
        this.#keep(chunk.slice(start));
        return undefined;
      }
      this.#keep(chunk.subarray(start, end));
      const line = this.#unfinishedBytes > MAX_ANSWER_BYTES ? "" : this.#text();
      this.#unfinished = [];
      this.#unfinishedBytes = 0;
      start = end + 1;
      if (line.startsWith(WELCOME_START) || line.startsWith(ERROR_START)) {
        return { line, rest: chunk.subarray(start) };
      }
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#unfinishedBytes += bytes.length;
    if (this.#unfinishedBytes > MAX_ANSWER_BYTES) this.#unfinished = [];
    else this.#unfinished.push(bytes);
  }

  #text(): string {
    return this.#unfinished.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  }
}

/** One attempt to open a session: ends with an error when what is expected doesn't come in time. */
export class Attempt {
  readonly #failed = Promise.withResolvers<never>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether its time is over, or it was ended. */
  isOver = false;
  /** Why its time is over. */
  error: Error | undefined;

  /** Allows so much time from now on for what comes next. */
  expect(ms: number, message: string): void {
    clearTimeout(this.#timer);
    if (this.isOver) return;
    this.#timer = setTimeout(() => {
      this.isOver = true;
      this.error = new Error(message);
      this.#failed.reject(this.error);
    }, ms);
  }

  /** Waits for the work, but no longer than what is expected may take. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed.promise]);
  }

  /** Ends it, and its timer. */
  end(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
  }
}

/** Reads until the answer to the hello is whole; returns it and the bytes that follow it. */
export async function findAnswer(channel: Channel): Promise<{ line: string; rest: Uint8Array }> {
  const finder = new AnswerFinder();
  for (;;) {
    const bytes = await channel.read();
    if (bytes === null) {
      throw new Error(
        "the relay closed the connection before its $welcome, if it serves TLS, connect with { tls: true }",
      );
    }
    const answer = finder.push(bytes);
    if (answer !== undefined) return answer;
  }
}

/**
 * Reads the relay's answer to a hello.
 *
 * @throws {RefusedError} when it is an `$error`
 * @throws {TypeError} when it is neither that nor a welcome that can be understood
 */
export function readAnswer(line: string): Welcome {
  const control = readControlLine(line);
  const refusal = control?.name === "error" ? readError(control.body) : undefined;
  if (refusal !== undefined) throw new RefusedError(refusal.code, refusal.message);
  if (control?.name !== "welcome") throw unreadable("it is not a control line");
  const { id, room, relay = "", session, time, bytes = 0, resumed = false, more = 0, peers, state, limits } =
    control.body;
  for (const [name, value] of Object.entries({ id, room, relay, session })) {
    if (typeof value !== "string") throw unreadable(`its ${name} is not a string`);
  }
  for (const [name, value] of Object.entries({ bytes, more })) {
    if (!Number.isSafeInteger(value) || value as number < 0) throw unreadable(`its ${name} is not a count`);
  }
  if (!Number.isFinite(time)) throw unreadable("its time is not a number");
  return {
    id: id as string,
    room: room as string,
    relay: relay as string,
    session: session as string,
    timeMs: time as number,
    bytes: bytes as number,
    resumed: resumed === true,
    more: more as number,
    roster: readRoster(peers, state),
    limits: readLimits(limits),
  };
}

/** Reads a list of members, as a welcome or a `$peers` has it; what is none is skipped. */
export function readPeers(peers: unknown): { id: string; name: string; state?: unknown }[] {
  return (Array.isArray(peers) ? peers : []).filter((peer) => isRecord(peer) && typeof peer.id === "string")
    .map(({ id, name, state }) => ({ id, name: typeof name === "string" ? name : "", state }));
}

function readRoster(peers: unknown, state: unknown): Roster {
  const roster = new Roster();
  for (const peer of readPeers(peers)) {
    roster.join(peer.id, peer.name);
    for (const [key, value] of entries(peer.state)) roster.set(peer.id, key, value);
  }
  for (const [key, value] of entries(state)) roster.set(null, key, value);
  return roster;
}

function readLimits(limits: unknown): SessionLimits {
  const read = { ...DEFAULT_LIMITS };
  for (const [name, value] of entries(limits)) {
    if (name in read && typeof value === "number" && value > 0) read[name as keyof SessionLimits] = value;
  }
  return read;
}

function entries(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}

function unreadable(why: string): TypeError {
  return new TypeError(`the relay's answer can't be understood, ${why}`);
}
