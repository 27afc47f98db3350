// What may be set: keys, values and how many of them, checked against what the relay allows before anything
// is sent. Keeps nothing; what has been set is in session/own_state.ts.

import { encodeSet, keyFault } from "../wire/protocol.ts";
import type { Session } from "./session/session.ts";

const encoder = new TextEncoder();

/**
 * Checks a key; `verb` says what can't be done with one that is none.
 *
 * @throws {TypeError} when it is not a string
 * @throws {RangeError} when it has not 1 to 128 characters, or half of a surrogate pair
 */
export function checkKey(key: unknown, verb = "set state"): void {
  const fault = keyFault(key);
  if (fault === undefined) return;
  throw new (typeof key === "string" ? RangeError : TypeError)(`Cannot ${verb}: the key ${fault}`);
}

/**
 * Checks a value, given as JSON; before there was a connection any will do.
 *
 * @throws {RangeError} when it has more bytes than the relay allows
 */
export function checkValue({ limits }: Pick<Session, "limits">, json: string, verb = "set state"): void {
  const bytes = encoder.encode(json).length, most = limits?.maxValueBytes ?? Infinity;
  if (bytes <= most) return;
  throw new RangeError(`Cannot ${verb}: it has ${bytes} bytes, maxValueBytes is ${most}`);
}

/**
 * Checks whether a key can have a value, given as JSON; before there was a connection any will do.
 *
 * @throws {RangeError} when value, line or number of keys is more than the relay allows
 */
export function checkChange(session: Session, key: string, json: string, isRoom: boolean): void {
  if (session.limits === undefined) return;
  const { maxKeys, maxLineBytes } = session.limits;
  checkValue(session, json);
  const lineBytes = encodeSet(key, json, { isRoom }).length - 1;
  if (lineBytes > maxLineBytes) {
    throw new RangeError(
      `Cannot set state: with its key it has ${lineBytes} bytes, maxLineBytes is ${maxLineBytes}`,
    );
  }
  const keys = countKeysBeside(session, key, isRoom);
  if (keys < maxKeys) return;
  throw new RangeError(`Cannot set state: ${keys} keys are set, maxKeys is ${maxKeys}`);
}

/** Counts the keys of this member, or of the room as far as it is known here; 0 if `key` is one of them. */
function countKeysBeside(session: Session, key: string, isRoom: boolean): number {
  const { source, state } = session;
  if (!isRoom) return source.member.has(key) ? 0 : source.member.size;
  if (Object.hasOwn(state, key)) return 0;
  const keys = new Set(source.roomKeysUnderWay());
  if (keys.has(key)) return 0;
  for (const each of Object.keys(state)) {
    const isBeingRemoved = source.room.isNews(each) && !source.room.has(each);
    if (!isBeingRemoved) keys.add(each);
  }
  return keys.size;
}
