// Tests src/client/drain_watch.ts with the real event loop and a clock of its own: a loop that never lets it
// turn, and loops that do.

import assert from "node:assert/strict";
import { DrainWatch } from "../../src/client/drain_watch.ts";
import { pause } from "../support/pause.ts";

let nowMs = 0;

/** Spends time without letting the event loop turn, as far as the watch can tell. */
function block(ms: number): void {
  nowMs += ms;
}

Deno.test("DrainWatch speaks once about a loop that never awaits", () => {
  const watch = new DrainWatch(() => nowMs);
  let spoken = 0;
  for (let i = 0; i < 150; i++) {
    if (watch.noteCall()) spoken++;
    block(10);
  }
  assert.equal(spoken, 1);
});

Deno.test("DrainWatch is not deceived by microtasks: they don't let the network run", async () => {
  const watch = new DrainWatch(() => nowMs);
  let spoken = 0;
  for (let i = 0; i < 150; i++) {
    if (watch.noteCall()) spoken++;
    block(10);
    await Promise.resolve();
  }
  assert.equal(spoken, 1);
});

Deno.test("DrainWatch is silent about a slow loop that lets the event loop turn", async () => {
  const watch = new DrainWatch(() => nowMs);
  for (let i = 0; i < 15; i++) {
    assert.equal(watch.noteCall(), false);
    block(100);
    await pause();
  }
  assert.equal(watch.noteCall(), false);
  block(1100);
  assert.equal(watch.noteCall(), false, "calls of earlier turns don't count");
  watch.stop();
});

Deno.test("DrainWatch is silent about a few calls in a turn that takes long", () => {
  const watch = new DrainWatch(() => nowMs);
  for (let i = 0; i < 3; i++) {
    assert.equal(watch.noteCall(), false);
    block(500);
  }
  watch.stop();
});

Deno.test("DrainWatch keeps no timer after stop()", () => {
  const watch = new DrainWatch(() => nowMs);
  watch.noteCall();
  watch.stop(); // else the test would be found to leak one
  for (let i = 0; i < 20; i++) {
    block(1000);
    assert.equal(watch.noteCall(), false, "nor says a word");
  }
});
