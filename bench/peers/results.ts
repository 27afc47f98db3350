// The results of a comparison: what is kept in results.jsonl, and the figures that tables and charts are made
// of, medians with their spread. Pure.

import type { IdleReport, LoadReport, Measured, Verdict } from "./native.ts";
import type { Contender, Transport } from "./contender.ts";
import { type Group, type PeerPlan, placeOf, type Scenario, titleOf } from "./scenarios.ts";

/** A rate counts as held from this share on. */
export const HELD_SHARE = 0.99;

/** The first line of results.jsonl. */
export interface Setting {
  date: string;
  transport: Transport;
  extent: "full" | "quick";
  machine: string;
  system: string;
  deno: string;
  compiler: string;
  contenders: (Pick<Contender, "name" | "kind" | "wire" | "settings"> & { version: string | null })[];
  scenarios: Omit<Scenario, "copies" | "rounds">[];
}

/** Each further line: one run. `failure` says why there is nothing measured. */
export interface RunRecord {
  scenario: string;
  contender: string;
  round: number;
  measured: Measured | null;
  failure: string | null;
}

export interface Results {
  setting: Setting;
  runs: RunRecord[];
}

/** Returns the text of results.jsonl. */
export function formatResults({ setting, runs }: Results): string {
  return [setting, ...runs].map((line) => JSON.stringify(line) + "\n").join("");
}

/** Reads the text of results.jsonl. */
export function parseResults(text: string): Results {
  const [setting, ...runs] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return { setting, runs };
}

/**
 * Returns the results of two comparisons as those of one; what both know is told as in the second. `order` is
 * that of all names.
 */
export function joinResults(first: Results, second: Results, order: readonly string[]): Results {
  const joined = <T extends { name: string }>(before: readonly T[], after: readonly T[]) =>
    [...new Map([...before, ...after].map((each) => [each.name, each])).values()]
      .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const rounds = 1 + Math.max(-1, ...first.runs.map(({ round }) => round));
  return {
    setting: {
      ...second.setting,
      contenders: joined(first.setting.contenders, second.setting.contenders),
      scenarios: joined(first.setting.scenarios, second.setting.scenarios),
    },
    runs: [...first.runs, ...second.runs.map((run) => ({ ...run, round: run.round + rounds }))],
  };
}

/** A median and the smallest and largest value beside it. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/**
 * Returns median and spread; of an even number of values the mean of the middle two. Null if there are none.
 */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, low: sorted[0], high: sorted[sorted.length - 1] };
}

/** The figures of one scenario with one contender. */
export interface Cell {
  deliveriesPerSecond: Spread;
  /** Share of what was asked for at a rate; 1 in a flood. */
  heldShare: Spread;
  cpuUsPerDelivery: Spread;
  latencyP50Ms: Spread;
  latencyP90Ms: Spread;
  latencyP99Ms: Spread;
  latencyP999Ms: Spread;
  /** Shares of a core. */
  serverCpuShare: Spread;
  loadCpuShare: Spread;
  otherCpuShare: Spread;
  eventsPerSegment: Spread;
  tickLateP99Ms: Spread;
  peakMib: Spread;
  /** Stalled connections that the server has cut, in all runs. */
  stalledCut: number;
}

/** What idle connections cost; in KiB each. */
export interface IdleCell {
  coldKib: Spread;
  warmKib: Spread;
  afterKib: Spread;
  restCpuShare: Spread;
}

/** Gives access to the runs of a comparison by scenario and contender. */
export class Lookup {
  readonly setting: Setting;
  readonly #runs = new Map<string, RunRecord[]>();

  constructor({ setting, runs }: Results) {
    this.setting = setting;
    for (const run of runs) {
      const key = `${run.scenario}\n${run.contender}`;
      this.#runs.set(key, [...(this.#runs.get(key) ?? []), run]);
    }
  }

  /** Returns the scenarios of a group, in the order of their places. */
  scenarios(group: Group): Setting["scenarios"] {
    return this.setting.scenarios.filter(({ groups }) => groups.includes(group))
      .map((scenario) => ({ ...scenario, title: titleOf(scenario, group) }))
      .sort((a, b) => placeOf(a.plan, group) - placeOf(b.plan, group));
  }

  /** Returns the contenders that have run in at least one scenario of a group. */
  contenders(group: Group): Setting["contenders"] {
    return this.setting.contenders.filter(({ name }) =>
      this.scenarios(group).some((scenario) => this.runs(scenario.name, name).length > 0)
    );
  }

  /** Returns the runs of a scenario with a contender; none if it was left out. */
  runs(scenario: string, contender: string): readonly RunRecord[] {
    return this.#runs.get(`${scenario}\n${contender}`) ?? [];
  }

