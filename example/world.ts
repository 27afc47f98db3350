// The world of the example: our own balls, which bounce off four walls, and the balls of everybody else,
// which are drawn where motion.ts takes them to be. No clock, no socket, no terminal: time and events are
// passed in, so a second of play is one call in a test.

import { asBallEvent, type BallEvent, ballEvent } from "./ball_event.ts";
import { type Clock, type Drawing, type RemoteBall, RemoteBalls } from "./remote_balls.ts";
import { type Ball, bounce, HEIGHT, RADIUS, WIDTH } from "./walls.ts";

/** Slowest and fastest start of an own ball, in units per second. */
const MIN_SPEED = 40;
const MAX_SPEED = 200;

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

export interface WorldOptions {
  /** What the ids of our balls begin with; unlike every other player's. */
  prefix: string;
  /** How many balls of our own: 10. */
  balls?: number;
  /** How the balls of others are drawn: `blend`, with known walls. */
  drawing?: Drawing;
  /** Whose clock others' events tell: `shared`. */
  clock?: Clock;
  /** Where chance comes from, 0 up to 1: `Math.random`. */
  random?: () => number;
}

/**
 * All balls there are. `nowMs` is the shared clock, or any other that never runs backwards, the same one in
 * every call.
 */
export class World {
  /** Our own balls. */
  readonly local: readonly LocalBall[];
  readonly #localIds: ReadonlySet<string>;
  readonly #remote: RemoteBalls;
  #ignored = 0;

  constructor(options: WorldOptions) {
    const { prefix, balls = 10, drawing, clock = "shared", random = Math.random } = options;
    this.local = Array.from({ length: balls }, (_, i) => randomBall(`${prefix}-${i + 1}`, random));
    this.#localIds = new Set(this.local.map((ball) => ball.id));
    this.#remote = new RemoteBalls(drawing ?? { strategy: "blend", walls: true }, clock);
  }

  /** Everybody else's balls, the one heard of first at the front. */
  get remote(): Iterable<RemoteBall> {
    return this.#remote.all;
  }

  get remoteCount(): number {
    return this.#remote.count;
  }

  /** Counts the events that were not a ball of somebody else, or one ball too many. */
  get ignored(): number {
    return this.#ignored;
  }

  /** How the balls of others are drawn; may be changed while the game runs. */
  get drawing(): Readonly<Drawing> {
    return this.#remote.drawing;
  }

  set drawing(drawing: Drawing) {
    this.#remote.drawing = drawing;
  }

  /** Sets who is there, by id: the balls of others vanish with their owners. Undefined if nobody knows. */
  set members(members: { has(id: string): boolean } | undefined) {
    this.#remote.members = members;
  }

  /** Takes in an event from the relay, whatever it is; what is no ball is counted and changes nothing. */
  receive(event: unknown, nowMs: number): void {
    const ball = asBallEvent(event);
    const isTaken = ball !== undefined && !this.#localIds.has(ball.id) && this.#remote.receive(ball, nowMs);
    if (!isTaken) this.#ignored++;
  }

  /**
   * Moves everything on to `nowMs`, `seconds` after the step before, and forgets the balls that fell silent,
   * or whose owner left.
   */
  step(seconds: number, nowMs: number): void {
    for (const ball of this.local) ball.step(seconds);
    this.#remote.step(seconds, nowMs);
  }
}

function randomBall(id: string, random: () => number): LocalBall {
  const x = RADIUS + random() * (WIDTH - 2 * RADIUS);
  const y = RADIUS + random() * (HEIGHT - 2 * RADIUS);
  const direction = random() * 2 * Math.PI;
  const speed = MIN_SPEED + random() * (MAX_SPEED - MIN_SPEED);
  return new LocalBall(id, x, y, Math.cos(direction) * speed, Math.sin(direction) * speed);
}
