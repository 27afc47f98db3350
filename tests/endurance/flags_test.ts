// Flags of the endurance programs.

import assert from "node:assert/strict";
import { readNumbers } from "./flags.ts";

const FLAGS = {
  seconds: { value: 20, least: 1, most: 100 },
  seed: { value: 7, least: 0, most: 99, isWhole: true },
};

Deno.test("readNumbers reads numbers, and takes defaults for the others", () => {
  assert.deepEqual(readNumbers(["--seconds", "1.5"], FLAGS), { seconds: 1.5, seed: 7 });
  assert.deepEqual(readNumbers(["--seed=0"], FLAGS), { seconds: 20, seed: 0 });
  assert.equal(readNumbers(["--seconds", "x", "--help"], FLAGS), null);
});

for (
  const [args, expected] of [
    [["--seconds", "0.5"], /Cannot use --seconds "0.5": a number from 1 to 100 is allowed/],
    [["--seconds", "x"], /Cannot use --seconds "x"/],
    [["--seconds", ""], /Cannot use --seconds ""/],
    [["--seed", "1.5"], /Cannot use --seed "1.5": a whole number from 0 to 99 is allowed/],
    [["--speed", "1"], /--speed/],
    [["5"], /5/],
  ] as const
) {
  Deno.test(`readNumbers refuses ${args.join(" ")}`, () => {
    assert.throws(() => readNumbers([...args], FLAGS), expected);
  });
}
