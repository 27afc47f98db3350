import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { AlphaBeta, emptyKinematics, fit, Held, LeastSquares, Newest } from "../src/motion/estimate.ts";
import { History } from "../src/motion/history.ts";

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

/** Fills a history from a function of seconds. */
function historyOf(at: (s: number) => number, times: number[], velocity?: (s: number) => number): History {
  const history = new History(8);
  for (const t of times) {
    history.insert(t, [at(t / 1000)], velocity && [velocity(t / 1000)], undefined, false);
  }
  return history;
}

Deno.test("Held gives the newest position and no velocity", () => {
  const held = new Held();
  held.update(historyOf((s) => 5 * s, [0, 100], () => 5));
  assert.deepEqual([held.state.t, held.state.pos[0], held.state.vel[0]], [100, 0.5, 0]);
});

Deno.test("Newest takes the velocity that was sent, or the difference of positions", () => {
  const sent = new Newest(1);
  sent.update(historyOf((s) => 5 * s, [0, 100], () => 7));
  assert.equal(sent.state.vel[0], 7);
  const derived = new Newest(1);
  derived.update(historyOf((s) => 5 * s, [0, 100]));
  near(derived.state.vel[0], 5);
});

Deno.test("Newest with order 2 takes the acceleration from two velocities, none across a teleport", () => {
  const history = historyOf((s) => 3 * s * s, [0, 100, 200], (s) => 6 * s);
  const newest = new Newest(2);
  newest.update(history);
  near(newest.state.acc[0], 6);
  history.insert(300, [1000], [60], undefined, true);
  newest.update(history);
  assert.equal(newest.state.acc[0], 0);
});

Deno.test("fit gives the textbook line: the slope is the sum of products over the sum of squares", () => {
  // Times -2, -1, 0 s and positions 0, 1, 5: mean 2, slope (-1 x -2 + 0 x -1 + 1 x 3) / 2 = 2.5, at the end 4.5.
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

Deno.test("LeastSquares bends for a steady acceleration", () => {
  const model = new LeastSquares();
  const history = new History(8);
  for (let t = 0; t <= 800; t += 100) {
    const s = t / 1000;
    history.insert(t, [50 * s * s], [100 * s], undefined, false);
    model.update(history);
  }
  near(model.state.acc[0], 100);
});

Deno.test("LeastSquares goes straight on after a bounce instead of taking it for an acceleration", () => {
  const model = new LeastSquares();
  const history = new History(8);
  for (let t = 0; t <= 1200; t += 100) {
    const s = t / 1000;
    const up = s < 0.75;
    history.insert(t, [up ? 200 * s : 300 - 200 * s], [up ? 200 : -200], undefined, false);
    model.update(history);
    near(model.state.vel[0], up ? 200 : -200);
    near(model.state.acc[0], 0);
  }
});

Deno.test("LeastSquares takes the longer fit where positions are noisy and no velocities are sent", () => {
  // A zigzag of 1 unit on a straight line of 100 units/s; the two newest positions alone are off by 20 units/s.
  const model = new LeastSquares();
  const history = new History(8);
  let worst = 0;
  for (let i = 0; i < 40; i++) {
    history.insert(i * 100, [i * 10 + (i % 2 === 0 ? 1 : -1)], undefined, undefined, false);
    model.update(history);
    if (i > 20) worst = Math.max(worst, Math.abs(model.state.vel[0] - 100));
  }
  assert.ok(worst < 13, `off by ${worst} units/s`);
});

Deno.test("AlphaBeta gives the worked step: x̂ = 10, r = 2, α = ½, β = α²/(2 - α) = 1/6", () => {
  const filter = new AlphaBeta(0.5);
  const history = new History(8);
  for (const [t, x] of [[0, 0], [1000, 5], [2000, 12]]) {
    history.insert(t, [x], undefined, undefined, false);
    filter.update(history);
  }
  near(filter.state.pos[0], 11);
  near(filter.state.vel[0], 5 + 2 / 6);
});

Deno.test("AlphaBeta settles on a constant velocity from any start", () => {
  fc.assert(fc.property(fc.double({ min: -300, max: 300, noNaN: true }), (speed) => {
    const filter = new AlphaBeta();
    const history = new History(8);
    for (let i = 0; i < 60; i++) {
      history.insert(i * 100, [3 + speed * i / 10], i === 0 ? [0] : undefined, undefined, false);
      filter.update(history);
    }
    near(filter.state.vel[0], speed, 1e-3);
  }));
});
