import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import {
  type Glide,
  HURRY,
  LEAP_SECONDS,
  MAX_SETTLE_MS,
  ProjectiveBlending,
  Pursuit,
  SETTLE_MS,
} from "../../src/motion/correct.ts";
import { near } from "../support/near.ts";

const FRAME_MS = 1000 / 60;

/** What is drawn of a belief. */
function drawn(glide: Glide, nowMs: number, pos: number[], vel: number[] = pos.map(() => 0)): number[] {
  const out = [...pos];
  glide.apply(nowMs, out, [...vel]);
  return out;
}

/**
 * A pursuit that has drawn the object at this place at time 0, where it is now believed to have been at the
 * origin.
 */
function corrected(pos: number[], topSpeed: number): Pursuit {
  const pursuit = new Pursuit();
  drawn(pursuit, 0, pos);
  pursuit.correct({ pos: pos.map(() => 0), vel: [] }, topSpeed);
  return pursuit;
}

Deno.test("Pursuit draws a first belief as it is, and the one after a snap", () => {
  const pursuit = new Pursuit();
  assert.deepEqual(drawn(pursuit, 0, [3, 4]), [3, 4]);
  pursuit.correct({ pos: [8, 8], vel: [] }, 100);
  pursuit.snap();
  assert.deepEqual(drawn(pursuit, FRAME_MS, [900, -5]), [900, -5]);
  assert.deepEqual(drawn(pursuit, 2 * FRAME_MS, [900, -5]), [900, -5]);
});

Deno.test("Pursuit lets a small error fall to 1/e in SETTLE_MS, whatever the frame rate", () => {
  for (const frames of [1, 2, 7]) {
    const pursuit = corrected([1], 1_000);
    let pos = [NaN];
    for (let i = 1; i <= frames; i++) pos = drawn(pursuit, i * SETTLE_MS / frames, [0]);
    near(pos[0], Math.exp(-1));
  }
});

Deno.test("Pursuit makes a large error good at 1.5 x top speed", () => {
  const pursuit = corrected([300], 100);
  for (let i = 1; i <= 60; i++) near(drawn(pursuit, i * FRAME_MS, [0])[0], 300 - 150 * i / 60, 1e-6);
});

Deno.test("Pursuit lets what is believed to be faster than it ever was be drawn so fast", () => {
  const pursuit = corrected([300], 10);
  for (let i = 1; i <= 6; i++) {
    near(drawn(pursuit, i * FRAME_MS, [100 * i / 60], [100])[0], 300 - 150 * i / 60, 1e-6);
  }
});

Deno.test("Pursuit never moves an object faster than its limit, and gets to where it is believed to be", () => {
  const speed = fc.double({ min: -140, max: 140, noNaN: true });
  const place = fc.double({ min: -150, max: 150, noNaN: true });
  fc.assert(fc.property(place, place, speed, speed, (x, y, vx, vy) => {
    const topSpeed = 200;
    const pursuit = corrected([x, y], topSpeed);
    let last = [x, y], off = Infinity;
    for (let now = FRAME_MS; now < 4_000; now += FRAME_MS) {
      const believed = [vx * now / 1000, vy * now / 1000];
      const pos = drawn(pursuit, now, believed, [vx, vy]);
      const fast = Math.hypot(pos[0] - last[0], pos[1] - last[1]) / FRAME_MS * 1000;
      assert.ok(fast <= topSpeed * (1 + HURRY) + 1e-6, `${fast} units/s at ${now} ms`);
      last = pos;
      off = Math.hypot(pos[0] - believed[0], pos[1] - believed[1]);
    }
    assert.ok(off < 0.01, `still ${off} units off`);
  }));
});

Deno.test("Pursuit carries a belief that wasn't corrected as it is, however it bends", () => {
  const pursuit = new Pursuit();
  for (let now = 0; now < 2_000; now += FRAME_MS) {
    const x = 100 * Math.sin(now / 100);
    near(drawn(pursuit, now, [x], [1000 * Math.cos(now / 100)])[0], x);
  }
});

Deno.test("Pursuit of what was never seen to move knows no limit but the settling", () => {
  near(drawn(corrected([500], 0), SETTLE_MS, [0])[0], 500 * Math.exp(-1));
});

