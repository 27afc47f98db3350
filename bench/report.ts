// Turns what a load has measured into figures, and figures into text: lines for one run, a Markdown table for
// several. Pure.

import type { LoadResult } from "./load_result.ts";
import { countFaults, type Faults } from "./line_verifier.ts";
import { median } from "./median.ts";
import { countReceivers, countSenders, type LoadPlan, offeredDeliveries } from "./scenarios.ts";
import type { Memory } from "./process_stats.ts";

/** The figures of one run, or the medians of several. Null is what can't be read, or doesn't apply. */
export interface Figures {
  deliveriesPerSecond: number | null;
  /** Share of the deliveries asked for that took place; null in a flood. */
  heldShare: number | null;
  latencyP50Ms: number | null;
  latencyP90Ms: number | null;
  latencyP99Ms: number | null;
  latencyP999Ms: number | null;
  latencyMaxMs: number | null;
  relayCpuUsPerDelivery: number | null;
  /** Share of one core. */
  relayCpuShare: number | null;
  loadCpuShare: number | null;
  /** What the rest of the machine took meanwhile. */
  otherCpuShare: number | null;
  /** How late the load itself sent. */
  tickLateP99Ms: number | null;
  relayRssMib: number | null;
  relayPeakMib: number | null;
  /** Memory of an idle connection beside others, and counted from the first one on. */
  idleKibPerConnection: number | null;
  idleKibFromCold: number | null;
  idleKibAfterLine: number | null;
  startMs: number | null;
}

/** One finished run. */
export interface Run {
  plan: LoadPlan;
  result: LoadResult;
  figures: Figures;
}

/**
 * Computes the figures of a run; `memory` is the relay's at the end of it, `startMs` how long it took to
 * listen.
 */
export function figuresOf(
  plan: LoadPlan,
  result: LoadResult,
  memory: Memory | null,
  startMs: number | null,
): Figures {
  const seconds = result.elapsedMs / 1000;
  const isIdle = plan.idle > 0;
  const rate = result.deliveries / seconds;
  const offered = offeredDeliveries(plan);
  const latencyMs = (us: number) => isIdle ? null : us / 1000;
  const share = (us: number | null) => us === null || isIdle ? null : us / 1e6 / seconds;
  const { idle } = result;
  const each = (kib: number | null, fromKib: number | null, connections: number) =>
    kib === null || fromKib === null ? null : (kib - fromKib) / connections;
  return {
    deliveriesPerSecond: isIdle ? null : rate,
    heldShare: offered === null || isIdle ? null : rate / offered,
    latencyP50Ms: latencyMs(result.latencyUs.p50),
    latencyP90Ms: latencyMs(result.latencyUs.p90),
    latencyP99Ms: latencyMs(result.latencyUs.p99),
    latencyP999Ms: latencyMs(result.latencyUs.p999),
    latencyMaxMs: latencyMs(result.latencyUs.max),
    relayCpuUsPerDelivery: result.relayCpuUs === null || isIdle || result.deliveries === 0
      ? null
      : result.relayCpuUs / result.deliveries,
    relayCpuShare: share(result.relayCpuUs),
    loadCpuShare: share(result.loadCpuUs),
    otherCpuShare: share(result.otherCpuUs),
    tickLateP99Ms: result.tickLateUs === null ? null : result.tickLateUs.p99 / 1000,
    relayRssMib: memory === null ? null : memory.rssKib / 1024,
    relayPeakMib: memory === null ? null : memory.peakKib / 1024,
    idleKibPerConnection: idle && each(idle.idleKib, idle.warmKib, idle.connections),
    idleKibFromCold: idle && each(idle.idleKib, idle.coldKib, idle.connections + idle.warmConnections),
    idleKibAfterLine: idle && each(idle.afterLineKib, idle.warmKib, idle.connections),
    startMs,
  };
}

/** Returns the median of each figure; of an even number of runs the lower of the middle two. */
export function medianFigures(all: readonly Figures[]): Figures {
  const medians = { ...all[0] };
  for (const key of Object.keys(medians) as (keyof Figures)[]) {
    const values = all.map((figures) => figures[key]).filter((value) => value !== null);
    medians[key] = values.length === 0 ? null : median(values);
  }
  return medians;
}

/** Says in words what a plan sends, and to whom. */
export function describePlan(plan: LoadPlan): string {
  if (plan.idle > 0) return `${plan.name}: ${plan.idle} idle connections, then one line to all of them`;
  const parts = [];
  if (plan.publishers > 0) parts.push(`${plan.publishers} publishers`);
  if (plan.subscribers > 0) parts.push(`${plan.subscribers} subscribers`);
  if (plan.members > 0) parts.push(`${plan.members} members that send and receive`);
  if (plan.stalled > 0) parts.push(`${plan.stalled} of them never reading`);
  const pace = plan.pace.kind === "flood"
    ? `flood with a window of ${plan.pace.windowBytes / 1024} KiB`
    : `${plan.pace.ticksPerSecond} writes/s of ${plan.pace.linesPerTick} lines each`;
  const time = plan.isCold
    ? `the first ${plan.seconds} s of a relay that was just started`
    : `${plan.seconds} s after ${plan.warmupSeconds} s of warm-up`;
  return `${plan.name}: ${parts.join(", ")}; ${plan.lineBytes}-byte lines; ${pace}; ${time}`;
}

