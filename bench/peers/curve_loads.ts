// A curve's loads: what a server can hold, and which shares of it are measured; and the table of what came
// out. Pure.

import { median } from "../median.ts";
import type { LoadReport, Verdict } from "./native.ts";
import { HELD_SHARE, offeredDeliveries } from "./results.ts";
import type { PeerPlan } from "./scenarios.ts";

/** Members of the room; each moves this many objects. */
const MEMBERS = 100;
const OBJECTS = 10;
/** The first rate that is tried, in ticks a second, and the last: then the load is what is measured. */
const FIRST_HZ = 2;
const MOST_HZ = 1000;
/**
 * A server that holds a rate delivers within this, in ms, though late; else what waits grows as long as the
 * run lasts.
 */
const HELD_P99_MS = 100;
/** How near the capacity that is found is to the true one. */
const CAPACITY_PRECISION = 0.05;

/** Shares of the capacity that are measured. */
export const SHARES: readonly number[] = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1];
export const QUICK_SHARES: readonly number[] = [0.1, 0.5, 0.9, 1.1];

/** One point of a curve: the medians of its rounds. */
export interface Point {
  contender: string;
  /** Of what the contender can hold. */
  share: number;
  hz: number;
  /** What was asked for, deliveries a second. */
  asked: number;
  heldShare: number;
  p50Ms: number;
  p99Ms: number;
  cpuShare: number;
  loadCpuShare: number;
}

/** A lecture hall whose objects are updated `hz` times a second. */
export function hallPlan(
  hz: number,
  times: { heatMs: number; warmupMs: number; measureMs: number },
): PeerPlan {
  return {
    rooms: 1,
    publishers: 0,
    subscribers: 0,
    members: MEMBERS,
    stalled: 0,
    idle: 0,
    warm: 0,
    eventBytes: 100,
    ticksPerSecond: hz,
    eventsPerTick: OBJECTS,
    ...times,
  };
}

/**
 * Says whether a server has held its rate: it has delivered all but a hundredth, nothing was wrong, and
 * nothing queued up.
 */
export function isHeld(plan: PeerPlan, report: LoadReport & Verdict): boolean {
  const rate = report.deliveries / (report.elapsedUs / 1e6);
  const { lost, again, own, damaged } = report.faults;
  return rate >= HELD_SHARE * offeredDeliveries(plan)! && report.latencyUs.p99 < HELD_P99_MS * 1000 &&
    lost + again + own + damaged + report.disconnected === 0;
}

/**
 * Finds the highest rate that is held, in ticks a second: by doubling, then by halving what is between. 0 if
 * none is.
 */
export async function findCapacity(holds: (hz: number) => Promise<boolean>): Promise<number> {
  let [held, missed] = [0, FIRST_HZ];
  while (missed <= MOST_HZ && await holds(missed)) [held, missed] = [missed, missed * 2];
  if (held === 0) return 0;
  while (missed / held > 1 + CAPACITY_PRECISION) {
    const hz = Math.sqrt(held * missed);
    if (hz <= MOST_HZ && await holds(hz)) held = hz;
    else missed = hz;
  }
  return held;
}

/** Makes a point of the rounds that were run at a rate. */
export function pointOf(
  contender: string,
  share: number,
  plan: PeerPlan,
  reports: readonly (LoadReport & Verdict)[],
): Point {
  const medianOf = (figure: (report: LoadReport) => number) => median(reports.map(figure));
  const asked = offeredDeliveries(plan)!;
  return {
    contender,
    share,
    hz: plan.ticksPerSecond,
    asked,
    heldShare: medianOf(({ deliveries, elapsedUs }) => deliveries / (elapsedUs / 1e6)) / asked,
    p50Ms: medianOf(({ latencyUs }) => latencyUs.p50) / 1000,
    p99Ms: medianOf(({ latencyUs }) => latencyUs.p99) / 1000,
    cpuShare: medianOf(({ serverCpuUs, elapsedUs }) => serverCpuUs / elapsedUs),
    loadCpuShare: medianOf(({ loadCpuUs, elapsedUs }) => loadCpuUs / elapsedUs),
  };
}

/** Returns the points as a Markdown table, a row for each share and a column for each contender. */
export function curveTable(points: readonly Point[]): string {
  const contenders = [...new Set(points.map(({ contender }) => contender))];
  const shares = [...new Set(points.map(({ share }) => share))].sort((a, b) => a - b);
  const rows = shares.map((share) => [
    percent(share),
    ...contenders.map((name) => {
      const point = points.find((each) => each.contender === name && each.share === share);
      if (point === undefined) return "-";
      const held = point.heldShare < HELD_SHARE ? `, ${percent(point.heldShare)} held` : "";
      return `${figure(point.asked / 1e6)} M/s${held}; ${figure(point.p50Ms)}, ${figure(point.p99Ms)} ms; ${
        percent(point.cpuShare)
      }, ${percent(point.loadCpuShare)}`;
    }),
  ]);
  const head = ["load", ...contenders];
  return [head, head.map((_, index) => index === 0 ? "---" : "---:"), ...rows].map((cells) =>
    `| ${cells.join(" | ")} |`
  ).join("\n");
}

function figure(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
