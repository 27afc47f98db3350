// What is compared: named loads with their place in the tables, their lengths, and how often each is run.
// Pure data; run.ts goes through it. The load itself is native/load.c.

/** One load, as native/load.c takes it. Counts are for each room. */
export interface PeerPlan {
  /** Rooms with the same load in each; more than one needs a protocol that has rooms. */
  rooms: number;
  publishers: number;
  subscribers: number;
  members: number;
  stalled: number;
  idle: number;
  /** Connections that are held before `idle` is measured, so that what a server pays once is paid. */
  warm: number;
  eventBytes: number;
  /** Writes a second of each sender; 0 is a flood. */
  ticksPerSecond: number;
  eventsPerTick: number;
  /**
   * A small flood before a rate: code that is compiled when it is hot is so then, as in a server that has run
   * for long.
   */
  heatMs: number;
  warmupMs: number;
  measureMs: number;
}

/** The tables and curves that scenarios belong to. */
export type Group = "flood" | "game" | "cold" | "calm" | "size" | "stalled" | "idle" | "members" | "rooms";

export interface Scenario {
  name: string;
  title: string;
  /** Where its figures are shown; its own group first. */
  groups: readonly Group[];
  rounds: number;
  plan: PeerPlan;
  /** Contenders that only copy bytes are left out where they have nothing to say. */
  copies: boolean;
}

/** How far the slowest receiver may be behind in a flood. */
export const WINDOW_BYTES = 1024 * 1024;
/** The window of large events still holds this many. */
const LEAST_WINDOW_EVENTS = 200;
/** The windows of all rooms together. */
const ALL_WINDOWS_BYTES = 16 * 1024 * 1024;

/** Returns the flood window of each room of a plan in bytes. */
export function windowBytes({ eventBytes, rooms }: PeerPlan): number {
  const share = Math.floor(ALL_WINDOWS_BYTES / rooms);
  return Math.max(Math.min(WINDOW_BYTES, share), Math.min(share, eventBytes * LEAST_WINDOW_EVENTS));
}

/** Lengths of runs and numbers of rounds. After the warm-up V8 has compiled and queues have their size. */
export interface Extent {
  name: "full" | "quick";
  floodRounds: number;
  gameRounds: number;
  curveRounds: number;
  warmupMs: number;
  floodMs: number;
  gameMs: number;
  curveMs: number;
  calmMs: number;
  stalledMs: number;
  /** The points of the curves beside those that the floods give: 100 bytes; 2, 11 and 31 members. */
  eventSizes: readonly number[];
  members: readonly number[];
  rooms: readonly number[];
  idle: readonly (readonly [connections: number, rounds: number])[];
}

export const FULL: Extent = {
  name: "full",
  floodRounds: 5,
  gameRounds: 5,
  curveRounds: 2,
  warmupMs: 500,
  floodMs: 1500,
  gameMs: 3000,
  curveMs: 1000,
  calmMs: 3000,
  stalledMs: 5000,
  eventSizes: [40, 1000, 10_000],
  members: [4, 101, 301, 1000],
  rooms: [1, 10, 100, 1000],
  idle: [[1000, 2], [5000, 1]],
};

export const QUICK: Extent = {
  name: "quick",
  floodRounds: 1,
  gameRounds: 1,
  curveRounds: 1,
  warmupMs: 400,
  floodMs: 700,
  gameMs: 1000,
  curveMs: 400,
  calmMs: 1500,
  stalledMs: 2000,
  eventSizes: [1000],
  members: [301],
  rooms: [100],
  idle: [[1000, 1]],
};

/** Length of the small flood before a rate. */
const HEAT_MS = 500;
/** The kernel's buffers of a stalled receiver are full after this long. */
const STALLED_WARMUP_MS = 3000;
/** Connections held before idle ones are measured. */
const WARM_CONNECTIONS = 200;

const BASE: PeerPlan = {
  rooms: 1,
  publishers: 0,
  subscribers: 0,
  members: 0,
  stalled: 0,
  idle: 0,
  warm: 0,
  eventBytes: 100,
  ticksPerSecond: 0,
  eventsPerTick: 1,
  heatMs: 0,
  warmupMs: 0,
  measureMs: 0,
};

