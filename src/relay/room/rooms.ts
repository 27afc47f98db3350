// The rooms of a relay by their names: opened when somebody enters, freed when nobody is left; and what they
// give up when memory is short. Knows neither members nor sockets.

import { quote } from "../../wire/untrusted.ts";
import { LOBBY, MAX_BASE_CHARACTERS, type WireError } from "../../wire/protocol.ts";
import type { MemoryAccount } from "../memory_budget.ts";
import type { Settings } from "../options.ts";
import type { Cursor } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import { Flusher } from "./flusher.ts";
import { Room } from "./room.ts";

/** What a room takes in memory with nothing in it, in bytes. Measured. */
const ROOM_BYTES = 8 * 1024;

/** How many readers are looked at in one step of a sweep. */
const READERS_A_STEP = 50;

/** How many rooms are named to who asks. */
const MAX_LISTED = 100;

/** A room, as it is named to who asks. */
export interface RoomEntry {
  readonly name: string;
  readonly members: number;
  readonly maxMembers: number | undefined;
}

/** The fullest rooms, and how many there are beside them. */
export interface RoomEntries {
  readonly rooms: readonly RoomEntry[];
  readonly more: number;
}

/** All rooms of a relay. */
export class Rooms {
  /** The room of plain clients, which is always there. */
  readonly lobby: Room;
  readonly #settings: Settings;
  readonly #memory: MemoryAccount;
  readonly #rooms = new Map<string, Room>();
  /** The list of them, until somebody comes or goes: to make one takes as long as 100 lines. */
  #listed: RoomEntries | undefined;
  readonly #flusher: Flusher;
  /** Writes that kept memory which would be free otherwise, when that was looked at last. */
  #pins = new Map<Cursor, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#memory = settings.memory.open();
    this.#flusher = new Flusher(settings);
    this.lobby = this.#add(LOBBY);
    settings.memory.onShort("read blocks", (neededBytes) => this.#dropRead(neededBytes));
    settings.memory.onShort("unread blocks", (neededBytes) => this.#dropUnread(neededBytes));
  }

  /** Counts rooms that somebody is in, and the memory that all logs take. */
  stats(): { rooms: number; logBytes: number } {
    let logBytes = 0;
    for (const room of this.#rooms.values()) logBytes += room.logBytes;
    return { rooms: this.#rooms.size - (this.lobby.isEmpty ? 1 : 0), logBytes };
  }

  /** All of them, the lobby first. */
  all(): Iterable<Room> {
    return this.#rooms.values();
  }

  /** Finds a room that is open. */
  find(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /**
   * Finds a room with a place, or opens it if there may be one more, for `maxMembers` at most; or says why
   * not. With `base`, another one does, too, that is for as many and has a place: of that name, or with a
   * number behind it. Who `comesBack` opens its room again rather than take another. Somebody must enter at
   * once.
   */
  open(name: string, maxMembers?: number, base?: string, comesBack = false): Room | WireError {
    let found = this.#rooms.get(name);
    const isItsOwn = comesBack && found === undefined;
    if (base !== undefined && !isItsOwn && !hasPlace(found, maxMembers)) {
      name = this.#nameOfAny(base, maxMembers);
      found = this.#rooms.get(name);
    }
    if (found?.isFull) {
      const message = `Cannot enter room ${
        quote(name)
      }: it has ${found.maxMembers} members, no more are allowed`;
      return { code: "room_full", message, line: 1 };
    }
    if (found !== undefined) return found;
    const { maxRooms } = this.#settings;
    const isFull = this.#rooms.size > maxRooms;
    if (!isFull && this.#memory.tryGrow(ROOM_BYTES)) return this.#add(name, maxMembers);
    const why = isFull
      ? `there are ${maxRooms} rooms, no more are allowed`
      : "the memory of the relay is full";
    return { code: "too_many_rooms", message: `Cannot open room ${quote(name)}: ${why}`, line: 1 };
  }

  /**
   * Names the first room of a base that is for so many and has a place; if there is none, the first one that
   * is not open.
   */
  #nameOfAny(base: string, maxMembers: number | undefined): string {
    const opening = Array.from(base).slice(0, MAX_BASE_CHARACTERS).join("") + "-";
    const numbers = new Set<number>();
    let first = Infinity;
    for (const room of this.#rooms.values()) {
      const number = room.name === base ? 1 : numberBehind(opening, room.name);
      if (number === undefined) continue;
      numbers.add(number);
      if (number < first && hasPlace(room, maxMembers)) first = number;
    }
    for (let n = 1; first === Infinity; n++) if (!numbers.has(n)) first = n;
    return first === 1 ? base : `${opening}${first}`;
  }

  /**
   * Forgets removed keys that all have been told of. Is called every so often, and goes on from step to step
   * as its caller likes.
   */
  *sweep(): Generator<void> {
    for (const { state, sessions } of this.#rooms.values()) {
      if (!state.hasRemovals) continue;
      let version = state.version, looked = 0;
      for (const { confirmedStateVersion = Infinity } of sessions.readers) {
        version = Math.min(version, confirmedStateVersion);
        if (++looked % READERS_A_STEP === 0) yield;
      }
      state.prune(version);
      yield;
    }
  }

  /** Wakes nobody any more. */
  close(): void {
    this.#flusher.close();
  }

  /**
   * Names the rooms that sessions are in, the fullest first; those whose name begins with a dot are left out.
   */
  list(): RoomEntries {
    return this.#listed ??= this.#list();
  }

  #list(): RoomEntries {
    const rooms: RoomEntry[] = [];
    for (const { name, roster: { size: members }, maxMembers } of this.#rooms.values()) {
      if (members > 0 && !name.startsWith(".")) rooms.push({ name, members, maxMembers });
    }
    rooms.sort((a, b) => b.members - a.members || (a.name < b.name ? -1 : 1));
    return { rooms: rooms.slice(0, MAX_LISTED), more: Math.max(0, rooms.length - MAX_LISTED) };
  }

  #add(name: string, maxMembers?: number): Room {
    const room = new Room(
      name,
      this.#settings,
      (news, mayWait) => this.#flusher.note(news, mayWait),
      () => this.#free(room),
      maxMembers,
      () => this.#listed = undefined,
    );
    this.#rooms.set(name, room);
    return room;
  }

  #free(room: Room): void {
    if (room === this.lobby) return;
    this.#rooms.delete(room.name);
    this.#memory.grow(-ROOM_BYTES);
    room.close();
  }

  *#feeds(): Generator<Feed> {
    for (const { feeds } of this.#rooms.values()) yield* feeds;
  }

  #dropRead(neededBytes: number): number {
    let bytes = 0;
    for (const feed of this.#feeds()) {
      if (bytes >= neededBytes) break;
      bytes += feed.dropRead();
    }
    return bytes;
  }

