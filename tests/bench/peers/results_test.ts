// Tests of what is made of a comparison's runs: medians, shares, complaints, and the tables.

import assert from "node:assert/strict";
import type { LoadReport, Verdict } from "../../../bench/peers/native.ts";
import {
  formatResults,
  joinResults,
  Lookup,
  offeredDeliveries,
  parseResults,
  type Results,
  spreadOf,
} from "../../../bench/peers/results.ts";
import { FULL, QUICK, scenariosOf, windowBytes } from "../../../bench/peers/scenarios.ts";
import { reportMarkdown } from "../../../bench/peers/tables.ts";

const SCENARIOS = scenariosOf(FULL);

const GOOD: Verdict & LoadReport = {
  elapsedUs: 2_000_000,
  sent: 1000,
  deliveries: 174_000,
  latencyUs: { p50: 200, p90: 500, p99: 900, p999: 1000, max: 1200 },
  tickLateP99Us: 30,
  serverCpuUs: 87_000,
  loadCpuUs: 40_000,
  busyCpuUs: 227_000,
  segments: 17_400,
  rssKib: 20_480,
  peakKib: 20_480,
  expected: 174_000,
  received: 174_000,
  behind: 0,
  disconnected: 0,
  stalledCut: 0,
  faults: { lost: 0, again: 0, own: 0, damaged: 0 },
  odd: "",
};

function resultsOf(runs: Results["runs"]): Results {
  const contender = { kind: "product", wire: "lines", settings: "none", version: "1" } as const;
  return {
    setting: {
      date: "2000-01-01",
      transport: "tcp",
      extent: "full",
      machine: "a machine",
      system: "a system",
      deno: "2",
      compiler: "cc",
      contenders: [{ ...contender, name: "ours" }, { ...contender, name: "absent", version: null }],
      scenarios: SCENARIOS.map(({ name, title, groups, plan }) => ({ name, title, groups, plan })),
    },
    runs,
  };
}

Deno.test("spreadOf takes the middle, and between two the mean", () => {
  assert.equal(spreadOf([]), null);
  assert.deepEqual(spreadOf([3]), { median: 3, low: 3, high: 3 });
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, low: 1, high: 9 });
  assert.deepEqual(spreadOf([4, 1, 2, 8]), { median: 3, low: 1, high: 8 });
});

Deno.test("offeredDeliveries leaves out a member's own events and those who don't read", () => {
  const plan = (name: string) => SCENARIOS.find((scenario) => scenario.name === name)!.plan;
  assert.equal(offeredDeliveries(plan("class")), 30 * 29 * 100);
  assert.equal(offeredDeliveries(plan("stalled")), 29 * 29 * 100);
  assert.equal(offeredDeliveries(plan("calm")), 100);
  assert.equal(offeredDeliveries(plan("1to30")), null);
});

Deno.test("windowBytes holds two hundred of the largest events", () => {
  const of = (eventBytes: number) => windowBytes({ ...SCENARIOS[0].plan, eventBytes });
  assert.equal(of(100), 1024 * 1024);
  assert.equal(of(10_000), 2_000_000);
});

Deno.test("Lookup puts a flood on the curves that it is a point of, in order", () => {
  const lookup = new Lookup(resultsOf([]));
  const titles = (group: "members" | "size") => lookup.scenarios(group).map(({ title }) => title);
  assert.deepEqual(titles("members"), ["2", "4", "11", "31", "101", "301", "1,000"]);
  assert.deepEqual(titles("size"), ["40 bytes", "100 bytes", "1,000 bytes", "10,000 bytes"]);
});

Deno.test("Lookup relates counts to time and to what was asked for", () => {
  const run = { scenario: "class", contender: "ours", failure: null };
  const lookup = new Lookup(resultsOf([
    { ...run, round: 0, measured: GOOD },
    { ...run, round: 1, measured: { ...GOOD, serverCpuUs: 174_000 } },
  ]));
  const cell = lookup.cell("class", "ours")!;
  assert.equal(cell.deliveriesPerSecond.median, 87_000);
  assert.equal(cell.heldShare.median, 1);
  assert.deepEqual(cell.cpuUsPerDelivery, { median: 0.75, low: 0.5, high: 1 });
  assert.equal(cell.loadCpuShare.median, 0.02);
  assert.equal(cell.eventsPerSegment.median, 10);
  assert.equal(lookup.cell("class", "absent"), null);
  assert.equal(lookup.complaint("class", "ours"), null);
});

Deno.test("Lookup counts idle connections beside the warm ones and from the first on", () => {
  const verdict: Verdict = GOOD;
  const idle = {
    connections: 1000,
    warm: 200,
    coldKib: 1000,
    warmKib: 5000,
    idleKib: 13_000,
    afterKib: 15_000,
    restCpuShare: 0,
  };
  const measured = { ...verdict, idle } as Verdict & { idle: typeof idle };
  const run = { scenario: "idle1000", contender: "ours", round: 0, measured, failure: null };
  const cell = new Lookup(resultsOf([run])).idleCell("idle1000", "ours")!;
  assert.deepEqual([cell.warmKib.median, cell.coldKib.median, cell.afterKib.median], [8, 10, 10]);
});

