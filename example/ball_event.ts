// The one event of this game, as it goes over the wire: one ball's position and speed. Builds it and takes it
// apart again; a relay may be shared with other groups, so whatever arrives is looked at before it is believed.
// Pure. Used by the world.

/** One ball as its owner sees it: world units, and world units per second. */
export interface BallEvent {
  id: string;
  pos: [x: number, y: number];
  vel: [x: number, y: number];
}

/** The longest id that is taken from others, in characters; ours are about 20. */
export const MAX_ID_LENGTH = 64;

/** Digits after the point that go over the wire: a tenth of a unit is finer than any screen shows. */
const DECIMALS = 1;

/** Makes the event for one ball, with as many digits as anybody can see. */
export function ballEvent(id: string, x: number, y: number, vx: number, vy: number): BallEvent {
  return { id, pos: [rounded(x), rounded(y)], vel: [rounded(vx), rounded(vy)] };
}

/** Returns `event` if it is a ball's, else undefined. More members than the three are fine. */
export function asBallEvent(event: unknown): BallEvent | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  const { id, pos, vel } = event as Partial<Record<keyof BallEvent, unknown>>;
  if (typeof id !== "string" || id.length === 0 || id.length > MAX_ID_LENGTH) return undefined;
  return isPair(pos) && isPair(vel) ? { id, pos, vel } : undefined;
}

function isPair(value: unknown): value is [number, number] {
  // isFinite: 1e999 is good JSON and parses to Infinity.
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

function rounded(value: number): number {
  // + 0 turns -0 into 0.
  return Number(value.toFixed(DECIMALS)) + 0;
}
