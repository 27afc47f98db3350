// Tests of the benchmark's histogram against sorting all values.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { LatencyHistogram } from "../../bench/latency_histogram.ts";

Deno.test("LatencyHistogram gives every quantile at most one part in 128 too high", () => {
  const values = fc.array(fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2 ** 30 - 1 })), { minLength: 1 });
  fc.assert(fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
    const histogram = new LatencyHistogram();
    for (const value of all) histogram.add(value);
    const sorted = all.toSorted((a, b) => a - b);
    const exact = sorted[Math.max(1, Math.ceil(q * all.length)) - 1];
    const got = histogram.quantile(q);
    assert.ok(got >= exact && got <= exact + exact / 128, `${got} for ${exact}`);
    assert.equal(histogram.max, sorted.at(-1));
  }));
});

Deno.test("LatencyHistogram counts a value as often as told, and merges", () => {
  const one = new LatencyHistogram();
  one.add(10, 99);
  const other = new LatencyHistogram();
  other.add(5000);
  one.merge(other);
  assert.equal(one.count, 100);
  assert.equal(one.max, 5000);
  assert.equal(one.quantile(0.99), 10);
  assert.equal(one.quantile(1), 5000);
});

Deno.test("LatencyHistogram takes values out of its range as its ends", () => {
  const histogram = new LatencyHistogram();
  histogram.add(-3);
  assert.equal(histogram.max, 0);
  histogram.add(2 ** 40);
  assert.equal(histogram.max, 2 ** 30 - 1);
  assert.equal(histogram.quantile(1), 2 ** 30 - 1);
});

Deno.test("LatencyHistogram without values has quantile 0", () => {
  assert.equal(new LatencyHistogram().quantile(0.99), 0);
});