/** Returns all scenarios of an extent, in the order of the tables. */
export function scenariosOf(extent: Extent): Scenario[] {
  const scenarios: Scenario[] = [];
  const add = (
    groups: Scenario["groups"],
    name: string,
    title: string,
    rounds: number,
    plan: Partial<PeerPlan>,
    copies = true,
  ) =>
    scenarios.push({
      name,
      title,
      groups,
      rounds,
      copies,
      plan: { ...BASE, warmupMs: extent.warmupMs, ...plan },
    });

  const flood = { measureMs: extent.floodMs, publishers: 1 };
  add(["flood", "members"], "1to1", "1 to 1", extent.floodRounds, { ...flood, subscribers: 1 });
  add(["flood", "members"], "1to10", "1 to 10", extent.floodRounds, { ...flood, subscribers: 10 });
  add(["flood", "members", "size"], "1to30", "1 to 30", extent.floodRounds, { ...flood, subscribers: 30 });
  add(["flood"], "all10", "10, all to all", extent.floodRounds, { measureMs: extent.floodMs, members: 10 });

  const game = { measureMs: extent.gameMs, ticksPerSecond: 10, eventsPerTick: 10 };
  const games = [
    ["class", "class: 30 x 10 objects x 10 Hz", { ...game, members: 30 }],
    ["lecture", "lecture hall: 100 x 10 objects x 10 Hz", { ...game, members: 100 }],
    ["crowd", "crowd: 300 x 1 object x 10 Hz", { ...game, members: 300, eventsPerTick: 1 }],
  ] as const;
  for (const [name, title, plan] of games) {
    add(["game"], name, title, extent.gameRounds, { ...plan, heatMs: HEAT_MS });
  }
  for (const [name, title, plan] of games) {
    add(["cold"], `${name}-cold`, title, extent.gameRounds, { ...plan, warmupMs: 0 });
  }

  const calm = {
    heatMs: HEAT_MS,
    measureMs: extent.calmMs,
    publishers: 1,
    subscribers: 1,
    ticksPerSecond: 100,
  };
  add(["calm"], "calm", "1 to 1, 100 events/s", extent.gameRounds, calm);

  for (const eventBytes of extent.eventSizes) {
    const plan = { ...flood, subscribers: 30, eventBytes };
    add(["size"], `size${eventBytes}`, `1 to 30, ${eventBytes} bytes`, extent.curveRounds, plan);
  }

  // Large events fill the kernel's buffers within the warm-up, so that the stall is felt while it is
  // measured.
  const big = {
    members: 30,
    eventBytes: 1000,
    ticksPerSecond: 10,
    eventsPerTick: 10,
    measureMs: extent.stalledMs,
    warmupMs: STALLED_WARMUP_MS,
  };
  add(["stalled"], "reading", "all 30 read", 1, big, false);
  add(["stalled"], "stalled", "1 of 30 doesn't", 1, { ...big, stalled: 1 }, false);

  for (const [idle, rounds] of extent.idle) {
    add(["idle"], `idle${idle}`, `${thousands(idle)} idle`, rounds, { idle, warm: WARM_CONNECTIONS }, false);
  }

  for (const members of extent.members) {
    const plan = { measureMs: extent.curveMs, publishers: 1, subscribers: members - 1 };
    add(["members"], `members${members}`, `${members} members`, extent.curveRounds, plan);
  }

  for (const rooms of extent.rooms) {
    const plan = { measureMs: extent.curveMs, rooms, members: 2 };
    add(["rooms"], `rooms${rooms}`, `${rooms} rooms of 2`, extent.curveRounds, plan, false);
  }
  return scenarios;
}

/** What is compared by WebSocket: the loads of a game, and what a page costs that does nothing. */
export const WEBSOCKET_SCENARIOS: readonly string[] = ["1to10", "1to30", "class", "lecture", "idle1000"];

/** Returns the place of a plan on the axis of a group's curve; 0 where there is none. */
export function placeOf(plan: PeerPlan, group: Group): number {
  switch (group) {
    case "members":
      return plan.publishers + plan.subscribers;
    case "size":
      return plan.eventBytes;
    case "rooms":
      return plan.rooms;
    default:
      return 0;
  }
}

/** Names a scenario in the tables of a group. */
export function titleOf({ title, plan }: Pick<Scenario, "title" | "plan">, group: Group): string {
  switch (group) {
    case "members":
    case "rooms":
      return thousands(placeOf(plan, group));
    case "size":
      return `${thousands(plan.eventBytes)} bytes`;
    default:
      return title;
  }
}

function thousands(value: number): string {
  return value.toLocaleString("en-US");
}
