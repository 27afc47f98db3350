// Which changes of a room's state one session is told next: the oldest first, its own not, and no member's
// before the line that shows this member to it. Lines out; which of them are written, and which the client
// has, sent_stream.ts knows. Pure.

import type { Room } from "../room/room.ts";
import type { StateEntry, StateOwner } from "../room/state_table.ts";

/** Some changes of state. */
export interface StateChanges {
  readonly lines: readonly Uint8Array[];
  readonly bytes: number;
  /** The version of the state that who has them has. */
  readonly version: number;
}

/**
 * Collects the changes after `version` that `reader` may be told, up to `limitBytes` and one line.
 *
 * @param offset how far the reader has the room's log
 */
export function collectChanges(
  room: Room,
  reader: StateOwner,
  version: number,
  offset: number,
  limitBytes: number,
): StateChanges {
  const { state } = room, lines: Uint8Array[] = [];
  let bytes = 0;
  let entry: StateEntry | undefined = state.firstAfter(version);
  for (; entry !== undefined && bytes < limitBytes; entry = entry.newer) {
    const since = room.presentSince(entry.owner);
    if (since > offset && since < Infinity) break; // its $join comes first
    version = entry.version;
    if (since === Infinity || entry.owner === reader) continue;
    lines.push(entry.line);
    bytes += entry.line.length;
  }
  return { lines, bytes, version: entry === undefined ? state.version : version };
}
