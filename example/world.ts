// The world of the example: our own balls, which bounce off four walls, and the balls of everybody else, which
// are where their last event said, or a little further. No clock, no socket, no terminal: time and events are passed in,
// so a second of play is one call in a test. Used by main.ts, drawn by canvas.ts.

import { asBallEvent, type BallEvent, ballEvent } from "./ball_event.ts";

/** The world's size in units; positions run from 0,0 in the top left corner. */
export const WIDTH = 640;
export const HEIGHT = 480;

/** A ball's radius in units: its centre stays this far from every wall. */
export const RADIUS = 10;

/** Slowest and fastest start of an own ball, in units per second. */
const MIN_SPEED = 40;
const MAX_SPEED = 200;

/** How long after its last event another's ball is still shown, in milliseconds. */
export const SILENCE_MS = 10_000;

/**
 * How far ahead of its last event a ball is moved, in milliseconds. Longer than the pause between two events at
 * any sensible rate; short enough that a ball whose owner is gone soon stands still.
 */
export const MAX_AHEAD_MS = 1_000;

/** How many balls of others are kept at most: ten lecture halls of a hundred players would not fit the screen. */
export const MAX_REMOTE_BALLS = 10_000;

/**
 * Where the balls of others are shown between two events: `none` leaves them where the last event put them,
 * `speed` moves them on at the speed it named, and off the walls.
 */
export type Extrapolation = "none" | "speed";

/** What is drawn of any ball. */
export interface Ball {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** One of our own balls. */
export class LocalBall implements Ball {
  constructor(
    readonly id: string,
    public x: number,
    public y: number,
    public vx: number,
    public vy: number,
  ) {}

  /** Moves on by `seconds`, off the walls; any length of time is one step. */
  step(seconds: number): void {
    [this.x, this.vx] = bounce(this.x, this.vx, seconds, WIDTH);
    [this.y, this.vy] = bounce(this.y, this.vy, seconds, HEIGHT);
  }

  /** Returns what the others need to know of it; `t` and `owner` only in a session. */
  toEvent(session: { t?: number; owner?: string } = {}): BallEvent {
    return ballEvent(this.id, [this.x, this.y], [this.vx, this.vy], session);
  }
}

/** Another's ball: the last event of it, when that came, and where it is shown now. */
interface RemoteBall extends Ball {
  x: number;
  y: number;
  last: BallEvent;
  heardMs: number;
}

export interface WorldOptions {
  /** What the ids of our balls begin with; unlike every other player's. */
  prefix: string;
  /** How many balls of our own: 10. */
  balls?: number;
  /** How the balls of others move between two events: `speed`. */
  extrapolate?: Extrapolation;
  /** Where chance comes from, 0 up to 1: `Math.random`. */
  random?: () => number;
}

/** All balls there are. `nowMs` is any clock that never runs backwards, the same one in every call. */
export class World {
  /** Our own balls. */
  readonly local: readonly LocalBall[];
  /** May be changed while the game runs. */
  extrapolate: Extrapolation;
  /**
   * Who is there, by id: a ball that names its owner is shown as long as that is one of them. Undefined if nobody knows,
   * then all balls last until they fall silent.
   */
  members?: { has(id: string): boolean };

  readonly #localIds: ReadonlySet<string>;
  readonly #remote = new Map<string, RemoteBall>();
  #ignored = 0;

  constructor({ prefix, balls = 10, extrapolate = "speed", random = Math.random }: WorldOptions) {
    this.local = Array.from({ length: balls }, (_, i) => randomBall(`${prefix}-${i + 1}`, random));
    this.#localIds = new Set(this.local.map((ball) => ball.id));
    this.extrapolate = extrapolate;
  }

  /** Returns everybody else's balls, the one heard of first at the front. */
  get remote(): Iterable<Ball> {
    return this.#remote.values();
  }

  get remoteCount(): number {
    return this.#remote.size;
  }

  /** Counts the events that were not a ball of somebody else, or one ball too many. */
  get ignored(): number {
    return this.#ignored;
  }

  /**
   * Takes in an event from the relay, whatever it is; what is no ball is counted and changes nothing. Neither does a ball
   * whose owner has left by the time its last events are taken.
   */
  receive(event: unknown, nowMs: number): void {
    const last = asBallEvent(event);
    const full = this.#remote.size >= MAX_REMOTE_BALLS;
    if (!last || this.#localIds.has(last.id) || (full && !this.#remote.has(last.id))) {
      this.#ignored++;
      return;
    }
    if (this.#hasLeft(last)) return;
    const [x, y] = last.pos;
    this.#remote.set(last.id, { id: last.id, x, y, last, heardMs: nowMs });
  }

  /** Moves everything on to `nowMs`, `seconds` after the step before, and forgets the balls that fell silent, or whose owner left. */
  step(seconds: number, nowMs: number): void {
    for (const ball of this.local) ball.step(seconds);
    for (const ball of this.#remote.values()) {
      const silentMs = nowMs - ball.heardMs;
      if (silentMs >= SILENCE_MS || this.#hasLeft(ball.last)) this.#remote.delete(ball.id);
      else this.#place(ball, silentMs);
    }
  }

  #hasLeft({ owner }: BallEvent): boolean {
    return owner !== undefined && this.members !== undefined && !this.members.has(owner);
  }

  #place(ball: RemoteBall, silentMs: number): void {
    const { pos, vel } = ball.last;
    const seconds = this.extrapolate === "none" ? 0 : Math.min(silentMs, MAX_AHEAD_MS) / 1000;
    [ball.x] = bounce(pos[0], vel[0], seconds, WIDTH);
    [ball.y] = bounce(pos[1], vel[1], seconds, HEIGHT);
  }
}

/**
 * Moves one coordinate of a ball on by `seconds` between walls at 0 and `size`; returns where it then is and its
 * speed. However often it bounces is one computation: the way to and fro is unfolded into a line of twice the length.
 * A ball that is not between the walls (somebody's larger world) goes straight on.
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
  if (start < 0 || start > length || (end >= 0 && end <= length)) return [at + speed * seconds, speed];
  const unfolded = ((end % (2 * length)) + 2 * length) % (2 * length);
  return unfolded <= length ? [RADIUS + unfolded, speed] : [RADIUS + 2 * length - unfolded, -speed];
}

/** Returns a generator of numbers from 0 up to 1 that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomBall(id: string, random: () => number): LocalBall {
  const x = RADIUS + random() * (WIDTH - 2 * RADIUS);
  const y = RADIUS + random() * (HEIGHT - 2 * RADIUS);
  const direction = random() * 2 * Math.PI;
  const speed = MIN_SPEED + random() * (MAX_SPEED - MIN_SPEED);
  return new LocalBall(id, x, y, Math.cos(direction) * speed, Math.sin(direction) * speed);
}
