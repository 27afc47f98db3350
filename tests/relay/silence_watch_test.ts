// Holds SilenceWatch against its contract on a time that a test moves: who is called and when, however many
// wait and go, and with one timer.

import assert from "node:assert/strict";
import type { Timer } from "../../src/relay/timers.ts";
import { SilenceWatch } from "../../src/relay/silence_watch.ts";
import { ManualTime } from "../support/manual_time.ts";
import { SimulatedLoop } from "../support/simulated_loop.ts";

function setUp() {
  const time = new ManualTime();
  const watch = new SilenceWatch({ clock: time.clock, timers: time.timers, waitMs: 250 });
  const called: [name: string, atMs: number][] = [];
  const silent = (name: string, then = () => {}) => ({
    onSilence() {
      called.push([name, time.nowMs]);
      then();
    },
  });
  return { time, watch, called, silent };
}

Deno.test("SilenceWatch calls each once, when its own time is over, with one timer for all", async () => {
  const { time, watch, called, silent } = setUp();
  for (const [at, name] of [[0, "ada"], [100, "bo"], [100, "cy"], [240, "di"]] as const) {
    await time.pass(at - time.nowMs);
    watch.add(silent(name));
    assert.equal(time.running, 1);
  }
  await time.pass(1000);
  assert.deepEqual(called, [["ada", 250], ["bo", 350], ["cy", 350], ["di", 490]]);
  assert.equal(time.running, 0);
  watch.add(silent("eve"));
  await time.pass(249);
  assert.equal(called.length, 4);
  await time.pass(1);
  assert.deepEqual(called.at(-1), ["eve", 1490]);
});

Deno.test("SilenceWatch calls nobody who is deleted, and keeps no timer for nobody", async () => {
  const { time, watch, called, silent } = setUp();
  const [ada, bo] = [silent("ada"), silent("bo")];
  watch.add(ada);
  await time.pass(100);
  watch.add(bo);
  watch.delete(ada);
  watch.delete(ada);
  assert.equal(time.running, 1);
  await time.pass(150);
  assert.deepEqual(called, []);
  watch.delete(bo);
  assert.equal(time.running, 0);
  await time.pass(1000);
  assert.deepEqual(called, []);
});

Deno.test("SilenceWatch waits anew for who is added again, also from its own call", async () => {
  const { time, watch, called, silent } = setUp();
  let left = 2;
  const ada = silent("ada", () => void (left-- > 0 && watch.add(ada)));
  watch.add(ada);
  await time.pass(200);
  watch.add(ada);
  await time.pass(2000);
  assert.deepEqual(called, [["ada", 450], ["ada", 700], ["ada", 950]]);
  assert.equal(time.running, 0);
});

Deno.test("SilenceWatch keeps nobody waiting longer for one who is added again", async () => {
  const { time, watch, called, silent } = setUp();
  const ada = silent("ada");
  watch.add(ada);
  await time.pass(100);
  watch.add(silent("bo"));
  await time.pass(100);
  watch.add(ada);
  await time.pass(1000);
  assert.deepEqual(called, [["bo", 350], ["ada", 450]]);
});

Deno.test("SilenceWatch waits for who comes after all others were deleted", async () => {
  const { time, watch, called, silent } = setUp();
  const ada = silent("ada");
  watch.add(ada);
  await time.pass(100);
  watch.delete(ada);
  watch.add(silent("bo"));
  await time.pass(1000);
  assert.deepEqual(called, [["bo", 350]]);
});

Deno.test("SilenceWatch calls a part of those whose time is over at once, and the rest in later turns", () => {
  const loop = new SimulatedLoop();
  const watch = new SilenceWatch({ clock: loop.clock, timers: loop.timers, waitMs: 250 });
  const called: number[] = [];
  const each = Array.from({ length: 10 }, (_, i) => ({
    onSilence() {
      called.push(i);
      loop.spend(0.9);
    },
  }));
  for (const one of each) watch.add(one);
  loop.run(250);
  assert.equal(called.length, 3);
  watch.delete(each[9]);
  loop.turn();
  assert.equal(called.length, 6);
  loop.run(1000);
  assert.deepEqual([called, loop.running], [[0, 1, 2, 3, 4, 5, 6, 7, 8], 0]);
});

Deno.test("SilenceWatch calls who is due also where a timer ends early by the clock", () => {
  const early: (() => void)[] = [];
  const setTimeout = (callback: () => void) => early.push(callback) as unknown as Timer;
  const timers = { setTimeout, clearTimeout: () => {} };
  const watch = new SilenceWatch({ clock: () => 0, timers, waitMs: 250 });
  let calls = 0;
  const ada = { onSilence: () => void (++calls < 3 && watch.add(ada)) };
  watch.add(ada);
  for (let call = 1; call <= 3; call++) {
    early.shift()!();
    assert.equal(calls, call);
  }
  assert.equal(early.length, 0);
});
