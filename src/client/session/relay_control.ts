// The lines that the relay itself says, as a client reads them. Pure. The client looks here first at every
// received line; what is not a control line is an event.

import { isCount, isRecord } from "../../wire/untrusted.ts";
import { CONTROL_OPENING, type ErrorCode } from "../../wire/protocol.ts";

/** What the relay complains about. */
export interface RelayError {
  /** For programs; a newer relay may have more codes. */
  code: ErrorCode | (string & Record<never, never>);
  /** For people: what was wrong, where, and what is allowed. */
  message: string;
  /** The number of the line at fault, counted from 1 on this connection. */
  line?: number;
  /**
   * The key whose value was not taken, if it is about one: `set()` of this program did nothing, and what the
   * relay had taken before holds. The value is not set again.
   */
  key?: string;
  /** Whether it is a key of the room; said where `key` is. */
  room?: boolean;
  /**
   * The ids that nobody in the room has, if it is about such (`no_such_peer`): what was sent to them is
   * dropped.
   */
  ids?: string[];
}

/** A control line of a session, taken apart. */
export interface ControlLine {
  /** Without its `$`. */
  name: string;
  body: Record<string, unknown>;
}

/** How each `$error` of a relay begins. */
export const ERROR_OPENING = `{"$error":`;

/**
 * Returns the error that a line tells a plain client about, or `undefined` when the line is something else.
 * Only the relay's own form counts: one key, which comes first, with a code and a message.
 */
export function readErrorLine(line: string): RelayError | undefined {
  if (!line.startsWith(ERROR_OPENING)) return undefined;
  const control = readControlLine(line);
  return control && readError(control.body);
}

/**
 * Takes apart a control line; `undefined` for any other line, and for one that is none though it begins like
 * one.
 */
export function readControlLine(line: string): ControlLine | undefined {
  if (!line.startsWith(CONTROL_OPENING)) return undefined;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const [[name, body], ...more] = Object.entries(parsed);
  if (more.length > 0 || !isRecord(body)) return undefined;
  return { name: name.slice(1), body };
}

const FROM_START = `{"$from":{"id":"`, FROM_END = `"}}`;

/**
 * Returns the id in a `$from` that is written as the relay writes it, without decoding it: there is one
 * before most events. `undefined` for any other line.
 */
export function readPlainFrom(line: string): string | undefined {
  if (!line.startsWith(FROM_START)) return undefined;
  const end = line.indexOf('"', FROM_START.length);
  if (end + FROM_END.length !== line.length || !line.endsWith(FROM_END)) return undefined;
  const id = line.slice(FROM_START.length, end);
  return id.includes("\\") ? undefined : id;
}

/** Reads the body of an `$error`; `undefined` when it has no code or no message. */
export function readError(body: Record<string, unknown>): RelayError | undefined {
  const { code, message, line, ids, key, room } = body;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  const error: RelayError = { code, message };
  if (typeof line === "number") error.line = line;
  if (Array.isArray(ids) && ids.every((id) => typeof id === "string")) error.ids = ids;
  if (typeof key === "string") {
    error.key = key;
    error.room = room === true;
  }
  return error;
}

/** Reads a number of things, or of milliseconds: 0 for what is none. */
export function readCount(value: unknown): number {
  return isCount(value) ? value : 0;
}

/** The farthest time from 1970, in ms, that a date can be. */
const MAX_TIME_MS = 8.64e15;

/** Tells a time in ms that can be reckoned with: JSON can hold 1e999. */
export function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MAX_TIME_MS;
}
