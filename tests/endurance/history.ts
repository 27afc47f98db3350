// What clients write down while they run: one entry for each thing they did or were told, in the order in
// which it happened to them. Types and the payload that names an event for good; no checks (checker.ts,
// tally.ts) and no clients.

/**
 * Names an event: whose it is, and the how many-th of its sender, counted from 1 over all of its sessions.
 */
export interface EventName {
  from: string;
  number: number;
}

/** What happened to a client. Times are in ms since 1970 on a clock that never goes back. */
export type Entry =
  & { atMs: number }
  & (
    | ({ kind: "sent" } & Pick<EventName, "number">)
    | ({ kind: "event" } & EventName)
    /**
     * A session begins or goes on. `peers`: ids and names, where the client was given the whole list; without
     * it, what it knew holds, with the differences told. `isLate`: the list is of a little later than what
     * follows, which may repeat it.
     */
    | { kind: "opened"; id: string; resumed: boolean; peers?: [id: string, name: string][]; isLate?: boolean }
    | { kind: "join"; id: string; name: string }
    | { kind: "leave"; id: string; reason: string }
    /**
     * Events of others (`behind`, `stale`), or of this client, of which it was told that they were or may be
     * lost.
     */
    | { kind: "lost"; reason: string; lines: number }
    /**
     * What the client took for the relay's time, how far that was off, and how far it may be off, all in ms.
     */
    | { kind: "clock"; relayMs: number; offMs: number; boundMs: number }
    /** A line that is neither an event of this run nor anything else that is known. */
    | { kind: "strange"; what: string }
    | ({ kind: "end" } & Snapshot)
  );

/** An entry before the time is added. */
export type News = Entry extends infer E ? E extends Entry ? Omit<E, "atMs"> : never : never;

/** Values by key, each as JSON. */
export type Values = Record<string, string>;

/** What a client holds when all is quiet. */
export interface Snapshot {
  id: string;
  isConnected: boolean;
  /** The others' names by id. */
  peers: Record<string, string>;
  /** The others' state by id. */
  states: Record<string, Values>;
  /** The room's state. */
  room: Values;
  /** What it has set itself: its own state, and those keys of the room that nobody else sets. */
  own: Values;
  ownRoom: Values;
  /** Its own events that it told its program it had not sent. */
  unsent: number;
}

/** Everything about one client. */
export interface History {
  name: string;
  room: string;
  level: "session" | "plain";
  /**
   * Whether it is a witness: near, fast and never disturbed, so that it sees all that the relay took, in the
   * relay's order.
   */
  isWitness?: boolean;
  /** Whether its own entries are all here: not if its process was killed. */
  isComplete: boolean;
  /** Whether it was still there at the end. */
  isThere: boolean;
  entries: Entry[];
}

/**
 * Writes an event as a line without its LF; `padding` makes it longer, `first` is a member that comes first.
 */
export function payload({ from, number }: EventName, padding: number, first = ""): string {
  return `{${first}"from":${JSON.stringify(from)},"number":${number},"padding":"${"x".repeat(padding)}"}`;
}

/** Reads the name out of an event; undefined if it has none. */
export function readPayload(event: unknown): EventName | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  const { from, number } = event as Record<string, unknown>;
  return typeof from === "string" && typeof number === "number" ? { from, number } : undefined;
}

/** How often the wall clock is looked at to find the origin. */
const ORIGIN_LOOKS = 50;

/**
 * When performance.now() was 0, in ms since 1970. performance.timeOrigin is made of two clocks when a process
 * starts, and a busy machine may turn to something else between the two, for 50 ms and more; of several looks
 * the shortest was not interrupted.
 */
export const originMs = findOrigin();

function findOrigin(): number {
  let shortestMs = Infinity, origin = performance.timeOrigin;
  for (let look = 0; look < ORIGIN_LOOKS; look++) {
    const beforeMs = performance.now(), wallMs = Date.now(), afterMs = performance.now();
    if (afterMs - beforeMs >= shortestMs) continue;
    shortestMs = afterMs - beforeMs;
    origin = wallMs + 0.5 - (beforeMs + afterMs) / 2; // whole milliseconds have passed
  }
  return origin;
}

/** The time of an entry. */
export function timeMs(): number {
  return originMs + performance.now();
}
