// Holds RateMeter to its rate, with worked numbers and over random histories.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { RateMeter } from "../../../src/relay/connection/rate_meter.ts";

Deno.test("RateMeter lets a second's worth through at once, then tells how long to wait", () => {
  const meter = new RateMeter(100);
  assert.equal(meter.take(100, 5000), 0);
  assert.equal(meter.take(10, 5000), 100);
  assert.equal(meter.take(0, 5050), 50);
  assert.equal(meter.take(0, 5100), 0);
  assert.equal(meter.take(1, 5100), 10);
});

Deno.test("RateMeter saves up no more than a second's worth", () => {
  const meter = new RateMeter(100);
  assert.equal(meter.take(0, 0), 0);
  assert.equal(meter.take(100, 1e9), 0);
  assert.equal(meter.take(100, 1e9), 1000);
});

Deno.test("RateMeter never lets more through than the rate and one second, to who waits as long as it says", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.tuple(fc.nat(500), fc.nat(300)), { maxLength: 50 }),
      (rate, steps) => {
        const meter = new RateMeter(rate);
        let nowMs = 0, taken = 0, waitMs = 0;
        for (const [lines, pauseMs] of steps) {
          nowMs += Math.max(waitMs, pauseMs);
          assert.ok(taken <= rate * (1 + nowMs / 1000) + 1e-6, `${taken} after ${nowMs} ms`);
          waitMs = meter.take(lines, nowMs);
          taken += lines;
        }
      },
    ),
  );
});
