// Tests of the plans' arithmetic: what a plan offers is what the table compares a run with.

import assert from "node:assert/strict";
import {
  checkPlan,
  countReceivers,
  countSenders,
  customPlan,
  findScenario,
  offeredDeliveries,
  SCENARIOS,
  SHORT_SCENARIOS,
} from "../../bench/scenarios.ts";

Deno.test("offeredDeliveries is what a class, a lecture hall and a stalled class ask for", () => {
  assert.equal(offeredDeliveries(findScenario("class")), 87_000);
  assert.equal(offeredDeliveries(findScenario("lecture")), 990_000);
  assert.equal(offeredDeliveries(findScenario("stalled")), (30 * 29 - 29) * 100);
  assert.equal(offeredDeliveries(findScenario("1to30")), null);
});

Deno.test("offeredDeliveries counts publishers, subscribers and members together", () => {
  const pace = { kind: "rate", ticksPerSecond: 2, linesPerTick: 5 } as const;
  const plan = customPlan({ publishers: 2, subscribers: 3, members: 4, pace });
  // 2 publishers reach 7; 4 members reach 3 subscribers and 3 other members.
  assert.equal(offeredDeliveries(plan), (2 * 7 + 4 * 6) * 10);
  assert.equal(countSenders(plan), 6);
  assert.equal(countReceivers(plan), 7);
});

Deno.test("checkPlan takes every named scenario and refuses loads that nobody sends or receives", () => {
  for (const scenario of SCENARIOS) checkPlan(scenario);
  for (const name of SHORT_SCENARIOS) checkPlan(findScenario(name));
  for (const parts of [{}, { publishers: 1 }, { subscribers: 1 }, { members: 1 }]) {
    assert.throws(() => checkPlan(customPlan(parts)), RangeError, JSON.stringify(parts));
  }
});

Deno.test("findScenario names the choices when there is no such scenario", () => {
  assert.throws(() => findScenario("1to2"), /"1to2".*1to1, 1to10/);
});

Deno.test("SCENARIOS has each game for a relay that is warm and for one that was just started", () => {
  for (const name of ["class", "lecture", "crowd"]) {
    const [warm, cold] = [findScenario(name), findScenario(`${name}-cold`)];
    assert.ok(!warm.isCold && warm.warmupSeconds > 0);
    assert.deepEqual(cold, { ...warm, name: `${name}-cold`, isCold: true, warmupSeconds: 0 });
  }
});
