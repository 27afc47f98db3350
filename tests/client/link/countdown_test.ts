// Tests src/client/link/countdown.ts, on a time of the test's own.

import assert from "node:assert/strict";
import { Countdown } from "../../../src/client/link/countdown.ts";
import { FakeTime } from "../../support/fake_time.ts";

/** Begins to count, and says when it was over: at most once. */
function count(time: FakeTime, ms: number) {
  const begunMs = time.nowMs, overMs: number[] = [];
  return { overMs, countdown: new Countdown(ms, () => overMs.push(time.nowMs - begunMs)) };
}

Deno.test("Countdown calls back once, when its time is over, however long that is", () => {
  for (const ms of [0, 1, 7, 3000, 2 ** 31 - 1, 2 ** 31, 1e12]) {
    using time = new FakeTime();
    const { overMs } = count(time, ms);
    time.pass(ms - Math.min(ms, 0.1));
    assert.deepEqual(overMs, ms === 0 ? [0] : [], `${ms} ms are not over`);
    time.pass(2 ** 32);
    assert.deepEqual(overMs, [ms]);
    assert.equal(time.timers, 0);
  }
});

Deno.test("Countdown ends also where a part of its time is no time", () => {
  using time = new FakeTime();
  const counts = [1, 2, 3].map((times) => count(time, times * Number.MIN_VALUE));
  time.pass(1);
  assert.deepEqual([counts.map(({ overMs }) => overMs.length), time.timers], [[1, 1, 1], 0]);
});

Deno.test("Countdown lets the program hear what came while it stood still, for however long", () => {
  for (const stoodStillMs of [2900, 3000, 3100, 60_000]) {
    using time = new FakeTime();
    const { overMs } = count(time, 3000);
    time.block(stoodStillMs);
    assert.deepEqual(overMs, []);
    time.pass(2249);
    assert.deepEqual(overMs, []);
    time.pass(1);
    assert.deepEqual(overMs, [stoodStillMs + 2250]);
  }
});

Deno.test("Countdown calls nobody back once it was stopped, nor after Infinity, and leaves no timer", () => {
  using time = new FakeTime();
  for (const [ms, passesMs] of [[3000, 0], [3000, 2999], [Infinity, 1e12]]) {
    const { overMs, countdown } = count(time, ms);
    time.pass(passesMs);
    countdown.stop();
    assert.equal(time.timers, 0);
    time.pass(1e6);
    assert.deepEqual(overMs, []);
  }
});
