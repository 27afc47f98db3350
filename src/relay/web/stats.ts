// The numbers of a relay as JSON, for pages and programs: worked out at most twice a second, however many
// ask, a part per turn, and of bounded length, however many members there are.

import { VERSION } from "../../wire/version.ts";
import type { ConnectionStats } from "../relay_stats.ts";
import type { RelayView, RoomView, Value } from "./view.ts";

/** How old what is answered may be, in ms. */
const FRESH_MS = 500;

/** How many members are named, and rooms. */
const MAX_MEMBERS = 200, MAX_ROOMS = 100;

/** How many members are looked at in one turn, and how many written down; and values of a room. */
const MEMBERS_PER_TURN = 50, VALUES_PER_TURN = 50;

/** How many members and values of a room are shown, and how much of each value, in characters. */
const MAX_PEERS = 100, MAX_VALUES = 500, MAX_VALUE_CHARACTERS = 300;

/** How many rooms' answers are kept at a time. */
const MAX_KEPT_ROOMS = 16;

/** A member that is behind so far, or takes nothing for so long, is slow: in ms. */
const SLOW_BEHIND_MS = 500, SLOW_STUCK_MS = 1000;

/** What it needs of the relay. */
export interface StatsSettings {
  clock: () => number;
  /** Resolves in a later turn, when others have had theirs. */
  turn: () => Promise<void>;
}

interface Kept {
  atMs: number;
  json: Promise<string>;
  /** The same as an answer, once somebody has asked for it: it may be 100 KB. */
  bytes?: Promise<Uint8Array>;
}

const encoder = new TextEncoder();

/** The numbers. */
export class Stats {
  readonly #relay: RelayView;
  readonly #settings: StatsSettings;
  #all: Kept | undefined;
  readonly #rooms = new Map<string, Kept>();

  constructor(relay: RelayView, settings: StatsSettings) {
    this.#relay = relay;
    this.#settings = settings;
  }

  /** Returns them, as an object of JSON; with what is in a room if one is named. */
  async bytes(room: string | undefined): Promise<Uint8Array> {
    const kept = this.#keep(this.#all, (kept) => this.#all = kept, () => this.#describe());
    if (room === undefined) {
      return await (kept.bytes ??= kept.json.then((json) => encoder.encode(`${json}\n`)));
    }
    const all = await kept.json;
    const part = await this.#keep(this.#rooms.get(room), (kept) => this.#keepRoom(room, kept), () => {
      const view = this.#relay.room(room);
      return view === undefined ? Promise.resolve("null") : describeRoom(room, view, this.#settings.turn);
    }).json;
    return encoder.encode(`${all.slice(0, -1)},"room":${part}}\n`);
  }

  /** Takes what is fresh, or makes it anew, once for all who ask meanwhile. */
  #keep(kept: Kept | undefined, keep: (kept: Kept) => void, make: () => Promise<string>): Kept {
    const nowMs = this.#settings.clock();
    if (kept !== undefined && nowMs - kept.atMs < FRESH_MS) return kept;
    const made = { atMs: nowMs, json: make() };
    made.json.catch(() => {}); // told to who waits for it
    keep(made);
    return made;
  }

  #keepRoom(room: string, kept: Kept): void {
    this.#rooms.delete(room);
    this.#rooms.set(room, kept);
    if (this.#rooms.size <= MAX_KEPT_ROOMS) return;
    for (const [oldest] of this.#rooms) return void this.#rooms.delete(oldest);
  }

  async #describe(): Promise<string> {
    const relay = this.#relay;
    const members: ConnectionStats[] = [];
    for (const member of relay.members()) {
      members.push(member);
      if (members.length % MEMBERS_PER_TURN === 0) await this.#settings.turn();
    }
    const named = slowestAndNewest(members), lines: string[] = [];
    for (const [i, member] of named.entries()) {
      if (i % MEMBERS_PER_TURN === 0) await this.#settings.turn();
      lines.push(JSON.stringify(describeMember(member)));
    }
    await this.#settings.turn();
    const rooms = [...relay.rooms()].sort((a, b) => b.members - a.members);
    await this.#settings.turn();
    const now = relay.now();
    const rest = JSON.stringify({
      version: VERSION,
      name: relay.name,
      health: relay.health,
      time: Math.round(now),
      uptimeMs: Math.round(now - relay.startedAtMs),
      totals: relay.totals(),
      memory: relay.memory(),
      rates: relay.rates(),
      rooms: rooms.slice(0, MAX_ROOMS),
      moreRooms: Math.max(0, rooms.length - MAX_ROOMS),
      moreMembers: members.length - named.length,
      errors: relay.warnings(),
    });
    return `${rest.slice(0, -1)},"members":[${lines.join(",")}]}`;
  }
}

