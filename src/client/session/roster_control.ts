// What the relay says of who is there and what holds: as a welcome lists it, and as the control lines say
// that follow. What is none of it is skipped: a newer relay may say more. Pure.

import { isRecord } from "../../wire/untrusted.ts";
import type { ControlLine } from "./relay_control.ts";
import { Roster } from "./roster.ts";

/**
 * Makes a roster of what a welcome lists: its members with their state, and the room's state.
 *
 * @throws {RangeError} when that is more than a roster holds
 */
export function readRoster(peers: unknown, state: unknown): Roster {
  const roster = new Roster();
  for (const peer of readPeers(peers)) {
    roster.join(peer.id, peer.name);
    for (const [key, value] of entries(peer.state)) roster.set(peer.id, key, value);
  }
  for (const [key, value] of entries(state)) roster.set(null, key, value);
  return roster;
}

/**
 * Does what a control line says of who is there and what holds. `size` is that of the line, in characters.
 * Returns false if it says something else.
 *
 * @throws {RangeError} when that would be more than a roster holds
 */
export function followControl(roster: Roster, { name, body }: ControlLine, size: number): boolean {
  const { id, key, value, from, room } = body;
  switch (name) {
    case "join":
      if (typeof id === "string") roster.join(id, typeof body.name === "string" ? body.name : "");
      return true;
    case "leave":
      if (typeof id === "string") roster.leave(id, typeof body.reason === "string" ? body.reason : "lost");
      return true;
    case "peers":
      roster.compare(readPeers(body.peers));
      return true;
    case "set":
      if (typeof key !== "string") return true;
      if (room === true) roster.set(null, key, value, size);
      else if (typeof from === "string") roster.set(from, key, value, size);
      return true;
  }
  return false;
}

/** Reads a list of members, as a welcome or a `$peers` has it; what is none is skipped. */
function readPeers(peers: unknown): { id: string; name: string; state?: unknown }[] {
  return (Array.isArray(peers) ? peers : []).filter((peer) => isRecord(peer) && typeof peer.id === "string")
    .map(({ id, name, state }) => ({ id, name: typeof name === "string" ? name : "", state }));
}

function entries(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}
