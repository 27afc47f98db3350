import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { Correction, MAX_BLEND_MS } from "../src/motion/correct.ts";
import type { Motion } from "../src/motion/types.ts";

function motion(pos: number[], vel: number[]): Motion {
  return { pos, vel, age: 0, delay: 0, starved: false };
}

function applied(
  correction: Correction,
  nowMs: number,
  pos: number[],
  vel: number[],
): { pos: number[]; vel: number[] } {
  const out = { pos: [...pos], vel: [...vel] };
  correction.apply(nowMs, out.pos, out.vel);
  return out;
}

Deno.test("Correction with a fixed time is Murphy's projective velocity blending as published", () => {
  const number = fc.double({ min: -200, max: 200, noNaN: true });
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(number, number, number, number, part, (p0, v0, p1, v1, share) => {
    const durationMs = 400;
    const correction = new Correction(undefined, durationMs);
    correction.begin(1000, motion([p0], [v0]), motion([p1], [v1]), [v1], 100);
    const t = share * durationMs / 1000;
    const believed = p1 + v1 * t;
    const blendedVel = v0 + (v1 - v0) * share;
    const projected = p0 + blendedVel * t;
    const expected = projected + (believed - projected) * share;
    const { pos, vel } = applied(correction, 1000 + share * durationMs, [believed], [v1]);
    assert.ok(Math.abs(pos[0] - expected) < 1e-9);
    assert.ok(Math.abs(vel[0] - blendedVel) < 1e-9);
  }));
});

Deno.test("Correction starts at what was drawn and ends at what is believed", () => {
  const correction = new Correction();
  correction.begin(0, motion([10, 0], [0, 0]), motion([0, 0], [0, 0]), [0, 0], 100);
  assert.deepEqual(applied(correction, 0, [0, 0], [0, 0]).pos, [10, 0]);
  assert.deepEqual(applied(correction, MAX_BLEND_MS, [0, 0], [0, 0]).pos, [0, 0]);
});

Deno.test("Correction of a standing object takes error / (1.5 x top speed)", () => {
  const correction = new Correction();
  correction.begin(0, motion([30], [0]), motion([0], [0]), [0], 100);
  // 30 units at 150 units/s are 200 ms: half is left after 100 ms.
  assert.ok(Math.abs(applied(correction, 100, [0], [0]).pos[0] - 15) < 1e-9);
  assert.equal(applied(correction, 201, [0], [0]).pos[0], 0);
});

Deno.test("Correction never moves an object faster than its limit while it is believed to go straight on", () => {
  const part = fc.double({ min: -140, max: 140, noNaN: true });
  const place = fc.double({ min: -150, max: 150, noNaN: true });
  fc.assert(fc.property(place, place, part, part, part, part, (x, y, vx, vy, wx, wy) => {
    const topSpeed = 200;
    const hurry = 0.5;
    const correction = new Correction(hurry);
    correction.begin(0, motion([x, y], [wx, wy]), motion([0, 0], [vx, vy]), [vx, vy], topSpeed);
    let last = [x, y];
    const frameMs = 1000 / 60;
    for (let now = frameMs; now < 2500; now += frameMs) {
      const { pos } = applied(correction, now, [vx * now / 1000, vy * now / 1000], [vx, vy]);
      const speed = Math.hypot(pos[0] - last[0], pos[1] - last[1]) / frameMs * 1000;
      assert.ok(speed <= topSpeed * (1 + hurry) + 1e-6, `${speed} units/s at ${now} ms`);
      last = pos;
    }
  }));
});

Deno.test("Correction ends when told, and one that never began changes nothing", () => {
  const correction = new Correction();
  assert.deepEqual(applied(correction, 5, [1], [2]), { pos: [1], vel: [2] });
  correction.begin(0, motion([50], [0]), motion([0], [0]), [0], 10);
  correction.end();
  assert.deepEqual(applied(correction, 5, [1], [2]), { pos: [1], vel: [2] });
});
