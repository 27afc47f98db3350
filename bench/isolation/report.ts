// What a run beside a hostile client shows, and whether it is good enough. Pure: reports in, a table and a
// verdict out.

import { type Kind, P99_GOAL_MS } from "./kinds.ts";

/** What the quiet pair has seen. Times in ms. */
export interface ProbeReport {
  sent: number;
  received: number;
  /** Came twice or out of order. */
  again: number;
  /** Lines of all senders that the receiver was told it has lost. */
  toldLost: number;
  /** Of all but those that were told to be lost; null where it is one that never came. */
  p50Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
  /** The same events through a socket without a relay. */
  ownP99Ms: number | null;
  /**
   * The same events, at the same time, through a relay that nobody else is on; null if that was not measured.
   */
  idleP99Ms: number | null;
  /** The longest that a newcomer waited for its welcome; null if none was tried. */
  newcomerMaxMs: number | null;
}

/** What the hostile client got rid of. */
export interface LoadReport {
  bytes: number;
  /** Joins, leaves, resets, resumes or visits. */
  steps: number;
  seconds: number;
}

/** One run: the relay beside one kind. */
export interface Outcome {
  kind: Kind;
  /** Which relay: "this" one, the one "before" it, or this one "again". */
  relay: "this" | "before" | "again";
  otherRoom: ProbeReport;
  sameRoom: ProbeReport;
  load: LoadReport;
  /** Share of a core that the relay took; null where that can't be read. */
  cpuShare: number | null;
  /** Share of the time that it was ready and had no core: the machine was busy with something else. */
  waitShare: number | null;
  peakMib: number | null;
}

/**
 * Returns the value at which the share `p` of `count` values is reached, of sorted ones; those that `sorted`
 * lacks are longer than all of them. Null if it is one of these, and of none.
 */
export function percentile(sorted: readonly number[], p: number, count = sorted.length): number | null {
  return sorted[Math.min(count - 1, Math.floor(count * p))] ?? null;
}

/** Returns every goal that was missed, as a sentence each. */
export function missedGoals({ kind, otherRoom, sameRoom }: Outcome): string[] {
  const missed: string[] = [];
  const goalMs = kind.p99GoalMs ?? P99_GOAL_MS;
  const { p99Ms, newcomerMaxMs } = otherRoom;
  if (p99Ms === null || p99Ms >= goalMs) {
    missed.push(`p99 in another room is ${ms(p99Ms)}, the goal is below ${goalMs} ms`);
  }
  const gone = otherRoom.sent - otherRoom.received;
  if (gone > 0) missed.push(`${gone} of ${otherRoom.sent} events did not arrive in another room`);
  const untold = sameRoom.sent - sameRoom.received - sameRoom.toldLost;
  if (untold > 0) {
    missed.push(
      `${untold} of ${sameRoom.sent} events neither arrived in the same room nor were told to be lost`,
    );
  }
  const again = otherRoom.again + sameRoom.again;
  if (again > 0) missed.push(`${again} events came twice or out of order`);
  const { newcomerGoalMs } = kind;
  if (newcomerGoalMs !== undefined && (newcomerMaxMs === null || newcomerMaxMs >= newcomerGoalMs)) {
    missed.push(`a newcomer waited ${ms(newcomerMaxMs)}, the goal is below ${newcomerGoalMs} ms`);
  }
  return missed;
}

/** A relay that had no core for more of its time than this can't show what it can do. */
const BUSY_WAIT_SHARE = 0.05;
/** A pair whose own way takes longer than this, in ms, neither… */
const BUSY_OWN_MS = 3;
/** …nor one that waits so long for a relay that has nothing else to do. */
const BUSY_IDLE_MS = 5;

/** Says whether the machine was so busy with other things that a missed goal proves nothing. */
export function wasDisturbed({ waitShare, otherRoom: { ownP99Ms, idleP99Ms } }: Outcome): boolean {
  return (waitShare ?? 0) > BUSY_WAIT_SHARE || (ownP99Ms ?? 0) > BUSY_OWN_MS ||
    (idleP99Ms ?? 0) > BUSY_IDLE_MS;
}

const HEADS = [
  "kind",
  "relay",
  "p50",
  "p99",
  "max",
  "idle p99",
  "own p99",
  "newcomer",
  "same room: p99",
  "max",
  "arrived",
  "load",
  "CPU",
  "wait",
  "peak",
  "",
];

/** Returns the table's head, of cells as wide as {@linkcode tableRow} makes them. */
export function tableHead(): string {
  return row(HEADS);
}

/** Returns one run as a row of the table. */
export function tableRow(outcome: Outcome): string {
  const { kind, relay, otherRoom, sameRoom, load, cpuShare, waitShare, peakMib } = outcome;
  const missed = missedGoals(outcome).length;
  return row([
    kind.name,
    relay,
    ms(otherRoom.p50Ms),
    ms(otherRoom.p99Ms),
    ms(otherRoom.maxMs),
    ms(otherRoom.idleP99Ms),
    ms(otherRoom.ownP99Ms),
    ms(otherRoom.newcomerMaxMs),
    ms(sameRoom.p99Ms),
    ms(sameRoom.maxMs),
    `${sameRoom.received}/${sameRoom.sent}`,
    load.steps > 0 ? `${load.steps}` : `${(load.bytes / load.seconds / 1e6).toFixed(1)} MB/s`,
    share(cpuShare),
    share(waitShare),
    peakMib === null ? "?" : `${Math.round(peakMib)} MiB`,
    missed === 0 ? "" : relay === "before" ? "missed" : "MISSED",
  ]);
}

const WIDTHS = [14, 6, 7, 7, 7, 8, 7, 8, 14, 7, 9, 10, 5, 5, 9, 6];

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => i < 2 ? cell.padEnd(WIDTHS[i]) : cell.padStart(WIDTHS[i])).join("  ")
    .trimEnd();
}

function share(value: number | null): string {
  return value === null ? "?" : `${Math.round(value * 100)} %`;
}

function ms(value: number | null): string {
  if (value === null) return "none";
  return value < 100 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
