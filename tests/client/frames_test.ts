// Tests src/client/frames.ts: the schedules with time passed in, the generator with the real clock only where
// that can't fail.

import assert from "node:assert/strict";
import { frames, FrameSchedule, rateLimit } from "../../src/client/frames.ts";

Deno.test("FrameSchedule does not drift when every timer is late", () => {
  const schedule = new FrameSchedule(50, 0);
  let [nowMs, count] = [0, 0];
  while (nowMs < 10_000) {
    nowMs += schedule.waitMs(nowMs) + 1 + (count % 7);
    schedule.begin(nowMs);
    count++;
  }
  assert.ok(Math.abs(count - 500) <= 1, `${count} frames in 10 s`);
});

Deno.test("FrameSchedule.begin returns seconds that add up to the time that passed", () => {
  const schedule = new FrameSchedule(30, 1000);
  let [nowMs, sum] = [1000, 0];
  for (let i = 0; i < 1000; i++) {
    nowMs += schedule.waitMs(nowMs) + (i % 5) * 3;
    sum += schedule.begin(nowMs);
  }
  assert.ok(Math.abs(sum - (nowMs - 1000) / 1000) < 1e-9);
});

Deno.test("FrameSchedule makes one long frame of a pause, and no burst after it", () => {
  const schedule = new FrameSchedule(10, 0);
  schedule.begin(100);
  assert.equal(schedule.begin(5100), 5);
  assert.equal(schedule.waitMs(5100), 100);
  // A frame that is late by less than a period keeps the schedule.
  assert.ok(Math.abs(schedule.begin(5230) - 0.13) < 1e-9);
  assert.equal(schedule.waitMs(5230), 70);
});

Deno.test("frames yields about the seconds of a period and lets timers run in between", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  let count = 0, sum = 0;
  for await (const seconds of frames(200)) {
    assert.ok(seconds > 0, `${seconds} s`); // one that follows a late one is shorter
    sum += seconds;
    if (++count === 5) break;
  }
  clearInterval(timer);
  assert.ok(sum > 0.02, `${sum} s`);
  assert.ok(turns > 0);
});

Deno.test("frames lets the event loop turn even when the body takes longer than a period", async () => {
  let turned = false;
  for await (const _ of frames(1000)) {
    if (turned) break;
    setTimeout(() => turned = true, 0);
    const startedAtMs = performance.now();
    while (performance.now() - startedAtMs < 3);
  }
  assert.ok(turned);
});

Deno.test("frames ends when the signal is aborted, before, between and during a wait", async () => {
  for await (const _ of frames(1000, { signal: AbortSignal.abort() })) assert.fail("a frame came");

  const between = new AbortController();
  let count = 0;
  for await (const _ of frames(1000, { signal: between.signal })) if (++count === 3) between.abort();
  assert.equal(count, 3);

  const during = new AbortController();
  const next = frames(0.001, { signal: during.signal }).next();
  during.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
});

/** Asks a rate limit at given times, in milliseconds, and returns the times it said yes. */
function ask(hz: number, timesMs: Iterable<number>): number[] {
  let nowMs = 0;
  const isTime = rateLimit(hz, () => nowMs);
  const yes: number[] = [];
  for (nowMs of timesMs) if (isTime()) yes.push(nowMs);
  return yes;
}

Deno.test("rateLimit says yes at once and then at its rate, asked by a frame loop with jitter", () => {
  const frameTimes = Array.from({ length: 300 }, (_, i) => i * 1000 / 30 + (i * 7 % 5) * 2);
  const yes = ask(10, frameTimes);
  assert.equal(yes[0], 0);
  assert.ok(Math.abs(yes.length - 100) <= 1, `${yes.length} in 10 s`);
});

Deno.test("rateLimit never gives more than its rate, nor two closer than half a period, however it is asked", () => {
  let seed = 7;
  const random = () => (seed = seed * 16807 % 2147483647) / 2147483647;
  for (const step of [0.1, 5, 50, 99, 100, 101, 150, 400]) {
    let atMs = 0;
    const yes = ask(10, Array.from({ length: 3000 }, () => atMs += random() * 2 * step));
    assert.ok(yes.length <= atMs / 100 + 2, `${yes.length} in ${atMs} ms`);
    for (let i = 1; i < yes.length; i++) assert.ok(yes[i] - yes[i - 1] >= 50 - 1e-6);
  }
});

Deno.test("rateLimit makes up for nothing after a pause", () => {
  assert.deepEqual(ask(10, [0, 5000, 5001, 5050, 5099, 5100, 5101]), [0, 5000, 5100]);
});

for (const hz of [0, -1, NaN, Infinity]) {
  Deno.test(`frames and rateLimit refuse ${hz} Hz`, () => {
    const refusal = {
      name: "RangeError",
      message: `Cannot keep a rate: hz is ${hz}, a finite number above 0 is allowed`,
    };
    assert.throws(() => frames(hz), refusal);
    assert.throws(() => rateLimit(hz), refusal);
  });
}

Deno.test("frames and rateLimit refuse what is not a number", () => {
  assert.throws(() => frames("30" as unknown as number), TypeError);
  assert.throws(() => rateLimit(undefined as unknown as number), TypeError);
});

Deno.test("frames with a period longer than any timer waits, and ends when the signal is aborted", async () => {
  for (const hz of [1e-7, 1e-300, Number.MIN_VALUE]) {
    const stop = new AbortController();
    let ticks = 0;
    setTimeout(() => stop.abort(), 30);
    for await (const _seconds of frames(hz, { signal: stop.signal })) ticks++;
    assert.equal(ticks, 0, `${hz} Hz`);
  }
});
