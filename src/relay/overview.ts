// What the web door is shown of a relay: it looks into all its parts, and changes none.

import type { Admission } from "./admission.ts";
import type { Connection } from "./connection/connection.ts";
import type { Incidents } from "./incidents.ts";
import type { Settings } from "./options.ts";
import type { Rates } from "./rates.ts";
import type { Room } from "./room/room.ts";
import type { Rooms } from "./room/rooms.ts";
import type { StateOwner } from "./room/state_table.ts";
import type { ConnectionStats, RelayStats } from "./relay_stats.ts";
import type { Health, RelayView, RoomView, Value } from "./web/view.ts";

/** The parts of a relay. */
export interface Parts {
  readonly settings: Settings;
  readonly admission: Admission;
  readonly rooms: Rooms;
  readonly rates: Rates;
  readonly incidents: Incidents;
  /** Those that are served, the oldest first. */
  connections(): Iterable<Connection>;
  totals(): RelayStats;
  health(): Health;
}

/** A relay, as its web door sees it. */
export class Overview implements RelayView {
  readonly name: string;
  readonly startedAtMs: number;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.name = parts.settings.name;
    this.startedAtMs = parts.settings.relayTime();
  }

  get health(): Health {
    return this.#parts.health();
  }

  now(): number {
    return this.#parts.settings.relayTime();
  }

  totals(): RelayStats {
    return { ...this.#parts.totals(), members: this.#countMembers(() => true) };
  }

  /** Who only may yet take part, such as a browser's socket in reserve, is none. */
  #countMembers(isCounted: (connection: Connection) => boolean): number {
    let members = 0;
    for (const connection of this.#parts.connections()) {
      if (connection.isMember && isCounted(connection)) members++;
    }
    return members;
  }

  *members(): Generator<ConnectionStats> {
    for (const connection of this.#parts.connections()) if (connection.isMember) yield connection.stats();
  }

  *rooms(): Generator<{ name: string; members: number; sessions: number; logBytes: number }> {
    const { lobby } = this.#parts.rooms;
    for (const room of this.#parts.rooms.all()) {
      const { name, roster, logBytes } = room;
      const plainMembers = room === lobby ? this.#countMembers(({ isSession }) => !isSession) : 0;
      yield { name, members: plainMembers + roster.size, sessions: roster.size, logBytes };
    }
  }

  room(name: string): RoomView | undefined {
    const room = this.#parts.rooms.find(name);
    return room && new RoomInView(room);
  }

  rates(): ReturnType<Rates["list"]> {
    return this.#parts.rates.list();
  }

  warnings(): ReturnType<Incidents["list"]> {
    return this.#parts.incidents.list();
  }

  memory(): { usedBytes: number; maxBytes: number } {
    const { usedBytes, maxBytes } = this.#parts.settings.memory;
    return { usedBytes, maxBytes };
  }

  tallies(): Pick<Incidents, "badLines" | "refused" | "ended"> {
    return this.#parts.incidents;
  }

  tokenFault(token: string, host: string): ReturnType<RelayView["tokenFault"]> {
    return this.#parts.admission.tokenFault(token, host);
  }
}

class RoomInView implements RoomView {
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  values(): Iterable<Value> {
    return this.#valuesOf(this.#room.owner);
  }

  *members(): Generator<{ id: string; name: string; values: Iterable<Value> }> {
    for (const peer of this.#room.peers()) {
      yield { id: peer.id, name: peer.name, values: this.#valuesOf(peer) };
    }
  }

  lastLines(): ReturnType<RoomView["lastLines"]> {
    const { plain, sessions } = this.#room;
    return (sessions.size > 0 ? sessions : plain).lastLines();
  }

  *#valuesOf(owner: StateOwner): Generator<Value> {
    for (const { key, value } of this.#room.state.valuesOf(owner)) yield [key, value];
  }
}
