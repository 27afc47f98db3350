import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { LATE_FOR_MS, LATE_MS, MinDelayFilter } from "../../src/motion/clock.ts";

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

Deno.test("MinDelayFilter follows a step that makes deliveries look slower once it has lasted, and no stall", () => {
  const filter = new MinDelayFilter();
  let now = 0;
  for (; now < 3_000; now += 100) assert.equal(filter.update(now - 40, now), 40);
  // A stall of two seconds, whose samples come at once.
  now += 2_000;
  for (let t = 3_000; t <= now; t += 100) filter.update(t - 40, now);
  assert.equal(filter.offsetMs, 40);
  // From here on the arrivals' clock is 20 s ahead.
  const since = now + 20_100;
  for (now = since; now < since + LATE_FOR_MS; now += 100) {
    assert.equal(filter.update(now - 20_000 - 60, now), 40);
  }
  assert.equal(filter.update(now - 20_000 - 70, now), 20_060);
  assert.ok(filter.update(now + 100 - 20_000 - 50, now + 100) === 20_050);
  // And back again: what looks quicker holds at once.
  assert.equal(filter.update(now - 19_900 - 45, now - 19_900), 45);
  assert.ok(LATE_MS < 20_000);
});

Deno.test("MinDelayFilter takes deliveries that are more than half a second late for another offset, no less", () => {
  for (const [lateMs, offsetMs] of [[500, 40], [501, 541]]) {
    const filter = new MinDelayFilter();
    for (let now = 0; now < 3000; now += 100) filter.update(now - 40, now);
    for (let now = 3000; now <= 4000; now += 100) filter.update(now - 40 - lateMs, now);
    assert.equal(filter.offsetMs, offsetMs, `${lateMs} ms late`);
  }
});