  /**
   * Takes from the largest logs, until all that have given are of one size; and from writes that did not end
   * since the last time.
   */
  #dropUnread(neededBytes: number): number {
    const feeds = [...this.#feeds()].filter(({ logBytes }) => logBytes > 0).sort((a, b) =>
      b.logBytes - a.logBytes
    );
    const keepBytes = levelAfter(feeds.map(({ logBytes }) => logBytes), neededBytes);
    let bytes = 0;
    for (const feed of feeds) {
      if (feed.logBytes <= keepBytes) break;
      bytes += feed.dropUnread(keepBytes);
    }
    return bytes + this.#endPinningWrites(neededBytes);
  }

  #endPinningWrites(neededBytes: number): number {
    const pins = new Map<Cursor, number>();
    let bytes = 0;
    for (const feed of this.#feeds()) {
      for (const reader of feed.readers) {
        const { pinnedBytes, writes } = reader.cursor;
        if (pinnedBytes === 0) continue;
        if (this.#pins.get(reader.cursor) !== writes || bytes >= neededBytes) pins.set(reader.cursor, writes);
        else {
          bytes += pinnedBytes;
          reader.giveUp?.();
        }
      }
    }
    this.#pins = pins;
    return bytes;
  }
}

/** Whether there is such a room, which is for so many and has a place. */
function hasPlace(room: Room | undefined, maxMembers: number | undefined): boolean {
  return room !== undefined && !room.isFull && room.maxMembers === maxMembers;
}

/** Returns the number from 2 on that stands in a name behind `opening`; undefined if there is none. */
function numberBehind(opening: string, name: string): number | undefined {
  if (!name.startsWith(opening)) return undefined;
  const digits = name.slice(opening.length), number = Number(digits);
  return Number.isSafeInteger(number) && number >= 2 && `${number}` === digits ? number : undefined;
}

/**
 * Says how large the largest of `sizes`, which are in descending order, may be so that all lose `needed`
 * together.
 */
export function levelAfter(sizes: readonly number[], needed: number): number {
  let sum = 0;
  for (const [i, size] of sizes.entries()) {
    sum += size;
    const level = (sum - needed) / (i + 1);
    if (level >= (sizes[i + 1] ?? 0)) return Math.max(0, level);
  }
  return 0;
}
