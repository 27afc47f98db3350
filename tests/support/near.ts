// Numbers that are the same but for rounding.

import assert from "node:assert/strict";

/** Asserts that a number is the expected one, or as near to it as `tolerance`. */
export function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}
