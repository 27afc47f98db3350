// What the benchmark runs: the plan of a load, and the named ones. Pure data and arithmetic; the program
// reads flags into a plan, the load carries it out.

/** How the publishers send. */
export type Pace =
  /** As fast as the slowest receiver takes it: it is at most `windowBytes` behind. */
  | { kind: "flood"; windowBytes: number }
  /**
   * Each publisher writes `linesPerTick` lines at once, `ticksPerSecond` times; their ticks are spread
   * evenly.
   */
  | { kind: "rate"; ticksPerSecond: number; linesPerTick: number };

/** One load: who connects, what is sent, how long. */
export interface LoadPlan {
  name: string;
  /** Connections that only send. */
  publishers: number;
  /** Connections that only receive. */
  subscribers: number;
  /** Connections that do both. */
  members: number;
  /** How many of the members never read. */
  stalled: number;
  /** Connections that do nothing; with these there are no others. */
  idle: number;
  lineBytes: number;
  pace: Pace;
  /**
   * Whether the relay is measured from its first line on, with the load alone warmed up: what the first
   * players meet.
   */
  isCold: boolean;
  warmupSeconds: number;
  seconds: number;
}

/**
 * How far the slowest receiver may be behind in a flood: well under the relay's log of 8 MiB, so that it
 * never skips.
 */
export const DEFAULT_WINDOW_BYTES = 1024 * 1024;
const DEFAULT_LINE_BYTES = 100;
const DEFAULT_SECONDS = 5;
const DEFAULT_WARMUP_SECONDS = 1;
/**
 * A stalled receiver is only noticed when the kernel's buffers are full, which takes a game half a minute.
 */
const STALLED_SECONDS = 60;

const FLOOD: Pace = { kind: "flood", windowBytes: DEFAULT_WINDOW_BYTES };
/** Ten objects that are updated ten times a second. */
const GAME = { kind: "rate", ticksPerSecond: 10, linesPerTick: 10 } as const;

const BASE: LoadPlan = {
  name: "",
  publishers: 0,
  subscribers: 0,
  members: 0,
  stalled: 0,
  idle: 0,
  lineBytes: DEFAULT_LINE_BYTES,
  pace: FLOOD,
  isCold: false,
  warmupSeconds: DEFAULT_WARMUP_SECONDS,
  seconds: DEFAULT_SECONDS,
};

/** Returns a plan for a relay that has run for a while, and the same for one that was just started. */
function warmAndCold(plan: LoadPlan): LoadPlan[] {
  return [plan, { ...plan, name: `${plan.name}-cold`, isCold: true, warmupSeconds: 0 }];
}

/** The named plans, in the order of the table. */
export const SCENARIOS: readonly LoadPlan[] = [
  { ...BASE, name: "1to1", publishers: 1, subscribers: 1 },
  { ...BASE, name: "1to10", publishers: 1, subscribers: 10 },
  { ...BASE, name: "1to30", publishers: 1, subscribers: 30 },
  { ...BASE, name: "all10", members: 10 },
  ...warmAndCold({ ...BASE, name: "class", members: 30, pace: GAME }),
  ...warmAndCold({ ...BASE, name: "lecture", members: 100, pace: GAME }),
  ...warmAndCold({ ...BASE, name: "crowd", members: 300, pace: { ...GAME, linesPerTick: 1 } }),
  { ...BASE, name: "idle1000", idle: 1000 },
  { ...BASE, name: "stalled", members: 30, stalled: 1, pace: GAME, seconds: STALLED_SECONDS },
];

/** The short table that is run without arguments. */
export const SHORT_SCENARIOS: readonly string[] = ["1to1", "1to30", "all10", "class", "class-cold"];

/** Returns the named plan. */
export function findScenario(name: string): LoadPlan {
  const plan = SCENARIOS.find((scenario) => scenario.name === name);
  if (plan === undefined) {
    const names = SCENARIOS.map((scenario) => scenario.name).join(", ");
    throw new RangeError(`Cannot run scenario "${name}": a scenario is one of ${names}`);
  }
  return plan;
}

/** Returns a plan of one's own on the same defaults as the named ones. */
export function customPlan(parts: Partial<LoadPlan>): LoadPlan {
  return { ...BASE, name: "custom", ...parts };
}

/** Says how many connections send. */
export function countSenders(plan: LoadPlan): number {
  return plan.publishers + plan.members;
}

/** Says how many connections read. */
export function countReceivers(plan: LoadPlan): number {
  return plan.subscribers + plan.members - plan.stalled;
}

/** Returns the deliveries a second that the plan asks for; null if it asks for as many as there can be. */
export function offeredDeliveries(
  { pace, publishers, subscribers, members, stalled }: LoadPlan,
): number | null {
  if (pace.kind === "flood") return null;
  const readers = members - stalled;
  // A sender that reads doesn't get its own lines.
  const pairs = publishers * (subscribers + readers) + members * (subscribers + readers) - readers;
  return pairs * pace.ticksPerSecond * pace.linesPerTick;
}

/**
 * Checks that a plan can be carried out.
 *
 * @throws {RangeError} if nobody sends, nobody receives, or a number is out of range.
 */
export function checkPlan(plan: LoadPlan): void {
  if (plan.idle > 0) return;
  if (countSenders(plan) === 0) {
    throw new RangeError("Cannot run the load: nobody sends, give --publishers or --all");
  }
  const receivers = countReceivers(plan);
  if (receivers < 1 || (plan.publishers === 0 && plan.members < 2)) {
    throw new RangeError("Cannot run the load: nobody receives, give --subscribers, or --all of at least 2");
  }
}
