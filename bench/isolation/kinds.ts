// The clients that a relay is tried with, each the worst of its kind: what it is, what it sends, and how it
// behaves. Pure: the bytes are made here, load.ts sends them. A kind ends by itself (a storm) or goes on
// until it is told to stop.

import { fragments, frame, get, OPCODES, repeat } from "./web_bytes.ts";

/** What a client does, as load.ts understands it. */
export type Behaviour =
  /** Nothing at all: how good the probe is without anybody. */
  | { act: "nothing" }
  /** Nothing but to take all of a core. */
  | { act: "burn" }
  /** Connections that write `payload` over and over as fast as the relay reads, and read all that comes. */
  | Flood
  /** Members that never read, while another one sends 1 MB/s of 2-byte lines. */
  | { act: "stuck"; level: "plain" | "session"; members: number }
  /** Sessions that all join one room at once. */
  | { act: "join"; members: number }
  /** Sessions that all leave one room at once, every second one with `$bye`. */
  | { act: "leave"; members: number }
  /** Connections that are reset before anybody has accepted them. */
  | { act: "reset"; perSecond: number }
  /** Sessions whose connection breaks as soon as they are resumed. */
  | { act: "resume"; members: number }
  /** Sessions that go away as soon as they are welcomed, in a room full of state. */
  | { act: "visit"; atOnce: number }
  /** Sessions that open a room of their own, fill it a little, and leave it for good. */
  | { act: "wander"; atOnce: number }
  /** WebSockets that are closed as soon as they are open, or requests with a connection each. */
  | { act: "churn"; what: "websocket" | "request"; atOnce: number }
  /** Requests of which a byte comes now and then. */
  | { act: "heads"; connections: number; everyMs: number };

/** What a flood is made of. */
export interface Flood {
  act: "flood";
  level: "plain" | "session";
  /** What is written over and over; `ids` are those of the crowd. */
  payload: (ids: readonly string[]) => Uint8Array;
  /** How much is written at a time; all of it unless it is said. */
  writeBytes?: number;
  /** What it is written to; TCP unless it is said. Over HTTP nobody is a member. */
  over?: "websocket" | "http";
  /** Sessions that are there before: all in the room of the flood, or each in one of its own. */
  crowd?: { members: number; rooms: "one" | "each"; hello?: Readonly<Record<string, unknown>> };
}

/** One kind of client. */
export interface Kind {
  readonly name: string;
  readonly what: string;
  readonly behaviour: Behaviour;
  /** Whether `--quick` tries it. */
  readonly quick?: boolean;
  /** The least time to measure, in seconds; 0 by default. */
  readonly leastSeconds?: number;
  /** Whether it ends by itself. */
  readonly endsItself?: boolean;
  /** What p99 of the pair in another room stays below, in ms; {@linkcode P99_GOAL_MS} by default. */
  readonly p99GoalMs?: number;
  /** How long a newcomer may wait for its welcome, in ms. Without it that is measured, and has no goal. */
  readonly newcomerGoalMs?: number;
}

/** p99 of a quiet pair beside any single client stays below this, in ms. */
export const P99_GOAL_MS = 10;
/** Beside thousands that come or go at once. */
export const STORM_P99_GOAL_MS = 20;

/** The room of those who are measured in another one is never this. */
export const HOSTILE_ROOM = "hostile";
/** Plain clients are in no other room. */
const PLAIN_ROOM = "lobby";

/** What a payload is made up to: long enough that the load is not what is slow. */
const PAYLOAD_BYTES = 64 * 1024;
const KEYS = 256;

const encoder = new TextEncoder();

/** Returns `line` as often as it takes to fill `bytes`, at least once; each ends with LF. */
export function repeatLine(line: string, bytes = PAYLOAD_BYTES): Uint8Array {
  return encoder.encode(`${line}\n`.repeat(Math.max(1, Math.floor(bytes / (line.length + 1)))));
}

function lines(count: number, line: (index: number) => string): Uint8Array {
  return encoder.encode(Array.from({ length: count }, (_, index) => `${line(index)}\n`).join(""));
}

function setLine(key: string, value: unknown, room = false): string {
  return JSON.stringify({ $set: { key, value, ...(room && { room }) } });
}

/** An event of 100 bytes with its LF. */
const EVENT = `{"id":"abc","pos":[1,2],"pad":"${"x".repeat(66)}"}`;
const BAD_IN_A_ROW = 99;

/** Returns an object with as many members as fit into a value. */
function wideValue(bytes: number): Record<string, number> {
  const value: Record<string, number> = {};
  for (let index = 0, length = 2; length < bytes - 12; index++) {
    const key = index.toString(36);
    value[key] = 0;
    length += key.length + 5;
  }
  return value;
}

