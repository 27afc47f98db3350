// The one event of this game, as it goes over the wire: one ball's position and speed, when that was so, and
// whose ball it is. Builds it and takes it apart again; a relay may be shared with other groups, so whatever
// arrives is looked at before it is believed. Pure.

/** One ball as its owner sees it: world units, and world units per second. */
export interface BallEvent {
  id: string;
  pos: [x: number, y: number];
  vel: [x: number, y: number];
  /**
   * When it was there: `relay.now()` of its owner, in milliseconds. Plain clients, which have no such clock,
   * leave it out.
   */
  t?: number;
  /** `relay.id` of its owner: its balls vanish when it leaves. Plain clients have none. */
  owner?: string;
}

/** The longest id that is taken from others, in characters; ours are about 20. */
export const MAX_ID_LENGTH = 64;

/** Digits after the point that go over the wire: a tenth of a unit is finer than any screen shows. */
const DECIMALS = 1;

/**
 * Makes the event for one ball, with as many digits as anybody can see. What is undefined is left out by
 * JSON.
 */
export function ballEvent(
  id: string,
  [x, y]: [number, number],
  [vx, vy]: [number, number],
  { t, owner }: { t?: number; owner?: string } = {},
): BallEvent {
  const event: BallEvent = { id, pos: [rounded(x), rounded(y)], vel: [rounded(vx), rounded(vy)] };
  if (t !== undefined) event.t = rounded(t);
  if (owner !== undefined) event.owner = owner;
  return event;
}

/**
 * Returns `event` if it is a ball's, else undefined. More members than ours are fine; a strange `t` or
 * `owner` is none.
 */
export function asBallEvent(event: unknown): BallEvent | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  const { id, pos, vel, t, owner } = event as Partial<Record<keyof BallEvent, unknown>>;
  if (!isId(id) || !isPair(pos) || !isPair(vel)) return undefined;
  const ball: BallEvent = { id, pos, vel };
  if (typeof t === "number" && Number.isFinite(t)) ball.t = t;
  if (isId(owner)) ball.owner = owner;
  return ball;
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_ID_LENGTH;
}

function isPair(value: unknown): value is [number, number] {
  // isFinite: 1e999 is good JSON and parses to Infinity.
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

function rounded(value: number): number {
  // + 0 turns -0 into 0.
  return Number(value.toFixed(DECIMALS)) + 0;
}
