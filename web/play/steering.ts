// How a player's wish moves a ball: towards a pointer, or where keys push it. Changes its velocity only; it
// moves and bounces as all balls of the example do. Pure.

/** What moves; places in world units, velocities in units a second. */
export interface Steered {
  readonly x: number;
  readonly y: number;
  vx: number;
  vy: number;
}

/** What the player wants: nothing, to be at a place, or to go in a direction (each -1, 0 or 1). */
export type Wish =
  | { kind: "none" }
  | { kind: "place"; x: number; y: number }
  | { kind: "push"; x: number; y: number };

/** The fastest that a pointer draws a ball, in units a second. */
export const MAX_DRAWN_SPEED = 900;

/** How many seconds a ball takes to where the pointer is, were it not for that limit. */
const DRAW_SECONDS = 0.12;

/**
 * How fast the velocity becomes the one that is wanted: what is left of the difference after so many seconds
 * is 1/e.
 */
const GRIP_SECONDS = 0.05;

/** How fast keys change the speed, in units a second squared, and up to which speed. */
const PUSH = 1200;
export const MAX_PUSHED_SPEED = 400;

/** The fastest that a ball goes on once the pointer lets it go. */
export const MAX_THROWN_SPEED = 400;

/** Changes the velocity of a ball for the next `seconds`. */
export function steer(ball: Steered, wish: Wish, seconds: number): void {
  if (wish.kind === "place") {
    const dx = wish.x - ball.x, dy = wish.y - ball.y;
    const distance = Math.hypot(dx, dy);
    const speed = Math.min(MAX_DRAWN_SPEED, distance / DRAW_SECONDS);
    const share = 1 - Math.exp(-seconds / GRIP_SECONDS);
    const factor = distance === 0 ? 0 : speed / distance;
    ball.vx += (dx * factor - ball.vx) * share;
    ball.vy += (dy * factor - ball.vy) * share;
  } else if (wish.kind === "push" && (wish.x !== 0 || wish.y !== 0)) {
    const length = Math.hypot(wish.x, wish.y);
    ball.vx += wish.x / length * PUSH * seconds;
    ball.vy += wish.y / length * PUSH * seconds;
    limit(ball, MAX_PUSHED_SPEED);
  }
}

/** Lets a ball go that a pointer held: it flies on, not faster than balls do. */
export function release(ball: Steered): void {
  limit(ball, MAX_THROWN_SPEED);
}

function limit(ball: Steered, most: number): void {
  const speed = Math.hypot(ball.vx, ball.vy);
  if (speed <= most) return;
  ball.vx *= most / speed;
  ball.vy *= most / speed;
}