Deno.test("Lookup complains of each fault and each failure", () => {
  const faults = { lost: 1, again: 2, own: 3, damaged: 4 };
  const run = { scenario: "class", contender: "ours" };
  const lookup = new Lookup(resultsOf([
    { ...run, round: 0, failure: null, measured: { ...GOOD, faults, disconnected: 5, behind: 6 } },
    { ...run, round: 1, failure: "it didn't start", measured: null },
  ]));
  const complaint = lookup.complaint("class", "ours")!;
  for (
    const word of [
      "didn't start",
      "1 of 174,000 events lost",
      "2 again",
      "3 back",
      "4 damaged",
      "5 conn",
      "6 not",
    ]
  ) {
    assert.ok(complaint.includes(word), complaint);
  }
});

Deno.test("parseResults reads what formatResults has written", () => {
  const run = { scenario: "class", contender: "ours", round: 0, measured: GOOD, failure: null };
  const results = resultsOf([run]);
  assert.deepEqual(parseResults(formatResults(results)), results);
});

Deno.test("reportMarkdown has as many cells in each row, names what is left out, and notes what was wrong", () => {
  const faults = { lost: 1, again: 0, own: 0, damaged: 0 };
  const report = reportMarkdown(
    resultsOf([
      { scenario: "class", contender: "ours", round: 0, failure: null, measured: { ...GOOD, faults } },
      { scenario: "1to1", contender: "ours", round: 0, failure: null, measured: GOOD },
    ]),
    (name) => `${name}.svg`,
  );
  assert.match(report, /\| absent \| not installed, left out \|/);
  assert.match(report, /\[1\] ours, class: 1 of 174,000 events lost\./);
  assert.match(report, /!\[.*\]\(flood\.svg\)/);
  for (const table of report.split("\n\n").filter((part) => part.startsWith("|"))) {
    const widths = new Set(table.split("\n").map((row) => row.split(" | ").length));
    assert.equal(widths.size, 1, table);
  }
});

Deno.test("scenariosOf has each game warm, and cold from the first tick on", () => {
  for (const extent of [FULL, QUICK]) {
    const scenarios = scenariosOf(extent);
    for (const name of ["class", "lecture", "crowd"]) {
      const [warm, cold] = [name, `${name}-cold`].map((each) => scenarios.find(({ name }) => name === each)!);
      assert.ok(warm.plan.heatMs > 0 && warm.plan.warmupMs > 0 && warm.groups[0] === "game");
      assert.deepEqual(cold.plan, { ...warm.plan, heatMs: 0, warmupMs: 0 });
      assert.deepEqual(cold.groups, ["cold"]);
    }
  }
});

Deno.test("reportMarkdown tells p50, p90, p99 with its spread, and p99.9 of games, warm and cold", () => {
  const later = { ...GOOD, latencyUs: { ...GOOD.latencyUs, p99: 990 } };
  const runs = ["class", "class-cold"].flatMap((scenario) =>
    [GOOD, later].map((measured, round) => ({ scenario, contender: "ours", round, measured, failure: null }))
  );
  const rows = reportMarkdown(resultsOf(runs), null).split("\n").filter((line) =>
    line.startsWith("| ours | 0.20")
  );
  assert.equal(rows.length, 2);
  for (const row of rows) assert.match(row, /0\.20, 0\.50, 0\.95 \(0\.90-0\.99\), 1\.00 ms; 4 %, 0\.50 us/);
});

Deno.test("reportMarkdown relates what a server costs by WebSocket to its own by TCP", () => {
  const results = resultsOf([["ours", GOOD], ["ours, WebSocket", { ...GOOD, serverCpuUs: 95_700 }]].map((
    [contender, measured],
  ) => ({
    scenario: "class",
    contender: contender as string,
    round: 0,
    failure: null,
    measured: measured as typeof GOOD,
  })));
  results.setting.contenders.push({ ...results.setting.contenders[0], name: "ours, WebSocket" });
  const section = reportMarkdown(results, null).split("### What a WebSocket costs")[1].split("###")[0];
  assert.match(section, /\n\| ours \| - \|.* 1\.10x; p99 1\.00x \|/);
  assert.ok(!reportMarkdown(resultsOf([]), null).includes("What a WebSocket costs"));
});

Deno.test("joinResults keeps all runs, and contenders and scenarios once, in the order of all", () => {
  const run = { scenario: "class", contender: "ours", failure: null, measured: GOOD };
  const first = resultsOf([{ ...run, round: 0 }, { ...run, round: 1 }]);
  const second = resultsOf([{ ...run, contender: "theirs", round: 0 }]);
  const [ours, absent] = second.setting.contenders;
  second.setting.contenders = [{ ...ours, name: "theirs" }, { ...absent, version: "2" }];
  second.setting.scenarios = second.setting.scenarios.slice(0, 1);
  const { setting, runs } = joinResults(first, second, [
    "theirs",
    "ours",
    "absent",
    ...SCENARIOS.map(({ name }) => name),
  ]);
  assert.deepEqual(runs.map(({ contender, round }) => `${contender} ${round}`), [
    "ours 0",
    "ours 1",
    "theirs 2",
  ]);
  assert.deepEqual(setting.contenders.map(({ name, version }) => `${name} ${version}`), [
    "theirs 1",
    "ours 1",
    "absent 2",
  ]);
  assert.deepEqual(setting.scenarios.map(({ name }) => name), SCENARIOS.map(({ name }) => name));
});
