// The relay's answer to a hello, read: a welcome with who and what is there and what is allowed, or a
// refusal. Touches no socket.

import { DEFAULT_LIMITS } from "../../wire/protocol.ts";
import { isCount, isRecord } from "../../wire/untrusted.ts";
import { RefusedError } from "../link/connect_error.ts";
import { isTime, readControlLine, readError } from "./relay_control.ts";
import type { Roster } from "./roster.ts";
import { readRoster } from "./roster_control.ts";

/** The longest time that a limit can be, in ms: timers take no month. */
const MAX_LIMIT_MS = 3_600_000;

/** The shortest time after which silence can count as an end, in ms: pings go out three times as often. */
const MIN_PING_TIMEOUT_MS = 10;

/** What a relay allows in a session. */
export interface SessionLimits {
  /** The longest event, in bytes. */
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

/** A welcome that has been read. */
export interface Welcome {
  id: string;
  room: string;
  /** Which run of the relay it is of; "" if it doesn't say. */
  relay: string;
  /** The version of the relay's program; "" if it doesn't say. */
  relayVersion: string;
  /** The secret with which the session can be resumed. */
  session: string;
  /** The relay's clock, in ms since 1970. */
  timeMs: number;
  /** What the relay has counted of this session's stream. */
  bytes: number;
  resumed: boolean;
  /** How many lines that belong to the welcome follow. */
  more: number;
  /** Who leads the room, if anybody does. */
  host: string | undefined;
  /** Who is there, as far as the welcome itself says. */
  roster: Roster;
  limits: SessionLimits;
}

/**
 * Reads the relay's answer to the hello that had this nonce; `undefined` for what may be another client's.
 *
 * To a connection whose hello is late the relay passes on what is said in the lobby, and anybody there can
 * say `{"$welcome":…}`. The relay's answer repeats the nonce, which nobody else knows. Older relays repeat
 * none, and one that is full says so before it has read any hello: these are taken only if it is certain that
 * the line is the relay's own.
 *
 * @throws {RefusedError} when it is an `$error`
 * @throws {TypeError} when it is neither that nor a welcome that can be understood
 */
export function readAnswer(line: string, nonce: string, isCertain: boolean): Welcome | undefined {
  const control = readControlLine(line);
  if (control === undefined) {
    if (isCertain || line.includes(nonce)) throw unreadable("it is not a control line");
    return undefined;
  }
  const isOurs = Object.hasOwn(control.body, "nonce") ? control.body.nonce === nonce : isCertain;
  if (!isOurs) return undefined;
  if (control.name === "error") {
    const refusal = readError(control.body);
    if (refusal === undefined) throw unreadable("its $error has no code or no message");
    throw new RefusedError(refusal.code, refusal.message);
  }
  return readWelcome(control.body);
}

function readWelcome(body: Record<string, unknown>): Welcome {
  const { relay = "", relayVersion, bytes = 0, more = 0, host } = body;
  return {
    id: text("id", body.id),
    room: text("room", body.room),
    relay: text("relay", relay),
    relayVersion: typeof relayVersion === "string" ? relayVersion : "",
    session: text("session", body.session),
    timeMs: time(body.time),
    bytes: count("bytes", bytes),
    resumed: body.resumed === true,
    more: count("more", more),
    host: typeof host === "string" ? host : undefined,
    roster: readRoster(body.peers, body.state),
    limits: readLimits(body.limits),
  };
}

function text(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw unreadable(`its ${name} is not a string`);
}

function time(value: unknown): number {
  if (isTime(value)) return value;
  throw unreadable("its time is not a number");
}

function count(name: string, value: unknown): number {
  if (isCount(value)) return value;
  throw unreadable(`its ${name} is not a count`);
}

/**
 * Takes each limit that is a number, within what can be kept; the default for one that the relay doesn't
 * name.
 */
function readLimits(limits: unknown): SessionLimits {
  const named = isRecord(limits) ? limits : {};
  const read = (name: keyof SessionLimits, most: number) => {
    const value = Object.hasOwn(named, name) ? named[name] : undefined;
    return isPositive(value) ? Math.min(Math.max(value, 1), most) : DEFAULT_LIMITS[name];
  };
  return {
    maxLineBytes: read("maxLineBytes", Number.MAX_SAFE_INTEGER),
    windowBytes: read("windowBytes", Number.MAX_SAFE_INTEGER),
    maxLagMs: read("maxLagMs", MAX_LIMIT_MS),
    pingTimeoutMs: Math.max(read("pingTimeoutMs", MAX_LIMIT_MS), MIN_PING_TIMEOUT_MS),
    maxKeys: read("maxKeys", Number.MAX_SAFE_INTEGER),
    maxValueBytes: read("maxValueBytes", Number.MAX_SAFE_INTEGER),
  };
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0;
}

function unreadable(why: string): TypeError {
  return new TypeError(`the relay's answer can't be understood, ${why}`);
}
