// How far off the picture was, by what is told later.

import assert from "node:assert/strict";
import { DrawnTrails } from "../../../web/play/drawn_error.ts";

/** Draws a ball that moves right by one unit a frame, every 10 ms, from `fromMs` on. */
function drawn(frames: number, fromMs = 0): DrawnTrails {
  const trails = new DrawnTrails();
  for (let i = 0; i < frames; i++) trails.note("a", i, 0, fromMs + 10 * i);
  return trails;
}

Deno.test("DrawnTrails tells how far a ball was drawn from where it was, between frames too", () => {
  const trails = drawn(20);
  const cases: [x: number, y: number, t: number, want: number | undefined][] = [
    [10, 0, 100, 0],
    [13, 4, 100, 5],
    [10.5, 0, 105, 0],
    [0, 0, 0, 0],
    [19, 0, 190, 0],
    [19, 0, 191, undefined], // not drawn yet
    [0, 0, -1, undefined], // before the first frame
  ];
  for (const [x, y, t, want] of cases) {
    const got = trails.distance("a", x, y, t);
    if (want === undefined) assert.equal(got, undefined, `at ${t}`);
    else assert.ok(Math.abs(got! - want) < 1e-9, `at ${t}: ${got}`);
  }
  assert.equal(trails.distance("b", 0, 0, 100), undefined, "a ball that was never drawn");
});

Deno.test("DrawnTrails remembers the newest frames only, and survives frames of the same moment", () => {
  const trails = drawn(500);
  assert.equal(trails.distance("a", 0, 0, 100), undefined);
  assert.equal(trails.distance("a", 499, 0, 4990), 0);
  assert.ok(Math.abs(trails.distance("a", 420, 3, 4200)! - 3) < 1e-9);
  trails.note("a", 600, 0, 4990);
  assert.ok(Number.isFinite(trails.distance("a", 0, 0, 4990)!));
});

Deno.test("DrawnTrails forgets balls that are drawn no more", () => {
  const trails = drawn(20);
  trails.prune(1_000);
  assert.equal(trails.distance("a", 10, 0, 100), 0);
  trails.prune(60_000);
  assert.equal(trails.distance("a", 10, 0, 100), undefined);
});
