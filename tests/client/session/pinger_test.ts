// Tests src/client/session/pinger.ts: what a pause brings. When pings are due otherwise is heartbeat.ts's,
// and tested there.

import assert from "node:assert/strict";
import { FakeTime } from "../../support/fake_time.ts";
import { Pinger } from "../../../src/client/session/pinger.ts";

/** A pinger on a time of the test's own. */
function makePinger(time: FakeTime, timeoutMs = 15_000) {
  const seen = { pings: 0, flushes: 0, dead: [] as string[] };
  const pinger = new Pinger({
    timeoutMs,
    now: () => time.nowMs,
    wallNow: () => time.wallMs,
    countChanges: () => 0,
    onTick: (isPingDue) => void (isPingDue && seen.pings++),
    flush: () => void seen.flushes++,
    onDead: (error) => {
      seen.dead.push(error.message);
      pinger.stop();
    },
  });
  return { pinger, seen };
}

/** Begins, and hears the answers to the first pings. */
function begin(time: FakeTime, { pinger }: ReturnType<typeof makePinger>): void {
  pinger.start();
  for (let i = 0; i < 30; i++) {
    time.pass(100);
    pinger.noteReceived();
  }
}

Deno.test("Pinger.wake pings at once, and gives up after 3 s of silence", () => {
  using time = new FakeTime();
  const made = makePinger(time);
  begin(time, made);
  const { pinger, seen } = made;
  const { pings, flushes } = seen;
  pinger.wake();
  pinger.wake();
  assert.deepEqual([seen.pings - pings, seen.flushes - flushes], [1, 1]);
  time.pass(2900);
  assert.deepEqual(seen.dead, []);
  time.pass(200);
  assert.deepEqual(seen.dead, ["nothing was heard of the relay for 3 s after a pause"]);
  assert.equal(time.timers, 0);
});

Deno.test("Pinger.wake is content with an answer, with what still comes, but not with what came at once", () => {
  using time = new FakeTime();
  const made = makePinger(time);
  begin(time, made);
  const { pinger, seen } = made;
  pinger.wake();
  pinger.notePong(time.nowMs - 1); // of a ping from before
  time.pass(100);
  pinger.noteReceived();
  pinger.notePong(time.nowMs - 50);
  time.pass(5000);
  assert.deepEqual(seen.dead, [], "an answer");

  pinger.wake();
  time.pass(2500);
  pinger.noteReceived();
  time.pass(1000);
  assert.deepEqual(seen.dead, [], "the answer waits behind much else");

  pinger.noteReceived();
  pinger.wake();
  pinger.noteReceived(); // had arrived before the pause
  time.pass(3100);
  assert.equal(seen.dead.length, 1);
});

Deno.test("Pinger notices that the machine slept, by the clock on the wall", () => {
  using time = new FakeTime();
  const made = makePinger(time);
  begin(time, made);
  const { seen } = made;
  time.sleep(4000);
  time.pass(1000);
  time.pass(3100);
  assert.deepEqual(seen.dead, [], "4 s are no sleep");
  made.pinger.noteReceived();
  time.sleep(3_600_000);
  time.pass(1000);
  time.pass(3100);
  assert.deepEqual(seen.dead, ["nothing was heard of the relay for 3 s after a pause"]);
});

Deno.test("Pinger takes a program that was busy again and again not for a relay that is silent", () => {
  using time = new FakeTime();
  const made = makePinger(time);
  begin(time, made);
  const { pinger, seen } = made;
  for (let i = 0; i < 5; i++) {
    time.block(6000); // timers come first, and what has arrived is read after them
    pinger.noteReceived();
  }
  assert.deepEqual(seen.dead, []);
});

Deno.test("Pinger.wake waits no longer than the relay allows silence", () => {
  using time = new FakeTime();
  const made = makePinger(time, 600);
  made.pinger.start();
  time.pass(100);
  made.pinger.noteReceived();
  made.pinger.wake();
  time.pass(590);
  assert.equal(made.seen.dead.length, 0);
  time.pass(20);
  assert.deepEqual(made.seen.dead, ["nothing was heard of the relay for 0.6 s after a pause"]);
});
