import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { AlphaBeta, Held, LeastSquares, Newest } from "../../src/motion/estimate.ts";
import { History } from "../../src/motion/history.ts";
import { historyOf } from "../support/motion_history.ts";
import { near } from "../support/near.ts";

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

Deno.test("LeastSquares foresees a circle, and that what brakes stops", () => {
  const circle = new LeastSquares();
  let history = new History(8);
  for (let t = 0; t <= 800; t += 100) {
    const angle = t / 500;
    history.insert(
      t,
      [100 * Math.cos(angle), 100 * Math.sin(angle)],
      [
        -200 * Math.sin(angle),
        200 * Math.cos(angle),
      ],
      undefined,
      false,
    );
    circle.update(history);
  }
  near(circle.state.turn, 2);

  const braking = new LeastSquares();
  history = new History(8);
  for (let t = 0; t <= 800; t += 100) {
    const s = t / 1000;
    history.insert(t, [100 * s - 50 * s * s], [100 - 100 * s], undefined, false);
    braking.update(history);
  }
  near(braking.state.bendSeconds, 0.2);
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
  // A zigzag of 1 unit on a straight line of 100 units/s; the two newest positions alone are off by 20
  // units/s.
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

Deno.test("LeastSquares chooses among its fits as before, seconds after an absurd position", () => {
  const at = (ms: number) => [100 * Math.cos(ms / 500), 100 * Math.sin(ms / 500)];
  const model = new LeastSquares(), undisturbed = new LeastSquares();
  const history = new History(8), clean = new History(8);
  for (let t = 0; t <= 8_000; t += 100) {
    history.insert(t, t === 5_000 ? [1e9, 0] : at(t), undefined, undefined, false);
    clean.insert(t, at(t), undefined, undefined, false);
    model.update(history);
    undisturbed.update(clean);
  }
  assert.deepEqual(model.state, undisturbed.state);
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

Deno.test("AlphaBeta forgets an absurd position once that has left the history", () => {
  for (const absurd of [1e6, -1e9, 1e12]) {
    const filter = new AlphaBeta(), history = new History(8);
    for (let i = 0; i <= 30; i++) {
      history.insert(i * 100, [i === 20 ? absurd : 10 * i], undefined, undefined, false);
      filter.update(history);
    }
    near(filter.state.pos[0], 300, 1e-3);
    near(filter.state.vel[0], 100, 1e-3);
  }
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
