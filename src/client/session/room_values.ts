// Whose the room's values are, as far as this program set them: only who was the last to set a value sets it
// again when the relay has lost it. Keeps nothing itself: what this program has set is in own_state.ts. Pure.

import type { OwnState } from "./own_state.ts";
import { isSameJson } from "./roster.ts";
import type { SessionOutbox } from "./session_outbox.ts";

/** Takes what a `$set` of the relay says of whose value it is; `id` is this member's own. */
export function noteRoomValue(
  outbox: SessionOutbox,
  id: string,
  { key, value, from, room }: Record<string, unknown>,
): void {
  if (room !== true || typeof key !== "string") return;
  if (from !== id) return outbox.room.forget(key);
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    return; // it is nested more deeply than anything that this program can have set
  }
  outbox.noteEcho(key, json);
  if (json === undefined) outbox.room.forget(key);
  else outbox.room.keep(key, json);
}

/**
 * Decides which values of the room this program sets again in another session: where the relay ran on, the
 * room is as others left it, and a key that is missing was removed; one that was restarted knows nothing, and
 * whoever set a value last sets it again, where nothing stands.
 *
 * @param room what this program has set of the room
 * @param present what holds in the room now
 * @param changes what this program changed and was not confirmed, as JSON, or undefined for a removal
 * @returns the keys whose last change by this program may be lost
 */
export function settleRoom(
  room: OwnState,
  present: Readonly<Record<string, unknown>>,
  changes: ReadonlyMap<string, string | undefined>,
  isOtherRelay: boolean,
): string[] {
  for (const [key, json] of changes) if (json === undefined) room.forget(key);
  if (isOtherRelay) room.setAgainWhereMissing(present);
  else room.giveUp();
  return [...changes].filter(([key, json]) => {
    if (room.isNews(key)) return false; // it is told again, or a newer one is
    const isThere = Object.hasOwn(present, key);
    return json === undefined ? isThere : !isThere || !isSameJson(present[key], JSON.parse(json));
  }).map(([key]) => key);
}
