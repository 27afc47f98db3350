// What the web door is shown of its relay: numbers, members, rooms, and the token. Types only.

import type { ConnectionStats, RelayStats, Traffic } from "../relay_stats.ts";

/** Something that an operator was warned of. */
export interface Warning {
  /** In ms since 1970. */
  time: number;
  message: string;
  code?: string;
  reason?: string;
  address?: string;
}

/** A value: its key and its JSON as it came. */
export type Value = readonly [key: string, json: string];

/** What is in a room. Each list is read as far as it is wanted. */
export interface RoomView {
  values(): Iterable<Value>;
  members(): Iterable<{ id: string; name: string; values: Iterable<Value> }>;
  lastLines(): { time?: number; from?: string; text: string }[];
}

/** How it is with the relay as a whole. */
export type Health = "starting" | "ok" | "stopping";

/** How many events of a kind there were. */
export type Tally = ReadonlyMap<string, number>;

/** A running relay, as the web door sees it. */
export interface RelayView {
  readonly health: Health;
  /** What clients connect to, such as `ifilab100:32100`; "" if nobody knows. */
  readonly name: string;
  readonly startedAtMs: number;
  /** In ms since 1970. */
  now(): number;
  /** All that was counted; members are those who take part. */
  totals(): RelayStats;
  /** Who is there, in the order in which they came; each is looked at when it is reached. */
  members(): Iterable<ConnectionStats>;
  rooms(): Iterable<{ name: string; members: number; sessions: number; logBytes: number }>;
  room(name: string): RoomView | undefined;
  /** The last two minutes, the oldest second first. */
  rates(): Readonly<Traffic>[];
  /** The newest warnings, the oldest first. */
  warnings(): Warning[];
  memory(): { usedBytes: number; maxBytes: number };
  /** Bad lines by their code, refused connections by theirs, ended ones by the reason. */
  tallies(): { badLines: Tally; refused: Tally; ended: Tally };
  /**
   * Says why somebody may not see numbers: no token or a wrong one, or too many wrong ones of late; undefined
   * if they may.
   */
  tokenFault(token: string, host: string): { kind: "none" | "wrong" | "wait"; waitMs: number } | undefined;
}
