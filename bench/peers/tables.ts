// Turns results into Markdown: settings, one table for each group of scenarios, and what was wrong. Pure.

import { type Cell, HELD_SHARE, Lookup, type Results, type Spread } from "./results.ts";
import type { Group } from "./scenarios.ts";
import { WINDOW_BYTES } from "./scenarios.ts";

/** A load that takes this share of a core is as much the bottleneck as the server. */
const LOAD_BOUND_SHARE = 0.9;
const LIMIT = "copy only";

type Row = readonly string[];

/** Numbers stand to the right, words to the left. */
function table(head: Row, rows: readonly Row[], align: "---:" | "---" = "---:"): string {
  const rule = head.map((_, index) => index === 0 ? "---" : align);
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

function spread(value: Spread, scale = 1): string {
  const [median, low, high] = [value.median, value.low, value.high].map((each) => figure(each * scale));
  return low === high ? median : `${median} (${low}-${high})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** Marks what is to be read with a complaint beside it; `complaints` collects them for below the table. */
class Notes {
  readonly #notes: string[] = [];

  mark(complaint: string | null, contender: string, title: string): string {
    if (complaint === null) return "";
    this.#notes.push(`${contender}, ${shortTitle(title)}: ${complaint}`);
    return ` [${this.#notes.length}]`;
  }

  get text(): string {
    if (this.#notes.length === 0) return "";
    return "\n\n" + this.#notes.map((note, index) => `[${index + 1}] ${note}.`).join("\\\n");
  }
}

/** Makes a table with a row for each contender and a column for each scenario of a group. */
function groupTable(
  lookup: Lookup,
  group: Group,
  cellText: (cell: Cell, scenario: string) => string,
): string {
  const scenarios = lookup.scenarios(group);
  const contenders = lookup.contenders(group);
  if (scenarios.length === 0 || contenders.length === 0) return "";
  const notes = new Notes();
  const rows = contenders.map(({ name }) => [
    name,
    ...scenarios.map((scenario) => {
      const cell = lookup.cell(scenario.name, name);
      const mark = notes.mark(lookup.complaint(scenario.name, name), name, scenario.title);
      return (cell === null ? "-" : cellText(cell, scenario.name)) + mark;
    }),
  ]);
  return table(["", ...scenarios.map(({ title }) => title)], rows) + notes.text;
}

function shortTitle(title: string): string {
  return title.split(":")[0];
}

function isLoadBound(cell: Cell): boolean {
  return cell.loadCpuShare.median >= LOAD_BOUND_SHARE &&
    cell.loadCpuShare.median >= cell.serverCpuShare.median;
}

function floodTable(lookup: Lookup): string {
  return groupTable(lookup, "flood", (cell, scenario) => {
    const limit = lookup.cell(scenario, LIMIT);
    const share = limit === null
      ? ""
      : `, ${percent(cell.deliveriesPerSecond.median / limit.deliveriesPerSecond.median)}`;
    return `${isLoadBound(cell) ? "≥ " : ""}${spread(cell.deliveriesPerSecond, 1e-6)}${share}`;
  });
}

/** What a flood costs: less disturbed by whatever else runs on the machine than how fast it is. */
function floodCpuTable(lookup: Lookup): string {
  return groupTable(lookup, "flood", (cell, scenario) => {
    const limit = lookup.cell(scenario, LIMIT);
    const share = limit === null
      ? ""
      : `, ${percent(limit.cpuUsPerDelivery.median / cell.cpuUsPerDelivery.median)}`;
    return `${spread(cell.cpuUsPerDelivery, 1000)}${share}; ${figure(cell.eventsPerSegment.median)}`;
  });
}

function gameTable(lookup: Lookup, group: Group): string {
  return groupTable(lookup, group, (cell) => {
    if (cell.heldShare.median < HELD_SHARE) {
      return `${percent(cell.heldShare.median)} held, ${figure(cell.cpuUsPerDelivery.median)} us`;
    }
    return `${latencies(cell)} ms; ${percent(cell.serverCpuShare.median)}, ${
      spread(cell.cpuUsPerDelivery)
    } us; ${figure(cell.eventsPerSegment.median)}`;
  });
}

function calmTable(lookup: Lookup): string {
  return groupTable(lookup, "calm", (cell) => `${latencies(cell, 1000)} us`);
}

/** p50, p90, p99 with its spread, and p99.9. */
function latencies(cell: Cell, scale = 1): string {
  const [p50, p90, p999] = [cell.latencyP50Ms, cell.latencyP90Ms, cell.latencyP999Ms].map(({ median }) =>
    figure(median * scale)
  );
  return `${p50}, ${p90}, ${spread(cell.latencyP99Ms, scale)}, ${p999}`;
}

function sizeTable(lookup: Lookup): string {
  return groupTable(lookup, "size", (cell, scenario) => {
    const { plan } = lookup.setting.scenarios.find(({ name }) => name === scenario)!;
    const gigabytes = cell.deliveriesPerSecond.median * plan.eventBytes / 1e9;
    return `${isLoadBound(cell) ? "≥ " : ""}${spread(cell.deliveriesPerSecond, 1e-6)}, ${
      figure(gigabytes)
    } GB/s`;
  });
}

function curveTable(lookup: Lookup, group: Group): string {
  return groupTable(
    lookup,
    group,
    (cell) =>
      `${isLoadBound(cell) ? "≥ " : ""}${figure(cell.deliveriesPerSecond.median / 1e6)}, ${
        figure(cell.cpuUsPerDelivery.median)
      } us`,
  );
}

function stalledTable(lookup: Lookup): string {
  return groupTable(lookup, "stalled", (cell) => {
    const held = cell.heldShare.median < HELD_SHARE ? `${percent(cell.heldShare.median)} held, ` : "";
    const cut = cell.stalledCut > 0 ? "; cut off" : "";
    return `${held}p50 ${figure(cell.latencyP50Ms.median)}, p99 ${figure(cell.latencyP99Ms.median)} ms; ${
      figure(cell.peakMib.median)
    } MiB${cut}`;
  });
}

function idleTable(lookup: Lookup): string {
  const scenarios = lookup.scenarios("idle");
  const contenders = lookup.contenders("idle");
  if (contenders.length === 0) return "";
  const notes = new Notes();
  const rows = contenders.map(({ name }) => [
    name,
    ...scenarios.map((scenario) => {
      const cell = lookup.idleCell(scenario.name, name);
      const mark = notes.mark(lookup.complaint(scenario.name, name), name, scenario.title);
      if (cell === null) return "-" + mark;
      const { warmKib, coldKib, afterKib, restCpuShare } = cell;
      const texts = [warmKib, coldKib, afterKib].map((each) => spread(each));
      return `${texts.join("; ")} KiB; ${percent(restCpuShare.median)}${mark}`;
    }),
  ]);
  return table(["", ...scenarios.map(({ title }) => title)], rows) + notes.text;
}

/** What names a contender that is another one behind a WebSocket. */
const BEHIND_WEBSOCKET = ", WebSocket";

/** What messages cost: figures of a server by WebSocket, as multiples of its own by TCP. */
function transportTable(lookup: Lookup): string {
  const names = lookup.setting.contenders.map(({ name }) => name);
  const pairs = names.map((name) => [name, name + BEHIND_WEBSOCKET]).filter(([, other]) =>
    names.includes(other)
  );
  const traffic = [...lookup.scenarios("flood"), ...lookup.scenarios("game")];
  const idle = lookup.scenarios("idle");
  const times = (ours: Spread | undefined, theirs: Spread | undefined) =>
    ours === undefined || theirs === undefined ? "-" : `${figure(ours.median / theirs.median)}x`;
  const rows = pairs.map(([plain, behind]) => [
    plain,
    ...traffic.map(({ name, plan }) => {
      const [ours, theirs] = [lookup.cell(name, behind), lookup.cell(name, plain)];
      const cpu = times(ours?.cpuUsPerDelivery, theirs?.cpuUsPerDelivery);
      return plan.ticksPerSecond === 0
        ? cpu
        : `${cpu}; p99 ${times(ours?.latencyP99Ms, theirs?.latencyP99Ms)}`;
    }),
    ...idle.map(({ name }) =>
      times(lookup.idleCell(name, behind)?.coldKib, lookup.idleCell(name, plain)?.coldKib)
    ),
  ]).filter((cells) => cells.slice(1).some((cell) => !/^-(; p99 -)?$/.test(cell)));
  return rows.length === 0
    ? ""
    : table(["", ...[...traffic, ...idle].map(({ title }) => shortTitle(title))], rows);
}

/** The proof that the load is not what was measured. */
function loadTable(lookup: Lookup): string {
  const scenarios = [...lookup.scenarios("flood"), ...lookup.scenarios("game")];
  if (scenarios.length === 0) return "";
  const rows = lookup.contenders(scenarios[0].groups[0]).map(({ name }) => [
    name,
    ...scenarios.map((scenario) => {
      const cell = lookup.cell(scenario.name, name);
      if (cell === null) return "-";
      const [server, load, other] = [cell.serverCpuShare, cell.loadCpuShare, cell.otherCpuShare].map(
        ({ median }) => percent(median),
      );
      return `${server}, ${load}, ${other}: ${figure(cell.loadCpuShare.median / cell.serverCpuShare.median)}`;
    }),
  ]);
  return table(["", ...scenarios.map(({ title }) => shortTitle(title))], rows);
}

/** Returns the text if there is something to relate figures to. */
function byShare({ setting }: Lookup, text: string): string {
  return setting.contenders.some(({ name }) => name === LIMIT) ? text : "";
}

function contenderTable({ setting }: Lookup): string {
  const rows = setting.contenders.map(({ name, version, wire, settings }) => [
    name,
    version ?? "not installed, left out",
    wire,
    settings,
  ]);
  return table(["", "version", "protocol", "settings"], rows, "---");
}

/** Returns the whole report; `chart` says where a chart of that name lies, null if there are none. */
export function reportMarkdown(results: Results, chart: ((name: string) => string) | null): string {
  const lookup = new Lookup(results);
  const { setting } = lookup;
  const image = (name: string, text: string) => chart === null ? [] : [`![${text}](${chart(name)})`];
  const section = (title: string, about: string, body: string, ...images: string[]) =>
    body === "" ? [] : [`### ${title}`, about, body, ...images];
  const has = (group: Group) => lookup.contenders(group).length > 0;
  return [
    `${setting.date}, ${setting.extent} run. ${setting.machine}; ${setting.system}; Deno ${setting.deno}; ${setting.compiler}.`,
    contenderTable(lookup),
    ...section(
      "As fast as it goes",
      `Million deliveries a second of 100-byte events: median (lowest-highest)${
        byShare(lookup, ", and the share of what copying alone reaches")
      }. The slowest receiver is at most ${
        WINDOW_BYTES / 1024
      } KiB behind. "≥": the load was as busy as the server, which may be faster.`,
      floodTable(lookup),
      ...(has("flood") ? image("flood", "deliveries a second") : []),
    ),
    ...section(
      "What that costs",
      `The same runs: CPU time of the server per delivery in nanoseconds${
        byShare(lookup, ", which share of it copying alone needs")
      }, and events per TCP segment.`,
      floodCpuTable(lookup),
    ),
    ...section(
      "Games",
      "Latency p50, p90, p99, p99.9; CPU time of the server, as a share of a core and per delivery; events per TCP segment. A server that doesn't hold the rate: which share of it, and its CPU time.",
      gameTable(lookup, "game"),
      ...(has("game")
        ? [
          ...image("game-cpu", "CPU time per delivery at a rate"),
          ...image("game-p99", "latency at a rate"),
        ]
        : []),
    ),
    ...section(
      "Games, the first seconds",
      "The same of servers that were just started: nothing is warmed up, and all is measured from the first tick on.",
      gameTable(lookup, "cold"),
    ),
    ...section(
      "What a WebSocket costs",
      "Multiples of the same server's figures by TCP: CPU time per delivery, p99 at a rate; of idle connections, memory of each, counted from the start.",
      transportTable(lookup),
    ),
    ...section(
      "Little to do",
      "Latency when one member sends to another: p50, p90, p99, p99.9.",
      calmTable(lookup),
    ),
    ...section(
      "Small and large events",
      "1 to 30: million deliveries a second, and what that is in bytes of events.",
      sizeTable(lookup),
      ...(has("size") ? image("size", "throughput over the size of an event") : []),
    ),
    ...section(
      "Growing rooms",
      "By the number of members, of which one sends and all others receive: million deliveries a second, CPU time of the server per delivery.",
      curveTable(lookup, "members"),
      ...(has("members")
        ? [
          ...image("members-rate", "deliveries a second over members"),
          ...image("members-cpu", "CPU time per delivery over members"),
        ]
        : []),
    ),
    ...section(
      "Many rooms",
      "By the number of rooms, of two members each that send to each other: million deliveries a second, CPU time of the server per delivery.",
      curveTable(lookup, "rooms"),
      ...(has("rooms") ? image("rooms", "deliveries a second over rooms") : []),
    ),
    ...section(
      "One stops reading",
      "30 members x 10 objects x 10 Hz with events of 1,000 bytes: latency of the others; the server's memory at its peak; whether the one was cut off.",
      stalledTable(lookup),
    ),
    ...section(
      "Idle connections",
      "Memory of the server for each: when 201 connections are held already; counted from the start, those included; after an event to each. Then the CPU time it takes while nothing happens, as a share of a core.",
      idleTable(lookup),
    ),
    ...section(
      "Is it the load that was measured?",
      "CPU time of the server, of the load and of the rest of the machine, in shares of a core; the load's as a multiple of the server's.",
      loadTable(lookup),
    ),
  ].join("\n\n");
}
