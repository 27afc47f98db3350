// The rooms of a relay by their names: opened when somebody enters, freed when nobody is left; and what they give up
// when memory is short. Knows neither members nor sockets.

import { quote } from "../../wire/untrusted.ts";
import { LOBBY, type WireError } from "../../wire/protocol.ts";
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

/** All rooms of a relay. */
export class Rooms {
  /** The room of plain clients, which is always there. */
  readonly lobby: Room;
  readonly #settings: Settings;
  readonly #memory: MemoryAccount;
  readonly #rooms = new Map<string, Room>();
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
    for (const { plain, sessions } of this.#rooms.values()) logBytes += plain.logBytes + sessions.logBytes;
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

  /** Finds a room, or opens it if there may be one more; or says why not. Somebody must enter at once. */
  open(name: string): Room | WireError {
    const found = this.#rooms.get(name);
    if (found !== undefined) return found;
    const { maxRooms } = this.#settings;
    const isFull = this.#rooms.size > maxRooms;
    if (!isFull && this.#memory.tryGrow(ROOM_BYTES)) return this.#add(name);
    const why = isFull
      ? `there are ${maxRooms} rooms, no more are allowed`
      : "the memory of the relay is full";
    return { code: "too_many_rooms", message: `Cannot open room ${quote(name)}: ${why}`, line: 1 };
  }

  /** Forgets removed keys that all have been told of. Is called every so often, and goes on from step to step as its caller likes. */
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

  #add(name: string): Room {
    const room = new Room(
      name,
      this.#settings,
      (feed) => this.#flusher.note(feed),
      () => this.#free(room),
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
    for (const { plain, sessions } of this.#rooms.values()) {
      yield plain;
      yield sessions;
    }
  }

  #dropRead(neededBytes: number): number {
    let bytes = 0;
    for (const feed of this.#feeds()) {
      if (bytes >= neededBytes) break;
      bytes += feed.dropRead();
    }
    return bytes;
  }

  /** Takes from the largest logs, until all that have given are of one size; and from writes that did not end since the last time. */
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

/** Says how large the largest of `sizes`, which are in descending order, may be so that all lose `needed` together. */
export function levelAfter(sizes: readonly number[], needed: number): number {
  let sum = 0;
  for (const [i, size] of sizes.entries()) {
    sum += size;
    const level = (sum - needed) / (i + 1);
    if (level >= (sizes[i + 1] ?? 0)) return Math.max(0, level);
  }
  return 0;
}
