// Holds Rates against what was added, second by second.

import assert from "node:assert/strict";
import { Rates } from "../../src/relay/rates.ts";

function add(rates: Rates, lines: number): void {
  rates.sum.inLines += lines;
  rates.sum.outBytes += 10 * lines;
}

Deno.test("Rates gives each second what was added in it, and keeps two minutes", () => {
  const rates = new Rates(1000);
  add(rates, 5);
  rates.note(1999);
  assert.deepEqual(rates.list(), []);
  rates.note(2000);
  assert.deepEqual(rates.list(), [{ inLines: 5, inBytes: 0, outLines: 0, outBytes: 50 }]);
  add(rates, 8);
  rates.note(6100); // four seconds at once
  assert.deepEqual(rates.list().slice(1).map(({ inLines }) => inLines), [2, 2, 2, 2]);
  add(rates, 7);
  rates.note(7000);
  assert.equal(rates.list().at(-1)!.inLines, 7, "the hundred ms were not lost");
  for (let i = 8; i < 300; i++) {
    add(rates, i);
    rates.note(i * 1000);
  }
  assert.equal(rates.list().length, 120);
  assert.equal(rates.list().at(-1)!.inLines, 299);
  rates.note(1e12);
  assert.equal(rates.list().length, 120);
  assert.equal(rates.list().at(-1)!.inLines, 0);
});
