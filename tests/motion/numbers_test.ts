// Tests src/motion/numbers.ts with what JSON, and programs, can hold.

import assert from "node:assert/strict";
import {
  isFiniteVector,
  isUsable,
  isVector,
  isVectorOrMissing,
  MAX_DIMENSIONS,
  MAX_NUMBER,
} from "../../src/motion/numbers.ts";

Deno.test("isUsable takes numbers up to MAX_NUMBER to either side, and nothing else", () => {
  for (const value of [0, -0, 0.5, MAX_NUMBER, -MAX_NUMBER]) assert.ok(isUsable(value), `${value}`);
  for (const value of [NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), "1", 1n, null, undefined, [1]]) {
    assert.ok(!isUsable(value), `${value}`);
  }
});

Deno.test("isVector takes lists of 1 to MAX_DIMENSIONS usable numbers, without holes", () => {
  for (const value of [[0], [1, -2.5], Array(MAX_DIMENSIONS).fill(0)]) assert.ok(isVector(value));
  const holed = [1, 2, 3];
  delete holed[1];
  for (
    const value of [
      [],
      Array(MAX_DIMENSIONS + 1).fill(0),
      [NaN],
      [1, "2"],
      holed,
      { length: 1, 0: 1 },
      new Float64Array(2),
      "12",
    ]
  ) assert.ok(!isVector(value), String(value));
});

Deno.test("isVectorOrMissing wants as many numbers as there are dimensions, or none", () => {
  assert.deepEqual([undefined, [1, 2], [1], null, [1, NaN]].map((value) => isVectorOrMissing(value, 2)), [
    true,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("isFiniteVector finds NaN and the infinite ones at any place, and looks no further than asked", () => {
  assert.ok(isFiniteVector([1, -MAX_NUMBER, 1e308], 3));
  for (const value of [NaN, Infinity, -Infinity]) {
    for (let d = 0; d < 3; d++) {
      const vector = [1, 2, 3];
      vector[d] = value;
      assert.equal(isFiniteVector(vector, 3), false, `${vector}`);
      assert.equal(isFiniteVector(vector, d), true);
    }
  }
});
