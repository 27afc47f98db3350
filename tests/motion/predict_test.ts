import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import {
  extrapolate,
  fadedTopSpeed,
  hermite,
  hermiteSlope,
  movedSeconds,
  movingShare,
  type Reach,
  SPEED_HALF_LIFE_MS,
  wrapAngle,
} from "../../src/motion/predict.ts";
import type { Kinematics } from "../../src/motion/types.ts";
import { near } from "../support/near.ts";

const FAR: Reach = { maxExtrapolateMs: 1e9, brakeMs: 0, accelerateMs: Infinity, keepTopSpeed: false };

function guess(
  state: Partial<Kinematics>,
  nowMs: number,
  reach: Partial<Reach> = {},
): { pos: number[]; vel: number[] } {
  const pos: number[] = [];
  const vel: number[] = [];
  const zeros = (state.pos ?? [0]).map(() => 0);
  const whole = {
    t: 0,
    pos: [0],
    vel: zeros,
    acc: zeros,
    turn: 0,
    bendSeconds: Infinity,
    topSpeed: Infinity,
    ...state,
  };
  extrapolate(whole, nowMs, { ...FAR, ...reach }, pos, vel);
  return { pos, vel };
}

Deno.test("extrapolate with constant velocity gives P0 + V0 T (IEEE 1278.1, FPW)", () => {
  assert.deepEqual(guess({ t: 1000, pos: [10, 20], vel: [100, -40] }, 1250), {
    pos: [35, 10],
    vel: [100, -40],
  });
});

Deno.test("extrapolate with constant acceleration gives P0 + V0 T + A0 T²/2 (IEEE 1278.1, FVW)", () => {
  assert.deepEqual(guess({ t: 0, pos: [1], vel: [10], acc: [8] }, 500), { pos: [1 + 5 + 1], vel: [14] });
});

Deno.test("extrapolate lets an acceleration go on for accelerateMs and then keeps the velocity", () => {
  const { pos, vel } = guess({ pos: [0], vel: [0], acc: [10] }, 2000, { accelerateMs: 1000 });
  near(pos[0], 5 + 10);
  near(vel[0], 10);
});

Deno.test("extrapolate turns an object at its top speed without making it faster", () => {
  const { vel } = guess({ pos: [0, 0], vel: [100, 0], acc: [0, 100], topSpeed: 100 }, 1000, {
    keepTopSpeed: true,
  });
  near(Math.hypot(vel[0], vel[1]), 100);
  near(vel[0], vel[1]);
});

Deno.test("extrapolate goes along an arc: a quarter of a circle of 50 units, then straight on", () => {
  const circling = { pos: [50, 0], vel: [0, 100], acc: [-200, 0], turn: 2 };
  const quarterMs = Math.PI / 4 * 1000;
  const { pos, vel } = guess(circling, quarterMs);
  near(pos[0], 0);
  near(pos[1], 50);
  near(vel[0], -100);
  near(vel[1], 0);
  near(guess(circling, quarterMs + 100, { accelerateMs: quarterMs }).pos[0], -10);
  near(guess(circling, quarterMs + 100, { accelerateMs: quarterMs }).pos[1], 50);
});

Deno.test("extrapolate lets what brakes stand and not turn back", () => {
  // 10 units/s, less by 20 units/s each second: 2.5 units in half a second.
  assert.deepEqual(guess({ vel: [10], acc: [-20], bendSeconds: 0.5 }, 3_000), { pos: [2.5], vel: [0] });
});

Deno.test("extrapolate stops an object gently: half the braking time is added, then it stands", () => {
  const reach = { maxExtrapolateMs: 500, brakeMs: 200 };
  assert.deepEqual(guess({ vel: [10] }, 500, reach), { pos: [5], vel: [10] });
  near(guess({ vel: [10] }, 600, reach).vel[0], 5);
  near(guess({ vel: [10] }, 600, reach).pos[0], 5.75);
  assert.deepEqual(guess({ vel: [10] }, 700, reach), { pos: [6], vel: [0] });
  assert.deepEqual(guess({ vel: [10] }, 99_000, reach), { pos: [6], vel: [0] });
});

