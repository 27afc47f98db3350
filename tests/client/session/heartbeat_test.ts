// Tests src/client/session/heartbeat.ts with times given by hand.

import assert from "node:assert/strict";
import { Heartbeat } from "../../../src/client/session/heartbeat.ts";

/** Runs a heartbeat for a while; returns when it pinged, and when it gave up. */
function run(heartbeat: Heartbeat, forMs: number, each: (nowMs: number) => void = () => {}) {
  const pings: number[] = [];
  for (let nowMs = 0; nowMs <= forMs; nowMs += heartbeat.planTick()) {
    each(nowMs);
    const { isPingDue, isDead } = heartbeat.tick(nowMs);
    if (isPingDue) pings.push(nowMs);
    if (isDead) return { pings, deadAtMs: nowMs };
  }
  return { pings, deadAtMs: undefined };
}

function distances(times: number[]): number[] {
  return times.slice(1).map((time, i) => time - times[i]);
}

Deno.test("Heartbeat pings eight times at once, then every second while active", () => {
  const heartbeat = new Heartbeat(15_000, 0);
  const { pings } = run(heartbeat, 10_000, () => {
    heartbeat.isActive = true;
    heartbeat.noteReceived();
  });
  assert.deepEqual(distances(pings.slice(0, 8)), Array(7).fill(50));
  assert.deepEqual(new Set(distances(pings.slice(8))), new Set([1000]));
});

Deno.test("Heartbeat pings every 5 s when idle, more often if the other side waits less than 15 s", () => {
  const idle = new Heartbeat(15_000, 0);
  assert.deepEqual(
    new Set(distances(run(idle, 60_000, () => idle.noteReceived()).pings.slice(8))),
    new Set([5000]),
  );
  const hurried = new Heartbeat(1500, 0);
  const { pings } = run(hurried, 60_000, () => hurried.noteReceived());
  assert.ok(Math.max(...distances(pings)) <= 500);
});

Deno.test("Heartbeat finds a silent connection dead after the time-out, not before, and not one that speaks", () => {
  const { deadAtMs } = run(new Heartbeat(15_000, 0), 60_000);
  assert.ok(deadAtMs! >= 15_000 && deadAtMs! <= 16_000, `${deadAtMs}`);
  const alive = new Heartbeat(15_000, 0);
  assert.equal(
    run(alive, 60_000, (nowMs) => nowMs % 14_000 < 1000 && alive.noteReceived()).deadAtMs,
    undefined,
  );
});

Deno.test("Heartbeat takes no blame for a program that was blocked: that is no silence, and no measure", () => {
  const heartbeat = new Heartbeat(15_000, 0);
  heartbeat.tick(0);
  heartbeat.planTick();
  assert.equal(heartbeat.isMeasure(10, 60), true);
  assert.equal(heartbeat.isMeasure(10, 20_000), false, "read before the timer runs");
  assert.deepEqual(heartbeat.tick(20_000).isDead, false);
  heartbeat.planTick();
  assert.equal(heartbeat.isMeasure(10, 20_001), false, "read after the timer ran, asked before");
  assert.equal(heartbeat.isMeasure(20_001, 20_010), true);
});