/** An event for some members alone. */
function toLine(ids: readonly string[]): string {
  return JSON.stringify({ $to: { ids, event: { pad: "x".repeat(80) } } });
}

function claimLine(value: unknown): string {
  return JSON.stringify({ $claim: { ask: "1", key: "k", value } });
}

function flood(
  name: string,
  what: string,
  payload: Flood["payload"],
  parts: Partial<Kind> & Partial<Pick<Flood, "level" | "writeBytes" | "over" | "crowd">> = {},
): Kind {
  const { over, level = over === "websocket" ? "plain" : "session", writeBytes, crowd, ...rest } = parts;
  return { name, what, behaviour: { act: "flood", level, payload, writeBytes, over, crowd }, ...rest };
}

/** All kinds, in the order in which they are tried. */
export const KINDS: readonly Kind[] = [
  { name: "nobody", what: "no other client", behaviour: { act: "nothing" }, quick: true },
  { name: "burner", what: "nobody, beside a process that takes a core", behaviour: { act: "burn" } },
  flood("events", "events of 100 bytes", () => repeatLine(EVENT), { quick: true }),
  flood("tiny", "lines of 2 bytes", () => repeatLine("1"), { quick: true }),
  flood("plain-tiny", "lines of 2 bytes of plain clients", () => repeatLine("1"), { level: "plain" }),
  flood("empty", "empty lines", () => repeatLine("")),
  flood("lookalike", 'plain lines that begin with {"$', () => repeatLine('{"$a":1}'), {
    level: "plain",
    quick: true,
  }),
  flood("lookalike-long", "the same of 65 KB", () => repeatLine(`{"$a":"${"x".repeat(65_000)}"}`), {
    level: "plain",
  }),
  flood("set-16k", "$set of 16 KB, 8 keys", () => lines(8, (i) => setLine(`k${i}`, "x".repeat(16_000)))),
  flood("set-small", `small $set, ${KEYS} keys`, () => lines(KEYS, (i) => setLine(`k${i}`, i)), {
    quick: true,
  }),
  flood(
    "set-room",
    `small $set of the room, ${KEYS} keys`,
    () => lines(KEYS, (i) => setLine(`k${i}`, i, true)),
  ),
  flood(
    "set-wide",
    "$set of objects as wide as a value may be",
    () => repeatLine(setLine("k", wideValue(16_384))),
  ),
  flood("ping", "$ping", () => repeatLine('{"$ping":{"t":1}}'), { quick: true }),
  flood("ack", "$ack", () => repeatLine('{"$ack":{"bytes":0}}')),
  flood(
    "bad",
    "99 bad lines, then a good one",
    () => lines(2000, (i) => i % (BAD_IN_A_ROW + 1) < BAD_IN_A_ROW ? "nonsense" : "1"),
  ),
  flood(
    "unknown",
    "99 unknown control lines, then an event",
    () => lines(2000, (i) => i % (BAD_IN_A_ROW + 1) < BAD_IN_A_ROW ? '{"$dance":{}}' : "1"),
  ),
  flood("deep", "arrays as deep as a line allows", () => repeatLine("[".repeat(32_000) + "]".repeat(32_000))),
  flood("split", "events written byte by byte", () => repeatLine(EVENT, 1000), { writeBytes: 1 }),
  flood("to-256", "events for 256 members alone", (ids) => repeatLine(toLine(ids)), {
    crowd: { members: 256, rooms: "one" },
  }),
  flood("rooms", "$rooms, where there are 500", () => repeatLine('{"$rooms":{"ask":"1"}}'), {
    crowd: { members: 500, rooms: "each" },
    quick: true,
  }),
  flood("claim", "$claim of one key", () => repeatLine(claimLine(1))),
  flood(
    "claim-16k",
    "$claim of a key that has a value of 16 KB",
    () => encoder.encode(`${claimLine("x".repeat(16_000))}\n`.concat(`${claimLine(1)}\n`.repeat(1000))),
  ),
  flood(
    "ask-all",
    "questions to 256 members, one after the other",
    (ids) => lines(ids.length, (i) => JSON.stringify({ $to: { ids: [ids[i]], ask: "1", event: 1 } })),
    {
      crowd: { members: 256, rooms: "one" },
    },
  ),
  flood("all-256", "events of 100 bytes for 256 members", () => repeatLine(EVENT), {
    crowd: { members: 256, rooms: "one" },
  }),
  flood("simulate-256", "the same, each member over a bad network", () => repeatLine(EVENT), {
    crowd: { members: 256, rooms: "one", hello: { simulate: "delay=100ms,jitter=50ms" } },
  }),
  flood("state-256", `small $set for 256 members`, () => lines(KEYS, (i) => setLine(`k${i}`, i)), {
    crowd: { members: 256, rooms: "one" },
  }),
  {
    name: "wander",
    what: "20 at a time open a room, set 10 values, and leave",
    behaviour: { act: "wander", atOnce: 20 },
  },
  flood("ws-tiny", "messages of a byte by WebSocket", () => repeat(frame(OPCODES.text, "1"), PAYLOAD_BYTES), {
    over: "websocket",
    quick: true,
  }),
  flood("ws-empty", "empty messages", () => repeat(frame(OPCODES.text, ""), PAYLOAD_BYTES), {
    over: "websocket",
  }),
  flood("ws-ping", "pings of WebSocket", () => repeat(frame(OPCODES.ping, "hello"), PAYLOAD_BYTES), {
    over: "websocket",
  }),
  flood("ws-fragments", "messages in fragments of a byte", () => repeat(fragments(EVENT), PAYLOAD_BYTES), {
    over: "websocket",
  }),
  {
    name: "ws-churn",
    what: "20 WebSockets at a time, each closed as soon as it is open",
    behaviour: { act: "churn", what: "websocket", atOnce: 20 },
  },
  flood("http-health", "GET /healthz, one after the other", () => repeat(get("/healthz"), PAYLOAD_BYTES), {
    over: "http",
  }),
  flood(
    "http-stats",
    "GET /stats.json, where there are 500 members",
    () => repeat(get("/stats.json"), 4096),
    {
      over: "http",
      crowd: { members: 500, rooms: "each" },
      quick: true,
    },
  ),
  flood("http-metrics", "GET /metrics, the same", () => repeat(get("/metrics"), 4096), {
    over: "http",
    crowd: { members: 500, rooms: "each" },
  }),
  flood("http-page", "GET /play.html's script", () => repeat(get("/eventrelay/play.js"), 4096), {
    over: "http",
  }),
  flood(
    "http-long",
    "GET of a path of 7 KB that is not there",
    () => repeat(get(`/${"x".repeat(7000)}`), PAYLOAD_BYTES),
    {
      over: "http",
    },
  ),
  {
    name: "http-churn",
    what: "20 requests at a time, each with a connection",
    behaviour: { act: "churn", what: "request", atOnce: 20 },
  },
  {
    name: "http-heads",
    what: "150 requests that come byte by byte",
    behaviour: { act: "heads", connections: 150, everyMs: 50 },
  },
  {
    name: "stuck-plain",
    what: "300 plain clients that don't read, 1 MB/s of 2-byte lines",
    behaviour: { act: "stuck", level: "plain", members: 300 },
    leastSeconds: 7, // beyond maxLagMs, so that all of them jump
    quick: true,
  },
  {
    name: "stuck-session",
    what: "300 sessions that don't read, 1 MB/s of 2-byte lines",
    behaviour: { act: "stuck", level: "session", members: 300 },
    leastSeconds: 7,
  },
  {
    name: "reset",
    what: "1,000 connections a second that are reset before they are accepted",
    behaviour: { act: "reset", perSecond: 1000 },
    newcomerGoalMs: 1000,
    quick: true,
  },
  {
    name: "resume",
    what: "20 sessions that resume and break in a loop",
    behaviour: { act: "resume", members: 20 },
  },
  {
    name: "visit",
    what: "20 at a time say hello and go, in a room with 4 MB of state",
    behaviour: { act: "visit", atOnce: 20 },
  },
  ...[1000, 3000].map((members): Kind => ({
    name: `join-${members}`,
    what: `${members} sessions join at once`,
    behaviour: { act: "join", members },
    endsItself: true,
    p99GoalMs: STORM_P99_GOAL_MS,
    quick: members === 1000,
  })),
  {
    name: "leave-3000",
    what: "3000 sessions leave at once",
    behaviour: { act: "leave", members: 3000 },
    endsItself: true,
    p99GoalMs: STORM_P99_GOAL_MS,
  },
];

/** Returns the kind of a name. @throws {RangeError} if there is none. */
export function findKind(name: string): Kind {
  const kind = KINDS.find((one) => one.name === name);
  if (kind !== undefined) return kind;
  throw new RangeError(
    `Cannot measure beside "${name}": a kind is one of ${KINDS.map((one) => one.name).join(", ")}`,
  );
}

/** Returns the room that the hostile clients of a kind are in. */
export function roomOf({ behaviour }: Kind): string {
  return "level" in behaviour && behaviour.level === "plain" ? PLAIN_ROOM : HOSTILE_ROOM;
}
