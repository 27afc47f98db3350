// The tally against what can go wrong between a sender and a receiver.

import assert from "node:assert/strict";
import { type Counts, Tally } from "./tally.ts";

const CASES: [name: string, play: (tally: Tally) => void, expected: Partial<Counts>][] = [
  ["all is well", (tally) => [1, 2, 3].forEach((number) => tally.note("ada", number, 0)), { received: 3 }],
  ["it came in the middle", (tally) => [7, 8].forEach((number) => tally.note("ada", number, 0)), {
    received: 2,
  }],
  ["one is lost", (tally) => [1, 3].forEach((number) => tally.note("ada", number, 0)), {
    received: 2,
    missing: 1,
    unreported: 1,
  }],
  ["one is lost and told", (tally) => {
    tally.note("ada", 1, 0);
    tally.tell(1);
    tally.note("ada", 3, 0);
  }, { received: 2, missing: 1, told: 1 }],
  ["two senders' are lost and one is told", (tally) => {
    for (const from of ["ada", "bo"]) [1, 3].forEach((number) => tally.note(from, number, 0));
    tally.tell(1);
  }, { received: 4, missing: 2, told: 1, unreported: 1 }],
  ["one came twice", (tally) => [1, 2, 2].forEach((number) => tally.note("ada", number, 0)), {
    received: 3,
    doubled: 1,
  }],
  ["one came late", (tally) => [1, 3, 2].forEach((number) => tally.note("ada", number, 0)), {
    received: 3,
    missing: 1,
    unreported: 1,
    reordered: 1,
  }],
  ["the sender knows what it has lost", (tally) => {
    tally.note("ada", 1, 2);
    tally.note("ada", 5, 5);
  }, { received: 2 }],
  ["the sender knows of fewer than are missing", (tally) => {
    tally.note("ada", 1, 2);
    tally.note("ada", 5, 4);
  }, { received: 2, missing: 1, unreported: 1 }],
  ["a new session can't know", (tally) => {
    tally.note("ada", 1, 0);
    tally.restart();
    tally.note("ada", 90, 0);
  }, { received: 2 }],
  ["one is lost in the new session", (tally) => {
    tally.note("ada", 1, 0);
    tally.restart();
    tally.note("ada", 90, 0);
    tally.note("ada", 92, 0);
  }, { received: 3, missing: 1, unreported: 1 }],
  ["one came again in the new session", (tally) => {
    tally.note("ada", 1, 0);
    tally.restart();
    tally.note("ada", 1, 0);
  }, { received: 2, doubled: 1 }],
  ["a sender with a loss is gone", (tally) => {
    tally.note("ada", 1, 0);
    tally.note("ada", 3, 0);
    tally.retire("ada");
  }, { received: 2, missing: 1, unreported: 1 }],
  ["the last one is lost", (tally) => {
    tally.note("ada", 1, 0);
    tally.finish("ada", 2, 0);
  }, { received: 1, missing: 1, unreported: 1 }],
];

for (const [name, play, expected] of CASES) {
  Deno.test(`Tally counts when ${name}`, () => {
    const tally = new Tally();
    play(tally);
    const nothing = { received: 0, missing: 0, told: 0, unreported: 0, doubled: 0, reordered: 0 };
    assert.deepEqual(tally.counts, { ...nothing, ...expected });
  });
}
