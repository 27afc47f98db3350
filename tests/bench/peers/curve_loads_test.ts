// Tests of a curve's loads: the search for what a server can hold, what counts as held, and the table.

import assert from "node:assert/strict";
import { curveTable, findCapacity, hallPlan, isHeld, pointOf } from "../../../bench/peers/curve_loads.ts";
import { loadArguments, type LoadReport, type Verdict } from "../../../bench/peers/native.ts";

const PLAN = hallPlan(10, { heatMs: 0, warmupMs: 0, measureMs: 2000 });
const GOOD: LoadReport & Verdict = {
  elapsedUs: 2_000_000,
  sent: 20_000,
  deliveries: 100 * 99 * 100 * 2,
  latencyUs: { p50: 400, p90: 600, p99: 900, p999: 1000, max: 1200 },
  tickLateP99Us: 30,
  serverCpuUs: 1_000_000,
  loadCpuUs: 500_000,
  busyCpuUs: 3_500_000,
  segments: 17_400,
  rssKib: 20_480,
  peakKib: 20_480,
  expected: 1_980_000,
  received: 1_980_000,
  behind: 0,
  disconnected: 0,
  stalledCut: 0,
  faults: { lost: 0, again: 0, own: 0, damaged: 0 },
  odd: "",
};

Deno.test("findCapacity finds what is held to a twentieth, and never tries what can't be measured", async () => {
  for (const truth of [2, 3.1, 9.9, 47, 333, 999, 5000]) {
    const tried: number[] = [];
    const found = await findCapacity((hz) => {
      tried.push(hz);
      return Promise.resolve(hz <= truth);
    });
    const most = Math.min(truth, 1000);
    assert.ok(found <= most && found > most / 1.06, `${found} of ${truth}`);
    assert.ok(tried.length < 16 && Math.max(...tried) <= 1000);
  }
  assert.equal(await findCapacity(() => Promise.resolve(false)), 0);
});

Deno.test("isHeld wants all but a hundredth, without faults, and nothing that queues up", () => {
  assert.ok(isHeld(PLAN, GOOD));
  assert.ok(!isHeld(PLAN, { ...GOOD, deliveries: 0.98 * GOOD.deliveries }));
  assert.ok(!isHeld(PLAN, { ...GOOD, latencyUs: { ...GOOD.latencyUs, p99: 150_000 } }));
  assert.ok(!isHeld(PLAN, { ...GOOD, disconnected: 1 }));
  for (const fault of ["lost", "again", "own", "damaged"] as const) {
    assert.ok(!isHeld(PLAN, { ...GOOD, faults: { ...GOOD.faults, [fault]: 1 } }));
  }
});

Deno.test("curveTable has a row for each share, and says what wasn't held", () => {
  const late = { ...GOOD, deliveries: GOOD.deliveries / 2, latencyUs: { ...GOOD.latencyUs, p99: 250_000 } };
  const points = [
    pointOf("slow", 1.1, PLAN, [late]),
    pointOf("fast", 0.5, PLAN, [late, GOOD, GOOD]),
    pointOf("fast", 1.1, PLAN, [GOOD]),
  ];
  assert.deepEqual(curveTable(points).split("\n"), [
    "| load | slow | fast |",
    "| --- | ---: | ---: |",
    "| 50 % | - | 0.99 M/s; 0.40, 0.90 ms; 50 %, 25 % |",
    "| 110 % | 0.99 M/s, 50 % held; 0.40, 250 ms; 50 %, 25 % | 0.99 M/s; 0.40, 0.90 ms; 50 %, 25 % |",
  ]);
});

Deno.test("loadArguments gives rates that are no whole numbers as periods", () => {
  const period = (hz: number) =>
    loadArguments(hallPlan(hz, { heatMs: 0, warmupMs: 0, measureMs: 1 }), "lines", { port: 1, pid: 1 })
      .find((each) => each.startsWith("period="));
  assert.equal(period(10), "period=100000");
  assert.equal(period(2.5), "period=400000");
  assert.equal(period(0), "period=0");
});
