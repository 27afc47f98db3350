// Verdicts on memory: what grows is found, what goes up and down is not.

import assert from "node:assert/strict";
import { growth } from "./growth.ts";

function run(seconds: number, mib: (atS: number) => number) {
  return Array.from({ length: seconds / 10 }, (_, i) => ({ atS: (i + 1) * 10, mib: mib((i + 1) * 10) }));
}

Deno.test("growth finds memory that grows all the time", () => {
  assert.ok(growth(run(540, (atS) => 60 + atS / 20))! > 0.1);
});

Deno.test("growth finds memory that grows within lives of a minute", () => {
  assert.ok(growth(run(540, (atS) => 60 + atS / 10 + atS % 60))! > 0.1);
});

Deno.test("growth overlooks a warm-up, and what goes up and down", () => {
  assert.equal(growth(run(540, (atS) => 60 + 30 * Math.min(1, atS / 100))), 0);
  assert.equal(growth(run(540, (atS) => 60 + 20 * (atS / 10 % 2))), 0);
  assert.equal(growth(run(540, (atS) => 60 + atS % 60)), 0);
});

Deno.test("growth says nothing about a short run", () => {
  assert.equal(growth(run(100, (atS) => atS)), undefined);
  assert.equal(growth([]), undefined);
});