  /** Returns the figures of the runs with traffic, null if there are none. */
  cell(scenario: string, contender: string): Cell | null {
    const plan = this.setting.scenarios.find(({ name }) => name === scenario)?.plan;
    const reports = this.runs(scenario, contender).map(({ measured }) => measured).filter((measured) =>
      measured !== null && "deliveries" in measured
    ) as (Verdict & LoadReport)[];
    if (plan === undefined || reports.length === 0) return null;
    const spread = (figure: (report: LoadReport) => number) => spreadOf(reports.map(figure))!;
    const rate = ({ deliveries, elapsedUs }: LoadReport) => deliveries / (elapsedUs / 1e6);
    return {
      deliveriesPerSecond: spread(rate),
      heldShare: spread((report) => rate(report) / (offeredDeliveries(plan) ?? rate(report))),
      cpuUsPerDelivery: spread(({ serverCpuUs, deliveries }) => serverCpuUs / Math.max(1, deliveries)),
      latencyP50Ms: spread(({ latencyUs }) => latencyUs.p50 / 1000),
      latencyP90Ms: spread(({ latencyUs }) => latencyUs.p90 / 1000),
      latencyP99Ms: spread(({ latencyUs }) => latencyUs.p99 / 1000),
      latencyP999Ms: spread(({ latencyUs }) => latencyUs.p999 / 1000),
      serverCpuShare: spread(({ serverCpuUs, elapsedUs }) => serverCpuUs / elapsedUs),
      loadCpuShare: spread(({ loadCpuUs, elapsedUs }) => loadCpuUs / elapsedUs),
      otherCpuShare: spread((report) =>
        Math.max(0, report.busyCpuUs - report.serverCpuUs - report.loadCpuUs) / report.elapsedUs
      ),
      eventsPerSegment: spread(({ deliveries, segments }) => deliveries / Math.max(1, segments)),
      tickLateP99Ms: spread(({ tickLateP99Us }) => tickLateP99Us / 1000),
      peakMib: spread(({ peakKib }) => peakKib / 1024),
      stalledCut: reports.reduce((sum, { stalledCut }) => sum + stalledCut, 0),
    };
  }

  /** Returns what idle connections cost, medians of all runs; null if that wasn't measured. */
  idleCell(scenario: string, contender: string): IdleCell | null {
    const reports = this.runs(scenario, contender).map(({ measured }) => measured)
      .filter((measured) => measured !== null && "idle" in measured) as IdleReport[];
    if (reports.length === 0) return null;
    const spread = (figure: (idle: IdleReport["idle"]) => number) =>
      spreadOf(reports.map(({ idle }) => figure(idle)))!;
    return {
      coldKib: spread((idle) => (idle.idleKib - idle.coldKib) / (idle.connections + idle.warm)),
      warmKib: spread((idle) => (idle.idleKib - idle.warmKib) / idle.connections),
      afterKib: spread((idle) => (idle.afterKib - idle.warmKib) / idle.connections),
      restCpuShare: spread((idle) => idle.restCpuShare),
    };
  }

  /** Says what was wrong in the runs of a scenario with a contender; null if nothing was. */
  complaint(scenario: string, contender: string): string | null {
    const plan = this.setting.scenarios.find(({ name }) => name === scenario)?.plan;
    const sum = { lost: 0, again: 0, own: 0, damaged: 0, disconnected: 0, behind: 0, expected: 0 };
    const failures = new Set<string>();
    for (const { measured, failure } of this.runs(scenario, contender)) {
      if (failure !== null) failures.add(failure);
      if (measured === null) continue;
      for (const key of ["lost", "again", "own", "damaged"] as const) sum[key] += measured.faults[key];
      sum.disconnected += measured.disconnected;
      sum.behind += measured.behind;
      sum.expected += measured.expected;
    }
    const wrong = [...failures];
    if (sum.lost > 0) wrong.push(`${count(sum.lost)} of ${count(sum.expected)} events lost`);
    if (sum.again > 0) wrong.push(`${count(sum.again)} again or out of order`);
    if (sum.own > 0) wrong.push(`${count(sum.own)} back at their sender`);
    if (sum.damaged > 0) wrong.push(`${count(sum.damaged)} damaged`);
    if (sum.disconnected > 0) wrong.push(`${sum.disconnected} connections cut`);
    // A flood leaves a full window behind for each receiver; at a rate it is the server that is behind.
    if (sum.behind > 0 && plan !== undefined && plan.ticksPerSecond > 0) {
      wrong.push(`${count(sum.behind)} not delivered 3 s after the end`);
    }
    return wrong.length === 0 ? null : wrong.join(", ");
  }
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Returns the deliveries a second that a plan asks for; null if it is a flood. */
export function offeredDeliveries(plan: PeerPlan): number | null {
  if (plan.ticksPerSecond === 0) return null;
  const readers = plan.members - plan.stalled;
  const pairs = (plan.publishers + plan.members) * (plan.subscribers + readers) - readers;
  return plan.rooms * pairs * plan.ticksPerSecond * plan.eventsPerTick;
}