Deno.test("extrapolate draws a state from the future where it will be, not backwards", () => {
  assert.deepEqual(guess({ t: 100, pos: [7], vel: [10] }, 40).pos, [7]);
});

Deno.test("extrapolate asks the program's own model instead, with seconds", () => {
  const seen: number[] = [];
  const advance = (pos: number[], vel: number[], seconds: number) => {
    seen.push(seconds);
    pos[0] = 99;
    vel[0] = -vel[0];
  };
  assert.deepEqual(guess({ pos: [1], vel: [10] }, 250, { advance }), { pos: [99], vel: [-10] });
  assert.deepEqual(seen, [0.25]);
});

Deno.test("movedSeconds never goes back and movingShare is its slope", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 2000, noNaN: true }), (age) => {
    const step = 0.01;
    const slope = (movedSeconds(age + step, 500, 500) - movedSeconds(age, 500, 500)) / (step / 1000);
    assert.ok(slope >= -1e-9);
    near(slope, movingShare(age, 500, 500), 1e-3);
  }));
});

Deno.test("hermite gives both ends, their slopes, and the middle of a straight line", () => {
  const ends: [number, number, number, number] = [3, 10, 9, -4];
  near(hermite(...ends, 0, 2), 3);
  near(hermite(...ends, 1, 2), 9);
  near(hermiteSlope(...ends, 0, 2), 10);
  near(hermiteSlope(...ends, 1, 2), -4);
  near(hermite(0, 5, 10, 5, 0.5, 2), 5);
  // Worked by hand: half of 0 + 8, and an eighth of (6 - 2) units/s x 1 s.
  near(hermite(0, 6, 8, 2, 0.5, 1), 4.5);
});

Deno.test("hermite draws every cubic exactly", () => {
  const number = fc.double({ min: -100, max: 100, noNaN: true });
  fc.assert(
    fc.property(
      number,
      number,
      number,
      number,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, c, d, s) => {
        const at = (t: number) => a + b * t + c * t * t + d * t * t * t;
        const slope = (t: number) => b + 2 * c * t + 3 * d * t * t;
        const seconds = 0.5;
        near(hermite(at(0), slope(0), at(seconds), slope(seconds), s, seconds), at(s * seconds), 1e-9);
        near(
          hermiteSlope(at(0), slope(0), at(seconds), slope(seconds), s, seconds),
          slope(s * seconds),
          1e-8,
        );
      },
    ),
  );
});

Deno.test("wrapAngle brings every angle into (-π, π] and changes it by whole turns", () => {
  near(wrapAngle(Math.PI), Math.PI);
  near(wrapAngle(-Math.PI), Math.PI);
  near(wrapAngle(3 * Math.PI / 2), -Math.PI / 2);
  fc.assert(fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), (angle) => {
    const wrapped = wrapAngle(angle);
    assert.ok(wrapped > -Math.PI - 1e-9 && wrapped <= Math.PI);
    const turns = (angle - wrapped) / (2 * Math.PI);
    near(turns, Math.round(turns), 1e-9);
  }));
  const most = Number.MAX_SAFE_INTEGER;
  fc.assert(fc.property(fc.integer({ min: -most, max: most }), (angle) => {
    const wrapped = wrapAngle(angle), turns = (angle % (2 * Math.PI) - wrapped) / (2 * Math.PI);
    assert.ok(wrapped > -Math.PI - 1e-9 && wrapped <= Math.PI, `${wrapped} of ${angle}`);
    near(turns, Math.round(turns), 1e-9);
  }));
});

Deno.test("fadedTopSpeed halves in its half life and takes a higher speed at once", () => {
  near(fadedTopSpeed(80, SPEED_HALF_LIFE_MS, 10), 40);
  near(fadedTopSpeed(80, SPEED_HALF_LIFE_MS, 70), 70);
});
