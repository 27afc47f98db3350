// Tests of the benchmark's figures and of how it words a verdict.

import assert from "node:assert/strict";
import type { LoadResult } from "../../bench/load_result.ts";
import { describeVerdict, figuresOf, markdownTable, medianFigures } from "../../bench/report.ts";
import { findScenario } from "../../bench/scenarios.ts";

const RESULT: LoadResult = {
  elapsedMs: 2000,
  sent: 6000,
  deliveries: 174_000,
  latencyUs: { p50: 200, p90: 700, p99: 1500, p999: 3000, max: 4000 },
  tickLateUs: { p50: 100, p99: 900 },
  relayCpuUs: 174_000,
  loadCpuUs: 200_000,
  otherCpuUs: 0,
  expected: 174_000,
  received: 174_000,
  faults: { lost: 0, doubled: 0, outOfOrder: 0, echoed: 0, damaged: 0 },
  disconnected: 0,
  sample: null,
  idle: null,
};
const CLASS = findScenario("class");

Deno.test("figuresOf relates counts to time, deliveries and what was asked for", () => {
  const figures = figuresOf(CLASS, RESULT, { rssKib: 2048, peakKib: 4096 }, 80);
  assert.equal(figures.deliveriesPerSecond, 87_000);
  assert.equal(figures.heldShare, 1);
  assert.equal(figures.relayCpuUsPerDelivery, 1);
  assert.equal(figures.relayCpuShare, 0.087);
  assert.equal(figures.latencyP99Ms, 1.5);
  assert.deepEqual([figures.relayRssMib, figures.relayPeakMib], [2, 4]);
});

Deno.test("figuresOf gives memory per connection, and no rate, for idle ones", () => {
  const idle = {
    connections: 1000,
    warmConnections: 200,
    coldKib: 46_000,
    warmKib: 50_000,
    idleKib: 58_000,
    afterLineKib: 60_000,
  };
  const figures = figuresOf(findScenario("idle1000"), { ...RESULT, idle }, null, null);
  assert.equal(figures.idleKibPerConnection, 8);
  assert.equal(figures.idleKibFromCold, 10);
  assert.equal(figures.idleKibAfterLine, 10);
  assert.equal(figures.deliveriesPerSecond, null);
});

Deno.test("medianFigures takes the middle of each figure by itself and skips what is unknown", () => {
  const figures = figuresOf(CLASS, RESULT, null, null);
  const median = medianFigures([
    { ...figures, latencyP99Ms: 9, relayCpuShare: null },
    { ...figures, latencyP99Ms: 1, relayCpuShare: 0.3 },
    { ...figures, latencyP99Ms: 2, relayCpuShare: null },
  ]);
  assert.equal(median.latencyP99Ms, 2);
  assert.equal(median.relayCpuShare, 0.3);
  assert.equal(median.relayRssMib, null);
});

Deno.test("describeVerdict names every kind of fault, and the first odd line", () => {
  assert.match(describeVerdict(RESULT), /^174,000 of 174,000 lines received: none lost/);
  const faults = { lost: 1, doubled: 2, outOfOrder: 3, echoed: 4, damaged: 5 };
  assert.equal(
    describeVerdict({ ...RESULT, faults, disconnected: 6, sample: "\x1b[2J" }),
    "FAULTY: 174,000 of 174,000 lines received; 1 lost, 2 doubled, 3 out of order, 4 sent back to their sender, " +
      '5 damaged, 6 receivers disconnected; first odd line: "\\u001b[2J"',
  );
  assert.match(describeVerdict({ ...RESULT, disconnected: 1 }), /^FAULTY/);
});

Deno.test("markdownTable has as many cells in each row, and marks what was faulty or not held", () => {
  const figures = { ...figuresOf(CLASS, RESULT, null, null), heldShare: 0.5 };
  const flood = findScenario("1to1");
  const rows = [{ plan: CLASS, figures, faulty: false }, {
    plan: flood,
    figures: figuresOf(flood, RESULT, null, null),
    faulty: true,
  }];
  const lines = markdownTable(rows).split("\n");
  assert.equal(lines.length, 4);
  assert.equal(new Set(lines.map((line) => line.split("|").length)).size, 1);
  assert.match(lines[2], /50 % held/);
  assert.match(lines[3], /1to1 \(FAULTY\)/);
});
