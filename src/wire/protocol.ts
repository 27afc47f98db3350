// The facts of the wire in one place: the line end, the defaults both sides agree on, the control lines and
// the error codes. No behaviour that touches a socket.

import { kindOf } from "./untrusted.ts";

/** The byte that ends every line. */
export const LF = 0x0a;

/** The byte that may stand before {@linkcode LF}; it is white space in JSON, so it is passed on. */
export const CR = 0x0d;

/** The port the relay listens on, and a client connects to, when none is named. */
export const DEFAULT_PORT = 32100;

/** The longest line the relay takes, in bytes without its LF, unless it is started with another limit. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024;

/** What an `$error` line can be about. A code is for programs; the message beside it is for people. */
export type ErrorCode =
  | "line_too_long"
  | "invalid_json"
  | "invalid_utf8"
  | "too_many_errors"
  | "relay_full"
  | "bad_hello"
  | "bad_token"
  | "too_many_rooms"
  | "unknown_control"
  | "bad_set"
  | "too_many_keys"
  | "value_too_long"
  | "state_full"
  | "bad_to"
  | "no_such_peer"
  | "bad_claim"
  | "not_host"
  | "cannot_host"
  | "room_full"
  | "rate_limited"
  | "idle_line";

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** The room of plain clients, and of sessions that name none. */
export const LOBBY = "lobby";

/** How a client speaks: level 0, events alone, or level 1, a session. */
export type Level = "plain" | "session";

/** How a session's first line begins. */
export const HELLO_OPENING = '{"$hello":';

/** The longest name of a room or a member, in code points. */
const MAX_NAME_CHARACTERS = 64;

/** How much of a room's name is kept where a number comes behind it, in code points. */
export const MAX_BASE_CHARACTERS = 58;

/** The longest `nonce` of a hello, in code points. */
const MAX_NONCE_CHARACTERS = 64;

/** The longest key of a value, in code points. */
const MAX_KEY_CHARACTERS = 128;

/**
 * What a relay allows in a session unless it says otherwise; `limits` in a `$welcome`. Times in ms, sizes in
 * bytes.
 */
export const DEFAULT_LIMITS = {
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  windowBytes: 256 * 1024,
  maxLagMs: 5000,
  resumeMs: 30_000,
  pingTimeoutMs: 15_000,
  maxKeys: 256,
  maxValueBytes: 16 * 1024,
  maxStateBytes: 4 * 1024 * 1024,
};

/** How a control line begins; no event of a session does. */
export const CONTROL_OPENING = '{"$';

/** Whether the line at `start` begins with `{"$`, the mark of control lines. */
export function isControlLine(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x7b && bytes[start + 1] === 0x22 && bytes[start + 2] === 0x24;
}

/** Whether the bytes at `at` are `part`. */
export function startsAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

/** The body of an `$error` control line. */
export interface WireError {
  code: ErrorCode;
  /** What was wrong, where, and what is allowed. */
  message: string;
  /** The number of the line at fault, counted from 1 on this connection. */
  line?: number;
  /**
   * The key whose value was not taken, and whether it is one of the room; only in answers to a `$set` with a
   * key.
   */
  key?: string;
  room?: true;
  /** The `nonce` of the hello that is refused so, if it has one. */
  nonce?: string;
  /** The ids that nobody has, if it is about such. */
  ids?: string[];
}

const encoder = new TextEncoder();

/** Encodes one control line, such as `{"$error":{…}}`, with its LF. */
export function encodeControl(name: string, body: unknown): Uint8Array {
  return encoder.encode(`{"$${name}":${JSON.stringify(body)}}\n`);
}

/**
 * Encodes the n-th id that a relay gives out: short, and as text in the order of n. One digit of base 36 does
 * for n below 35; behind a `z` there are two, and two more for each further `z`.
 */
export function encodeId(n: number): string {
  let opening = "k", digits = 1, count = 35, first = 0;
  while (n - first >= count) {
    first += count;
    opening += "z";
    digits = digits === 1 ? 2 : digits + 2;
    count = 35 * 36 ** (digits - 1);
  }
  return opening + (n - first).toString(36).padStart(digits, "0");
}

