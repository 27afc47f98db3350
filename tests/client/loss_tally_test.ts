// Tests src/client/loss_tally.ts: one call for a flood, and none untold.

import assert from "node:assert/strict";
import { LossTally } from "../../src/client/loss_tally.ts";
import type { Lost } from "../../client.ts";
import { until } from "../support/deadline.ts";

Deno.test("LossTally tells what a turn brings in one call a reason, keys once", async () => {
  const told: Lost[] = [];
  const tally = new LossTally((lost) => told.push(lost));
  for (let i = 0; i < 1000; i++) tally.note("outbox", 1, 10);
  tally.note("inbox", 2, 3);
  tally.note("closed", 0, 0, ["a"]);
  tally.note("closed", 1, 5, ["b", "a"]);
  assert.deepEqual(told, []);
  await until(() => told.length > 0, "the end of the turn");
  assert.deepEqual(told, [
    { reason: "outbox", lines: 1000, bytes: 10_000 },
    { reason: "inbox", lines: 2, bytes: 3 },
    { reason: "closed", lines: 1, bytes: 5, keys: ["a", "b"] },
  ]);
  tally.close();
});

Deno.test("LossTally takes as long for a key whether it holds one or many", () => {
  const told: Lost[] = [];
  const tally = new LossTally((lost) => told.push(lost));
  for (let n = 0; n < 100_000; n++) tally.note("closed", 0, 0, [`${n}`]); // minutes, if each were compared
  tally.close();
  assert.equal(told[0].keys?.length, 100_000);
});

Deno.test("LossTally gathers what follows soon, and close() tells the rest and leaves no timer", async () => {
  const told: Lost[] = [];
  const tally = new LossTally((lost) => told.push(lost));
  tally.note("outbox", 1, 1);
  await until(() => told.length === 1, "the first");
  for (let turn = 0; turn < 20; turn++) {
    tally.note("outbox", 1, 1);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.ok(told.length <= 2, "a second has not passed");
  tally.close();
  assert.equal(told.reduce((sum, { lines }) => sum + lines, 0), 21);
  tally.note("closed", 3, 3);
  await until(() => told.at(-1)!.reason === "closed", "what comes after close()");
});

Deno.test("LossTally tells a reason again whose callback notes more of it", async () => {
  const told: number[] = [];
  const tally = new LossTally(({ lines }) => {
    told.push(lines);
    if (told.length < 3) tally.note("outbox", lines + 1, 1);
  });
  tally.note("outbox", 1, 1);
  await until(() => told.length > 0, "the first");
  tally.close();
  await until(() => told.length === 3, "the others");
  assert.deepEqual(told, [1, 2, 3]);
});

Deno.test("LossTally is done after close(), though its callback notes more, and tells that with what follows", async () => {
  for (const pause of [undefined, Promise.resolve()]) {
    let nowMs = 0;
    const told: number[] = [];
    const tally = new LossTally(async ({ lines }) => {
      told.push(lines);
      if (pause !== undefined) await pause;
      tally.note("closed", 1, 1); // such as a call for help, which is lost, too
    }, () => nowMs);
    tally.note("closed", 5, 5);
    tally.close();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(told, [5, 1]);
    nowMs += 1000;
    tally.note("closed", 7, 7);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(told, [5, 1, 8]);
  }
});
