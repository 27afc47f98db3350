// The rooms of a relay, as it names them to who asks. Pure.

import { isRecord } from "../wire/untrusted.ts";

/** A room of the relay. */
export interface RoomInfo {
  /** Its name. */
  readonly name: string;
  /** How many sessions are in it; plain clients are not counted. */
  readonly members: number;
  /** How many may be, if there is a limit. */
  readonly maxMembers?: number;
}

/** The rooms of the relay, the fullest first. */
export interface RoomList {
  /** Up to 100 of them. */
  readonly rooms: RoomInfo[];
  /** How many there are beside these. */
  readonly more: number;
}

/** Reads the relay's answer; what is none is left out. */
export function readRoomList(answer: unknown): RoomList {
  const { rooms, more } = isRecord(answer) ? answer : {};
  const list = (Array.isArray(rooms) ? rooms : []).filter((room) =>
    isRecord(room) && typeof room.name === "string" && typeof room.members === "number"
  );
  return {
    rooms: list.map(({ name, members, maxMembers }) =>
      typeof maxMembers === "number" ? { name, members, maxMembers } : { name, members }
    ),
    more: typeof more === "number" ? more : 0,
  };
}
