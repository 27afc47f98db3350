// The world's size, what a ball is in it, and how it bounces off the walls: all that sender and receivers
// know in common. Pure.

/** The world's size in units; positions run from 0,0 in the top left corner. */
export const WIDTH = 640;
export const HEIGHT = 480;

/** A ball's radius in units: its centre stays this far from every wall. */
export const RADIUS = 10;

/** A ball of anybody, as it is drawn: world units. */
export interface Ball {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** How far beyond a wall a ball may be and still be one of this world, in units: rounded, or estimated. */
const SLACK = 1;

/**
 * Moves one coordinate of a ball on by `seconds` between walls at 0 and `size`; returns where it then is and
 * its speed. However often it bounces is one computation: the way to and fro is unfolded into a line of twice
 * the length. A ball that is not between the walls (somebody's larger world) goes straight on.
 */
export function bounce(
  at: number,
  speed: number,
  seconds: number,
  size: number,
): [at: number, speed: number] {
  const length = size - 2 * RADIUS;
  const start = at - RADIUS;
  const end = start + speed * seconds;
  const isOutside = start < -SLACK || start > length + SLACK;
  if (isOutside || (end >= 0 && end <= length)) return [at + speed * seconds, speed];
  const unfolded = ((end % (2 * length)) + 2 * length) % (2 * length);
  return unfolded <= length ? [RADIUS + unfolded, speed] : [RADIUS + 2 * length - unfolded, -speed];
}

/** The same for both coordinates, in place: an `advance` of motion.ts. */
export function bounceBoth(pos: number[], vel: number[], seconds: number): void {
  [pos[0], vel[0]] = bounce(pos[0], vel[0], seconds, WIDTH);
  [pos[1], vel[1]] = bounce(pos[1], vel[1], seconds, HEIGHT);
}
