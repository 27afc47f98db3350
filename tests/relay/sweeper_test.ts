// Holds Sweeper against its contract, with a clock and timers of its own: how much it does in a turn, and
// when it begins anew.

import assert from "node:assert/strict";
import type { Timer, Timers } from "../../src/relay/timers.ts";
import { Sweeper } from "../../src/relay/sweeper.ts";

/** A time that goes on when a test says so, with one timer. */
class Time {
  nowMs = 0;
  due: { at: number; callback: () => void } | undefined;
  readonly timers: Timers = {
    setTimeout: (callback, ms) => {
      this.due = { at: this.nowMs + ms, callback };
      return 1 as unknown as Timer;
    },
    clearTimeout: () => void (this.due = undefined),
  };
  readonly clock = () => this.nowMs;

  /** Lets the timer end. */
  next(): void {
    const { at, callback } = this.due!;
    this.nowMs = Math.max(this.nowMs, at);
    this.due = undefined;
    callback();
  }
}

Deno.test("Sweeper does a round in parts of a few ms, each in a turn of its own, and goes on where it stopped", () => {
  const time = new Time();
  const done: number[] = [];
  const starts: number[] = [];
  const sweeper = new Sweeper(time, 1000, function* (nowMs) {
    starts.push(nowMs);
    for (let i = 0; i < 100; i++) {
      time.nowMs += 0.1;
      done.push(i);
      yield;
    }
  });
  time.next();
  assert.deepEqual([starts, done.length], [[1000], 32], "as many looks as 2 ms take");
  let parts = 1;
  for (; done.length < 100; parts++) time.next();
  assert.equal(parts, 4);
  assert.deepEqual(done, Array.from({ length: 100 }, (_, i) => i));
  time.next();
  time.next();
  assert.deepEqual(starts, [1000, 2000], "a round a second");
  sweeper.close();
  assert.equal(time.due, undefined);
});

Deno.test("Sweeper that was closed by a step begins nothing any more", () => {
  const time = new Time();
  let steps = 0;
  const sweepers: Sweeper[] = [];
  sweepers.push(
    new Sweeper(time, 10, function* () {
      steps++;
      sweepers[0].close();
      yield;
    }),
  );
  time.next();
  assert.deepEqual([steps, time.due], [1, undefined]);
});
