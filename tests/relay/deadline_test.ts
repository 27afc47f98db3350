// Holds Deadline against its contract on a time that a test moves, also by leaps.

import assert from "node:assert/strict";
import { Deadline } from "../../src/relay/deadline.ts";
import type { Timer } from "../../src/relay/timers.ts";

/** A time with one timer, which ends as late as the test lets it. */
class Time {
  nowMs = 0;
  due: { ms: number; callback: () => void } | undefined;
  readonly clock = () => this.nowMs;
  readonly timers = {
    setTimeout: (callback: () => void, ms: number) => {
      this.due = { ms, callback };
      return 1 as unknown as Timer;
    },
    clearTimeout: () => void (this.due = undefined),
  };

  /** Lets the timer end, some ms later than it should. */
  end(lateMs: number): void {
    const { ms, callback } = this.due!;
    this.due = undefined;
    this.nowMs += ms + lateMs;
    callback();
  }
}

function setUp(ms: number) {
  const time = new Time(), passed: number[] = [];
  const deadline = new Deadline(time, ms, () => passed.push(time.nowMs));
  return { time, passed, deadline };
}

Deno.test("Deadline passes once, as timers do, also some hundred ms late", () => {
  for (const lateMs of [-1, 0, 30, 500]) {
    const { time, passed } = setUp(5000);
    time.end(lateMs);
    assert.deepEqual([passed, time.due], [[5000 + lateMs], undefined]);
  }
});

Deno.test("Deadline is put off by a second, once, where the relay stood still", () => {
  for (const lateMs of [501, 12_000]) {
    const { time, passed } = setUp(250);
    time.end(lateMs);
    assert.deepEqual(passed, []);
    time.end(9000);
    assert.deepEqual([passed, time.due], [[250 + lateMs + 1000 + 9000], undefined]);
  }
});

Deno.test("Deadline that is ended does not pass, also while it is put off", () => {
  const [first, second] = [setUp(250), setUp(250)];
  first.deadline.end();
  second.time.end(1000);
  second.deadline.end();
  assert.deepEqual([first.time.due, second.time.due, first.passed, second.passed], [
    undefined,
    undefined,
    [],
    [],
  ]);
});
