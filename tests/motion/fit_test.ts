import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { emptyKinematics } from "../../src/motion/estimate.ts";
import { fit, fitArc } from "../../src/motion/fit.ts";
import { History } from "../../src/motion/history.ts";
import { extrapolate } from "../../src/motion/predict.ts";
import { historyOf } from "../support/motion_history.ts";
import { near } from "../support/near.ts";

/** Fills a history with velocities 100 ms apart, all at the origin. */
function turning(...vels: number[][]): History {
  const history = new History(8);
  vels.forEach((vel, i) => history.insert(i * 100, vel.map(() => 0), vel, undefined, false));
  return history;
}

Deno.test("fit gives the textbook line: the slope is the sum of products over the sum of squares", () => {
  // Times -2, -1, 0 s and positions 0, 1, 5: mean 2, slope (-1 x -2 + 0 x -1 + 1 x 3) / 2 = 2.5, at the end
  // 4.5.
  const history = new History(8);
  for (const [t, x] of [[0, 0], [1000, 1], [2000, 5]]) history.insert(t, [x], undefined, undefined, false);
  const out = emptyKinematics();
  assert.ok(fit(history, 3, 1, out));
  near(out.pos[0], 4.5);
  near(out.vel[0], 2.5);
});

Deno.test("fit finds any parabola, with and without velocities, however far from the origin", () => {
  const number = fc.double({ min: -500, max: 500, noNaN: true });
  const origin = fc.constantFrom(0, 1e6);
  fc.assert(fc.property(number, number, number, origin, fc.boolean(), (a, b, c, far, sent) => {
    const times = [0, 90, 210, 300];
    const history = historyOf(
      (s) => far + a + b * s + c * s * s,
      times,
      sent ? (s) => b + 2 * c * s : undefined,
    );
    const out = emptyKinematics();
    assert.ok(fit(history, 4, 2, out));
    near(out.pos[0], far + a + b * 0.3 + c * 0.09, 1e-6);
    near(out.vel[0], b + 2 * c * 0.3, 1e-4);
    near(out.acc[0], 2 * c, 1e-2);
  }));
});

Deno.test("fit refuses what the samples don't determine", () => {
  const history = historyOf((s) => s, [0, 100]);
  assert.equal(fit(history, 2, 2, emptyKinematics()), false);
});

Deno.test("fit says when what brakes will stand, and of nothing else that it will", () => {
  const out = emptyKinematics();
  // 30 units/s at the end, less by 60 units/s each second.
  fit(historyOf((s) => 42 * s - 30 * s * s, [0, 100, 200], (s) => 42 - 60 * s), 3, 2, out);
  near(out.bendSeconds, 0.5);
  fit(historyOf((s) => 42 * s + 30 * s * s, [0, 100, 200], (s) => 42 + 60 * s), 3, 2, out);
  assert.equal(out.bendSeconds, Infinity);
});

Deno.test("fitArc goes on along any circle, in three dimensions too", () => {
  const angle = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
  const rate = fc.double({ min: 0.1, max: 8, noNaN: true });
  fc.assert(fc.property(angle, rate, fc.boolean(), angle, (start, size, left, tilt) => {
    const turn = left ? size : -size;
    // A circle of 50 units, tilted about its first axis.
    const at = (s: number): { pos: number[]; vel: number[] } => {
      const a = start + turn * s;
      const y = 50 * Math.sin(a);
      const vy = 50 * turn * Math.cos(a);
      return {
        pos: [50 * Math.cos(a), y * Math.cos(tilt), y * Math.sin(tilt)],
        vel: [-50 * turn * Math.sin(a), vy * Math.cos(tilt), vy * Math.sin(tilt)],
      };
    };
    const history = new History(8);
    for (const t of [0, 80, 200]) {
      const { pos, vel } = at(t / 1000);
      history.insert(t, pos, vel, undefined, false);
    }
    const state = emptyKinematics();
    assert.ok(fitArc(history, 3, state));
    near(state.turn, size, 1e-4);
    const pos: number[] = [], vel: number[] = [];
    const reach = { maxExtrapolateMs: 1e9, brakeMs: 0, accelerateMs: Infinity, keepTopSpeed: true };
    extrapolate(state, 900, reach, pos, vel);
    const later = at(0.9);
    for (let d = 0; d < 3; d++) {
      near(pos[d], later.pos[d], 1e-2);
      near(vel[d], later.vel[d], 1e-1);
    }
  }));
});

Deno.test("fitArc takes what goes straight on, stands or begins to move for an arc without a turn", () => {
  for (const vels of [[[3, 4], [6, 8]], [[3, 4], [0, 0]], [[0, 0], [3, 4]], [[0, 0], [0, 0]]]) {
    const out = emptyKinematics();
    assert.equal(fitArc(turning(...vels), 2, out), true);
    assert.deepEqual([out.turn, out.vel, out.acc], [0, vels[1], [0, 0]]);
  }
});

Deno.test("fitArc refuses a bounce, and samples without velocities", () => {
  assert.equal(fitArc(turning([3, 4], [3, 4], [-3, -4]), 3, emptyKinematics()), false);
  assert.equal(fitArc(historyOf((s) => s, [0, 100, 200]), 3, emptyKinematics()), false);
});