/** How many members one `$to` may name. */
export const MAX_RECEIVERS = 256;

/** Encodes a `$to`, with its LF: an event, given as JSON, for those members alone. */
export function encodeTo(ids: readonly string[], json: string, tag: Tag = {}): Uint8Array {
  const fields = JSON.stringify({ ids, ...tag });
  return encoder.encode(`{"$to":${fields.slice(0, -1)},"event":${json}}}\n`);
}

/** Makes an event a question or the answer to one. */
export interface Tag {
  /** A question, which the answer names so. */
  ask?: string;
  /** The answer to the question of that name. */
  reply?: string;
  /** Whether that says, as a text, why there is no answer. */
  failed?: true;
}

/** The longest name of a question, in code points. */
const MAX_ASK_CHARACTERS = 64;

/** Says what is wrong with the name of a question, as what follows "it"; undefined if it is one. */
export function askFault(ask: unknown): string | undefined {
  return lengthFault(ask, 1, MAX_ASK_CHARACTERS);
}

/** Encodes a `$from`, with its LF: whose the next lines are; a plain client has no `id`. */
export function encodeFrom(id?: string, tag?: Tag): Uint8Array {
  return encodeControl("from", { id, ...tag });
}

/** What a `$set` says beside its key and value. */
export interface SetMarks {
  /** Whether it is a key of the room. */
  isRoom: boolean;
  /** Whether the value goes when its setter does. */
  isHeld?: boolean;
  /** Who has set it; said to clients alone. */
  from?: string;
}

/** Encodes a `$set`, with its LF: `json` is the value's text, undefined to remove the key. */
export function encodeSet(key: string, json: string | undefined, marks: SetMarks): Uint8Array {
  const [before, behind] = aroundValue(key, json !== undefined, marks);
  return encoder.encode(before + (json ?? "") + behind);
}

/** Writes what stands before and behind the value of a `$set`, with its LF; one without removes the key. */
export function aroundValue(
  key: string,
  hasValue: boolean,
  { isRoom, isHeld = false, from }: SetMarks,
): [before: string, behind: string] {
  const marks = (isRoom ? `,"room":true` : "") + (isHeld ? `,"hold":true` : "") +
    (from === undefined ? "" : `,"from":${JSON.stringify(from)}`);
  return [`{"$set":{"key":${JSON.stringify(key)}` + (hasValue ? `,"value":` : ""), `${marks}}}\n`];
}

/**
 * Says what is wrong with the name of a room (`least` is 1) or a member (0), as what follows "it"; undefined
 * if it is one.
 */
export function nameFault(name: unknown, least: number): string | undefined {
  return lengthFault(name, least, MAX_NAME_CHARACTERS) ??
    (/\p{Cc}/u.test(name as string)
      ? "has a control character, text without any is allowed"
      : surrogateFault(name as string));
}

/** Says what is wrong with the key of a value, as what follows "it"; undefined if it is one. */
export function keyFault(key: unknown): string | undefined {
  return lengthFault(key, 1, MAX_KEY_CHARACTERS) ?? surrogateFault(key as string);
}

/**
 * Half of a surrogate pair has no bytes of its own: two such texts would be one where they are kept, and
 * programs fail to print it.
 */
function surrogateFault(text: string): string | undefined {
  return /\p{Cs}/u.test(text) ? "has half of a surrogate pair, whole characters are allowed" : undefined;
}

/** Says what is wrong with the `nonce` of a hello, as what follows "it"; undefined if it is one. */
export function nonceFault(nonce: unknown): string | undefined {
  return lengthFault(nonce, 0, MAX_NONCE_CHARACTERS);
}

function lengthFault(text: unknown, least: number, most: number): string | undefined {
  if (typeof text !== "string") return `is ${kindOf(text)}, a string is allowed`;
  // A character is a code point, one or two units of the string. What is short enough in any case, or far too
  // long, is not worth counting exactly.
  if (text.length >= 2 * least - 1 && text.length <= most) return undefined;
  const characters = text.length > 4 * most ? text.length : Array.from(text).length;
  if (characters >= least && characters <= most) return undefined;
  return `has ${characters} characters, ${least} to ${most} are allowed`;
}
