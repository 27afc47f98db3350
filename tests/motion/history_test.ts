import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { History } from "../../src/motion/history.ts";

Deno.test("History keeps the newest samples in order of their time, whatever order they come in", () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(times, fc.integer({ min: 1, max: 12 }), (arrivals, capacity) => {
    const history = new History(capacity);
    let kept: number[] = [];
    for (const t of arrivals) {
      history.insert(t, [t * 2], undefined, undefined, false);
      kept = [...kept, t].sort((a, b) => a - b).slice(-capacity);
      assert.deepEqual(history.slots.map((slot) => slot.t), kept);
      assert.deepEqual(history.slots.map((slot) => slot.pos[0]), kept.map((k) => k * 2));
    }
  }));
});

Deno.test("History works out a missing velocity from both neighbours, at an end from one", () => {
  const history = new History(8);
  for (const [t, x] of [[0, 0], [100, 10], [300, 50]]) history.insert(t, [x], undefined, undefined, false);
  // The parabola through the points has slopes 100 and 200 left and right of the middle, 100 + 100 x 1/3 in
  // it.
  assert.deepEqual(history.slots.map((slot) => Math.round(slot.vel[0] * 1000) / 1000), [100, 133.333, 200]);
});

Deno.test("History infers nothing across a teleport", () => {
  const history = new History(8);
  history.insert(0, [0], undefined, undefined, false);
  history.insert(100, [10], undefined, undefined, false);
  history.insert(200, [500], undefined, undefined, true);
  assert.equal(history.since(), 2);
  assert.deepEqual(history.slots.map((slot) => slot.vel[0]), [100, 100, 0]);
});

Deno.test("History knows a doubled time", () => {
  const history = new History(4);
  for (const t of [0, 100, 200]) history.insert(t, [t], undefined, undefined, false);
  assert.deepEqual([0, 50, 100, 200, 300].map((t) => history.has(t)), [true, false, true, true, false]);
});

Deno.test("History begins with its last teleport, also where an earlier one comes later", () => {
  const history = new History(8);
  history.insert(200, [500], undefined, undefined, true);
  history.insert(100, [10], undefined, undefined, true);
  assert.equal(history.since(), 1);
});