/** Says for how long a member has been slow, in ms: 0 if it is not. */
function slowMs({ behindMs, stuckMs }: ConnectionStats): number {
  return Math.max(behindMs >= SLOW_BEHIND_MS ? behindMs : 0, stuckMs >= SLOW_STUCK_MS ? stuckMs : 0);
}

/**
 * Picks those that are named of `members`, who stand in the order in which they came: who is slow, the
 * slowest first, then who came last; where all are named, the others as they came.
 */
export function slowestAndNewest(members: readonly ConnectionStats[]): readonly ConnectionStats[] {
  const bySlowness = (a: ConnectionStats, b: ConnectionStats) => slowMs(b) - slowMs(a);
  if (members.length <= MAX_MEMBERS) return [...members].sort(bySlowness);
  const slow = members.filter((member) => slowMs(member) > 0).sort(bySlowness);
  const picked = slow.slice(0, MAX_MEMBERS);
  for (let i = members.length - 1; i >= 0 && picked.length < MAX_MEMBERS; i--) {
    if (slowMs(members[i]) === 0) picked.push(members[i]);
  }
  return picked;
}

function describeMember(member: ConnectionStats): Record<string, unknown> {
  const { room, kind, transport, name, id, address, ageMs, rttMs, lagMs, behindMs, behindBytes } = member;
  return {
    room,
    kind,
    transport,
    name,
    id,
    address,
    ageMs: Math.round(ageMs),
    rttMs: rttMs === undefined ? undefined : round(rttMs),
    lagMs: lagMs === undefined ? undefined : round(lagMs),
    behindMs: shownMs(behindMs),
    behindBytes,
    skippedLines: member.skippedLines,
    in: member.receivedLines,
    out: member.sentLines,
    inBytes: member.receivedBytes,
    outBytes: member.sentBytes,
    errors: member.errors,
    slow: whySlow(member),
  };
}

/** Says how far behind a member is, in whole ms: it may be endless, which JSON can't say. */
export function shownMs(behindMs: number): number {
  return Math.round(Math.min(behindMs, 1e12));
}

/** Says in words why a member counts as slow; undefined if it does not. */
export function whySlow(member: ConnectionStats): string | undefined {
  if (slowMs(member) === 0) return undefined;
  const { kind, behindMs, behindBytes, stuckMs } = member;
  if (stuckMs >= SLOW_STUCK_MS) return `takes nothing for ${round(stuckMs / 1000)} s`;
  const far = behindMs === Infinity
    ? "more than the log holds"
    : `${Math.round(behindMs)} ms, ${behindBytes} bytes`;
  // A session that no write waits for is waited for itself: its window is full.
  const why = kind === "session" && stuckMs === 0 ? "its $ack comes late" : "it reads slowly";
  return `behind by ${far}: ${why}`;
}

/** Writes down what is in a room, as JSON, a part per turn: it may change meanwhile. */
async function describeRoom(name: string, room: RoomView, turn: () => Promise<void>): Promise<string> {
  let left = MAX_VALUES;
  const values = async (all: Iterable<Value>) => {
    const fields: string[] = [];
    for (const [key, json] of all) {
      if (left-- <= 0) break;
      fields.push(`${JSON.stringify(key)}:${cutValue(json)}`);
      if (left % VALUES_PER_TURN === 0) await turn();
    }
    return `{${fields.join(",")}}`;
  };
  const last = room.lastLines(); // before it may have closed
  const state = await values(room.values()), members: string[] = [], names = new Map<string, string>();
  for (const { id, name, values: own } of room.members()) {
    names.set(id, name);
    if (members.length < MAX_PEERS) {
      const state = await values(own);
      members.push(`{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"state":${state}}`);
    }
  }
  const lines = last.map(({ time, from, text }) => ({
    time,
    id: from,
    from: from && (names.get(from) || from),
    text,
  }));
  return `{"name":${JSON.stringify(name)},"state":${state},"members":[${members.join(",")}],"moreMembers":${
    names.size - members.length
  },"moreValues":${left < 0},"lines":${JSON.stringify(lines)}}`;
}

/** Keeps a value as it is, or makes a text of the beginning of a long one. */
function cutValue(json: string): string {
  return json.length <= MAX_VALUE_CHARACTERS
    ? json
    : JSON.stringify(`${json.slice(0, MAX_VALUE_CHARACTERS)}…`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