/** Returns the lines that tell of one run. */
export function describeRun({ plan, result, figures }: Run): string[] {
  const lines = [];
  const isFlood = plan.pace.kind === "flood";
  if (result.idle !== null) {
    const { connections, warmConnections } = result.idle;
    lines.push(
      `memory      ${
        fixed(figures.idleKibPerConnection, 1)
      } KiB for each of ${connections} idle connections ` +
        `beside ${warmConnections} others, ${fixed(figures.idleKibAfterLine, 1)} KiB after a line to each; ` +
        `${fixed(figures.idleKibFromCold, 1)} KiB counted from the first connection on`,
    );
  } else {
    const held = figures.heldShare === null
      ? ""
      : `, ${fixed(figures.heldShare * 100, 1)} % of those asked for`;
    lines.push(`deliveries  ${thousands(figures.deliveriesPerSecond)} /s${held}`);
    lines.push(
      `latency     p50 ${fixed(figures.latencyP50Ms, 2)}, p90 ${fixed(figures.latencyP90Ms, 2)}, ` +
        `p99 ${fixed(figures.latencyP99Ms, 2)}, ` +
        `p99.9 ${fixed(figures.latencyP999Ms, 2)}, max ${fixed(figures.latencyMaxMs, 2)} ms` +
        (isFlood ? " (of a flood: the time to empty its window)" : ""),
    );
    const late = figures.tickLateP99Ms === null
      ? ""
      : `; ticks of the load late by p99 ${fixed(figures.tickLateP99Ms, 2)} ms`;
    lines.push(
      `CPU         relay ${fixed(figures.relayCpuUsPerDelivery, 3)} us per delivery, ` +
        `${percent(figures.relayCpuShare)} of a core; load ${percent(figures.loadCpuShare)}, ` +
        `rest of the machine ${percent(figures.otherCpuShare)}${late}`,
    );
  }
  lines.push(
    `relay       ${fixed(figures.relayRssMib, 1)} MiB resident, at most ${
      fixed(figures.relayPeakMib, 1)
    } MiB` +
      (figures.startMs === null ? "" : `; listening after ${fixed(figures.startMs, 0)} ms`),
  );
  lines.push(`check       ${describeVerdict(result)}`);
  return lines;
}

/** Says what was wrong, or that nothing was. */
export function describeVerdict(result: LoadResult): string {
  const seats = `${thousands(result.received)} of ${thousands(result.expected)} lines received`;
  if (countFaults(result.faults) === 0 && result.disconnected === 0) {
    return `${seats}: none lost, doubled or out of order`;
  }
  const names: Record<keyof Faults, string> = {
    lost: "lost",
    doubled: "doubled",
    outOfOrder: "out of order",
    echoed: "sent back to their sender",
    damaged: "damaged",
  };
  const wrong = (Object.keys(names) as (keyof Faults)[])
    .filter((key) => result.faults[key] > 0)
    .map((key) => `${thousands(result.faults[key])} ${names[key]}`);
  if (result.disconnected > 0) wrong.push(`${result.disconnected} receivers disconnected`);
  const sample = result.sample === null ? "" : `; first odd line: ${JSON.stringify(result.sample)}`;
  return `FAULTY: ${seats}; ${wrong.join(", ")}${sample}`;
}

/** Returns a Markdown table, one row a scenario. */
export function markdownTable(
  rows: readonly { plan: LoadPlan; figures: Figures; faulty: boolean }[],
): string {
  const head = [
    "scenario",
    "senders, receivers",
    "deliveries/s",
    "p50, p90, p99, p99.9 ms",
    "relay CPU us per delivery",
    "CPU of relay, load, rest",
    "relay MiB, peak",
  ];
  const cells = rows.map(({ plan, figures, faulty }) => {
    const isFlood = plan.pace.kind === "flood";
    const isIdle = plan.idle > 0;
    const held = figures.heldShare === null || figures.heldShare >= 0.99
      ? ""
      : `, ${percent(figures.heldShare)} held`;
    return [
      plan.name + (faulty ? " (FAULTY)" : ""),
      isIdle ? `0, ${plan.idle}` : `${countSenders(plan)}, ${countReceivers(plan)}`,
      isIdle
        ? `${fixed(figures.idleKibPerConnection, 1)} KiB per connection, ${
          fixed(figures.idleKibFromCold, 1)
        } from the first on`
        : millions(figures.deliveriesPerSecond) + held,
      // In a flood the latency is that of the window, not of the relay.
      isFlood
        ? "-"
        : [figures.latencyP50Ms, figures.latencyP90Ms, figures.latencyP99Ms, figures.latencyP999Ms].map((
          ms,
        ) => fixed(ms, 2)).join(
          ", ",
        ),
      fixed(figures.relayCpuUsPerDelivery, 3),
      [figures.relayCpuShare, figures.loadCpuShare, figures.otherCpuShare].map(percent).join(", "),
      `${fixed(figures.relayRssMib, 0)}, ${fixed(figures.relayPeakMib, 0)}`,
    ];
  });
  const row = (fields: string[]) => `| ${fields.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...cells.map(row)].join("\n");
}

function fixed(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

function percent(share: number | null): string {
  return share === null ? "-" : `${(share * 100).toFixed(0)} %`;
}

function thousands(value: number | null): string {
  return value === null ? "-" : Math.round(value).toLocaleString("en-US");
}

function millions(value: number | null): string {
  if (value === null) return "-";
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} million` : thousands(value);
}
