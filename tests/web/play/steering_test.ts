// How a player's wish moves a ball.

import assert from "node:assert/strict";
import { bounce, HEIGHT, RADIUS, WIDTH } from "../../../example/walls.ts";
import {
  MAX_DRAWN_SPEED,
  MAX_PUSHED_SPEED,
  MAX_THROWN_SPEED,
  release,
  steer,
  type Wish,
} from "../../../web/play/steering.ts";

function ball(x: number, y: number, vx = 0, vy = 0) {
  return { x, y, vx, vy };
}

/** Plays as the game does: first the wish, then the way. */
function play(it: ReturnType<typeof ball>, wish: Wish, seconds: number, fps = 60): void {
  for (let i = 0; i < seconds * fps; i++) {
    steer(it, wish, 1 / fps);
    [it.x, it.vx] = bounce(it.x, it.vx, 1 / fps, WIDTH);
    [it.y, it.vy] = bounce(it.y, it.vy, 1 / fps, HEIGHT);
  }
}

Deno.test("steer changes nothing without a wish", () => {
  const it = ball(1, 2, 3, 4);
  steer(it, { kind: "none" }, 1);
  assert.deepEqual(it, ball(1, 2, 3, 4));
});

Deno.test("steer brings a ball to the pointer and holds it there, at any rate of frames", () => {
  for (const fps of [20, 60, 144]) {
    const it = ball(50, 400, -300, 200);
    play(it, { kind: "place", x: 500, y: 100 }, 1.5, fps);
    assert.ok(Math.hypot(it.x - 500, it.y - 100) < 2, `${fps} fps: ${it.x}, ${it.y}`);
    assert.ok(Math.hypot(it.vx, it.vy) < 20, `${fps} fps: ${it.vx}, ${it.vy}`);
  }
});

Deno.test("steer draws no faster than its limit, however far the pointer is, and stays within the walls", () => {
  const it = ball(RADIUS, RADIUS);
  for (let i = 0; i < 200; i++) {
    play(it, { kind: "place", x: 1e6, y: -1e6 }, 1 / 60);
    assert.ok(Math.hypot(it.vx, it.vy) <= MAX_DRAWN_SPEED + 1e-6);
    assert.ok(it.x >= RADIUS - 1 && it.x <= WIDTH - RADIUS + 1 && it.y >= RADIUS - 1, `${it.x}, ${it.y}`);
  }
  assert.ok(it.x > WIDTH - 100, `${it.x}`);
});

Deno.test("steer pushes along keys up to a speed, no faster on the diagonal", () => {
  const straight = ball(100, 100), diagonal = ball(100, 100), none = ball(100, 100);
  for (let i = 0; i < 120; i++) {
    steer(straight, { kind: "push", x: 1, y: 0 }, 1 / 60);
    steer(diagonal, { kind: "push", x: -1, y: 1 }, 1 / 60);
    steer(none, { kind: "push", x: 0, y: 0 }, 1 / 60);
  }
  assert.ok(Math.abs(straight.vx - MAX_PUSHED_SPEED) < 1e-6 && straight.vy === 0);
  assert.ok(Math.abs(Math.hypot(diagonal.vx, diagonal.vy) - MAX_PUSHED_SPEED) < 1e-6);
  assert.ok(diagonal.vx < 0 && diagonal.vy > 0);
  assert.deepEqual(none, ball(100, 100));
});

Deno.test("release lets a ball fly on in its direction, not faster than balls do", () => {
  const fast = ball(0, 0, 900, -1200), slow = ball(0, 0, 30, 40);
  release(fast);
  release(slow);
  assert.ok(Math.abs(Math.hypot(fast.vx, fast.vy) - MAX_THROWN_SPEED) < 1e-6);
  assert.ok(Math.abs(fast.vy / fast.vx + 4 / 3) < 1e-9);
  assert.deepEqual(slow, ball(0, 0, 30, 40));
});
