// The rooms of a relay and the sessions in them: who may enter, who comes back, what is freed when nobody is
// left. Knows no sockets.

import type { Hello } from "../member/client_control.ts";
import { isSame, makeSecret, SECRET_BYTES } from "../secrets.ts";
import type { Settings } from "../options.ts";
import { Flusher } from "./flusher.ts";
import type { Outlet } from "../member/member.ts";
import { LOBBY, type WireError } from "../../wire/protocol.ts";
import { Room } from "./room.ts";
import { parseSimulation, type SimulationOptions } from "../../simulation/parse_simulation.ts";
import { SessionMember } from "../member/session_member.ts";

/** All rooms of a relay. */
export class Rooms {
  /** The room of plain clients, which is always there. */
  readonly lobby: Room;
  readonly #settings: Settings;
  readonly #rooms = new Map<string, Room>();
  /** By their secret. */
  readonly #members = new Map<string, SessionMember>();
  readonly #flusher: Flusher;
  #lastId = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#flusher = new Flusher(settings.clock);
    this.lobby = this.#openRoom(LOBBY);
  }

  /** Counts what there is. */
  stats(): { sessions: number; absentSessions: number; rooms: number; logBytes: number } {
    let sessions = 0, logBytes = 0, rooms = 0;
    for (const member of this.#members.values()) if (member.isConnected) sessions++;
    for (const room of this.#rooms.values()) {
      logBytes += room.plain.logBytes + room.sessions.logBytes;
      if (!room.isEmpty) rooms++;
    }
    return { sessions, absentSessions: this.#members.size - sessions, rooms, logBytes };
  }

  /** Makes a member of who said hello, or goes on with the one it was before; or says why it can't. */
  admit(hello: Hello, outlet: Outlet): SessionMember | WireError {
    const { token, maxRooms } = this.#settings;
    if (token !== "" && !isSame(hello.token, token)) {
      const message = hello.token === ""
        ? "Cannot enter: this relay needs a token, and $hello has none"
        : "Cannot enter: the token in $hello is not the relay's";
      return { code: "bad_token", message, line: 1 };
    }
    const simulation = this.#simulationFor(hello);
    if (typeof simulation === "string") {
      return { code: "bad_hello", message: `Cannot simulate a network: ${simulation}`, line: 1 };
    }
    const old = hello.resume && this.#members.get(hello.resume.session);
    if (old !== undefined) {
      if (old.resume(outlet, hello.resume!.bytes, simulation, hello.nonce)) return old;
      old.close("lost");
      this.#forget(old);
    }
    const room = this.#findRoom(hello.room);
    if (room === undefined) {
      const message = `Cannot open room ${
        JSON.stringify(hello.room)
      }: there are ${maxRooms} rooms, no more are allowed`;
      return { code: "too_many_rooms", message, line: 1 };
    }
    const id = `k${(++this.#lastId).toString(36)}`;
    const member = new SessionMember(
      room,
      { id, name: hello.name },
      makeSecret(SECRET_BYTES),
      this.#settings,
    );
    this.#members.set(member.secret, member);
    member.attach(outlet, simulation, hello.nonce);
    return member;
  }

  /** Ends sessions that nobody came back for, and frees rooms that nobody is in. Is called every so often. */
  sweep(nowMs: number): void {
    for (const member of this.#members.values()) {
      member.sweepAbsence(nowMs);
      if (member.isOver) this.#forget(member);
    }
    const versions = new Map<Room, number>();
    for (const { room, confirmedStateVersion } of this.#members.values()) {
      versions.set(room, Math.min(versions.get(room) ?? Infinity, confirmedStateVersion));
    }
    for (const [room, version] of versions) room.state.prune(version);
  }

  /** Ends all sessions. */
  close(): void {
    this.#flusher.close();
    for (const member of this.#members.values()) {
      member.close("closed");
      this.#forget(member);
    }
  }

  /** Reads the line that a client wants, or takes the one for all; or says why not. */
  #simulationFor({ simulate }: Hello): SimulationOptions | undefined | string {
    if (simulate === "") return this.#settings.simulate?.();
    if (!this.#settings.allowsSimulation) return "this relay doesn't, it was started with --no-simulate";
    try {
      return parseSimulation(simulate);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Finds the room, or opens it if there may be one more. */
  #findRoom(name: string): Room | undefined {
    const found = this.#rooms.get(name);
    if (found !== undefined) return found;
    for (const room of this.#rooms.values()) this.#freeIfEmpty(room);
    return this.#rooms.size > this.#settings.maxRooms ? undefined : this.#openRoom(name);
  }

  /** Frees a room that nobody is in, unless another one has its name by now. */
  #freeIfEmpty(room: Room): void {
    const isOpen = this.#rooms.get(room.name) === room;
    if (isOpen && room.isEmpty && room !== this.lobby) this.#rooms.delete(room.name);
  }

  #openRoom(name: string): Room {
    const room = new Room(name, this.#settings, (feed) => this.#flusher.note(feed));
    this.#rooms.set(name, room);
    return room;
  }

  #forget(member: SessionMember): void {
    this.#members.delete(member.secret);
    this.#freeIfEmpty(member.room);
  }
}
