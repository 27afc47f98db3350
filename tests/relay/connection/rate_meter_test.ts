// Holds RateMeter to its rate, with worked numbers and over random histories.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { RateMeter } from "../../../src/relay/connection/rate_meter.ts";

Deno.test("RateMeter allows a second's worth at once, then a line after the other", () => {
  const meter = new RateMeter(10);
  assert.equal(meter.allowance(5000), 10);
  meter.take(10);
  assert.deepEqual([meter.allowance(5000), meter.waitMs], [0, 100]);
  assert.deepEqual([meter.allowance(5050), meter.waitMs], [0, 50]);
  assert.equal(meter.allowance(5100), 1);
  meter.take(1);
  assert.deepEqual([meter.allowance(5100), meter.waitMs], [0, 100]);
  assert.equal(meter.allowance(5450), 3);
});

Deno.test("RateMeter has a line when its time has come, also where fractions add up to a little less", () => {
  const meter = new RateMeter(10);
  meter.take(meter.allowance(0));
  for (let nowMs = 10; nowMs < 100; nowMs += 10) assert.equal(meter.allowance(nowMs), 0);
  assert.equal(meter.allowance(100), 1);
});

Deno.test("RateMeter saves up no more than a second's worth", () => {
  const meter = new RateMeter(100);
  assert.equal(meter.allowance(0), 100);
  assert.equal(meter.allowance(1e9), 100);
  meter.take(100);
  assert.equal(meter.allowance(1e9), 0);
});

Deno.test("RateMeter allows one line at once where a second's worth is less, and lets many come together where it is much", () => {
  const slow = new RateMeter(0.5);
  assert.equal(slow.allowance(0), 1);
  slow.take(1);
  assert.deepEqual([slow.allowance(0), slow.waitMs], [0, 2000]);
  const fast = new RateMeter(100_000);
  assert.equal(fast.allowance(0), 100_000);
  fast.take(100_000);
  assert.deepEqual([fast.allowance(0), fast.waitMs], [0, 10]);
  assert.equal(fast.allowance(10), 1000);
});

Deno.test("RateMeter allows at each look as many as the rate and one second make, and has some after each wait", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.array(fc.tuple(fc.nat(1000), fc.nat(300)), { maxLength: 50 }),
      (rate, steps) => {
        const meter = new RateMeter(rate);
        let nowMs = 0, taken = 0;
        for (const [share, pauseMs] of steps) {
          const allowance = meter.allowance(nowMs);
          const lines = Math.floor(allowance * share / 1000);
          meter.take(lines);
          taken += lines;
          assert.ok(taken <= rate * (1 + nowMs / 1000) + 1e-3, `${taken} after ${nowMs} ms`);
          if (meter.allowance(nowMs) > 0) nowMs += pauseMs;
          else {
            nowMs += meter.waitMs;
            assert.ok(meter.allowance(nowMs) > 0, "there is one after the wait");
          }
        }
      },
    ),
  );
});
