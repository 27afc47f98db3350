// The relay's answer to a hello, read: a welcome with who and what is there and what is allowed, or a
// refusal. Touches no socket.

import { isRecord } from "../../wire/untrusted.ts";
import { RefusedError } from "../link/connect_error.ts";
import { readControlLine, readError } from "./relay_control.ts";
import { Roster } from "./roster.ts";

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
