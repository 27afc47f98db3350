import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { MinDelayFilter } from "../../src/motion/clock.ts";

Deno.test("MinDelayFilter gives the offset of the quickest arrival", () => {
  const filter = new MinDelayFilter();
  assert.equal(filter.offsetMs, Infinity);
  assert.equal(filter.update(1000, 6080), 5080);
  assert.equal(filter.update(1100, 6130), 5030);
  assert.equal(filter.update(1200, 6900), 5030);
});

Deno.test("MinDelayFilter is off by the smallest delay and no more", () => {
  const delays = fc.array(fc.double({ min: 5, max: 500, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(fc.property(delays, fc.integer({ min: -1_000_000, max: 1_000_000 }), (all, offset) => {
    const filter = new MinDelayFilter();
    all.forEach((delay, i) => filter.update(i * 100, i * 100 + offset + delay));
    assert.ok(Math.abs(filter.offsetMs - (offset + Math.min(...all))) < 1e-6);
  }));
});

Deno.test("MinDelayFilter follows a clock that drifts, within its window", () => {
  const filter = new MinDelayFilter(10_000);
  const drift = 0.001;
  for (let now = 0; now <= 60_000; now += 100) filter.update(now * (1 - drift), now + 20);
  const behind = 60_000 * drift + 20 - filter.offsetMs;
  assert.ok(behind >= 0 && behind <= 10_000 * drift, `behind by ${behind} ms`);
});