Deno.test("Pursuit makes an error good in seconds even where the object is nearly standing", () => {
  const pursuit = corrected([500], 1e-3);
  let pos = [NaN];
  const steps = 1_000;
  for (let i = 1; i <= steps; i++) pos = drawn(pursuit, i * MAX_SETTLE_MS / steps, [0]);
  near(pos[0], 500 * Math.exp(-1), 1);
});

Deno.test("Pursuit stands still while the clock does, and when it is shifted", () => {
  const pursuit = corrected([50], 100);
  assert.deepEqual(drawn(pursuit, 0, [0]), [50]);
  pursuit.shift(-5_000);
  assert.deepEqual(drawn(pursuit, -5_000, [0]), [50]);
  near(drawn(pursuit, -5_000 + 100, [0])[0], 35);
});

Deno.test("ProjectiveBlending is Murphy's formula as published", () => {
  const number = fc.double({ min: -200, max: 200, noNaN: true });
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(number, number, number, number, part, (p0, v0, p1, v1, share) => {
    const durationMs = 400;
    const blending = new ProjectiveBlending(durationMs);
    blending.apply(1_000, [p0], [v0]);
    blending.correct({ pos: [p1], vel: [v1] });
    // Asked in two frames, as it goes on from one to the next.
    for (const at of [share / 2, share]) {
      const t = at * durationMs / 1000;
      const believed = p1 + v1 * t;
      const blendedVel = v0 + (v1 - v0) * at;
      const projected = p0 + blendedVel * t;
      const pos = [believed], vel = [v1];
      blending.apply(1_000 + at * durationMs, pos, vel);
      near(pos[0], projected + (believed - projected) * at, 1e-9);
      near(vel[0], blendedVel, 1e-9);
    }
  }));
});

Deno.test("ProjectiveBlending is done in its time, and snaps when told", () => {
  const blending = new ProjectiveBlending(100);
  assert.deepEqual(drawn(blending, 0, [10]), [10]);
  blending.correct({ pos: [0], vel: [0] });
  near(drawn(blending, 50, [0])[0], 5);
  assert.deepEqual(drawn(blending, 100, [0]), [0]);
  blending.correct({ pos: [0], vel: [0] });
  blending.snap();
  assert.deepEqual(drawn(blending, 110, [77]), [77]);
});

Deno.test("Pursuit and ProjectiveBlending draw a leap at once where they are told what one is, and glide short of it", () => {
  const topSpeed = 100;
  for (
    const make of [() => new Pursuit(HURRY, LEAP_SECONDS), () => new ProjectiveBlending(200, LEAP_SECONDS)]
  ) {
    for (
      const [error, leaps] of [[topSpeed * LEAP_SECONDS + 1, true], [
        topSpeed * LEAP_SECONDS - 1,
        false,
      ]] as const
    ) {
      const glide = make();
      drawn(glide, 0, [error]);
      glide.correct({ pos: [0], vel: [0] }, topSpeed);
      assert.equal(drawn(glide, FRAME_MS, [0])[0] === 0, leaps, `${error}`);
    }
  }
});

Deno.test("ProjectiveBlending draws at once where the velocity was a leap away, and glides short of it", () => {
  const topSpeed = 100;
  for (
    const [speed, leaps] of [[LEAP_SECONDS * topSpeed + 1, true], [
      LEAP_SECONDS * topSpeed - 1,
      false,
    ]] as const
  ) {
    const glide = new ProjectiveBlending(200, LEAP_SECONDS);
    drawn(glide, 0, [0], [-speed]);
    glide.correct({ pos: [0], vel: [0] }, topSpeed);
    assert.equal(drawn(glide, FRAME_MS, [0])[0] === 0, leaps, `${speed}`);
  }
});

Deno.test("ProjectiveBlending makes nothing of a correction before it has drawn anything", () => {
  const blending = new ProjectiveBlending(100);
  blending.correct({ pos: [5], vel: [5] });
  assert.deepEqual(drawn(blending, 0, [10]), [10]);
  assert.deepEqual(drawn(blending, 10, [11]), [11]);
});
