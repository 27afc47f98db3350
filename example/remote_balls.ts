// The balls of everybody else: each has a track (motion.ts) that takes its events as they come and says where
// it is to be drawn. Forgets those that fell silent or whose owner left. No clock, no socket: time and events
// are passed in. Part of the world.

import { type Strategy, Track } from "../motion.ts";
import type { BallEvent } from "./ball_event.ts";
import { type Ball, bounceBoth } from "./walls.ts";

/** How long after its last event another's ball is still shown, in milliseconds. */
export const SILENCE_MS = 10_000;

/**
 * How many balls of others are kept at most: ten lecture halls of a hundred players would not fit the screen.
 */
export const MAX_REMOTE_BALLS = 10_000;

/**
 * How long a ball goes on without news, in milliseconds, when the walls are known: a second is a spike of a
 * mobile network, and nothing but a wall turns a ball. Without walls the default of motion.ts holds.
 */
const MAX_EXTRAPOLATE_MS = 2_000;

/** All strategies, in the order of their keys. */
export const STRATEGIES: readonly Strategy[] = ["hold", "speed", "history", "blend", "interpolate"];

/** How others' balls are drawn. */
export interface Drawing {
  /** Where they are between two events; see motion.ts. */
  strategy: Strategy;
  /** Whether it is known that balls bounce off the walls. */
  walls: boolean;
}

/** Whose clock events tell: one that all share, as `relay.now()`, or each sender its own. */
export type Clock = "shared" | "sender";

/** Another's ball: where it is drawn now, and the last that was heard of it. */
export interface RemoteBall extends Ball {
  x: number;
  y: number;
  /** Where its last event put it: its ghost. */
  ghost: { readonly id: string; x: number; y: number };
  /** How long before now it is drawn, in milliseconds. */
  delayMs: number;
  /** Whose it is, if its events say so. */
  owner: string | undefined;
}

interface Tracked extends RemoteBall {
  track: Track;
  last: BallEvent;
  /** When that arrived, on the clock of events. */
  arrivedMs: number;
  silentMs: number;
  /** Whether the last event is still to be put on the track. */
  isNew: boolean;
}

/**
 * The balls of everybody else. `nowMs` is the clock that is shared, or any other that never runs backwards.
 */
export class RemoteBalls {
  readonly #balls = new Map<string, Tracked>();
  readonly #clock: Clock;
  #drawing: Drawing;

  /**
   * Who is there, by id: a ball that names its owner is shown as long as that is one of them. Undefined if
   * nobody knows, then all balls last until they fall silent.
   */
  members: { has(id: string): boolean } | undefined;

  constructor(drawing: Drawing, clock: Clock) {
    this.#drawing = drawing;
    this.#clock = clock;
  }

  /** Everybody else's balls, the one heard of first at the front. */
  get all(): Iterable<RemoteBall> {
    return this.#balls.values();
  }

  get count(): number {
    return this.#balls.size;
  }

  /** How the balls are drawn; may be changed at any time, they then begin anew from their last event. */
  get drawing(): Readonly<Drawing> {
    return this.#drawing;
  }

  set drawing(drawing: Drawing) {
    this.#drawing = drawing;
    for (const ball of this.#balls.values()) {
      ball.track = this.#newTrack();
      put(ball);
    }
  }

  /**
   * Takes an event; false if it is of one ball too many. The last words of an owner who has left by the time
   * they are taken change nothing.
   */
  receive(event: BallEvent, nowMs: number): boolean {
    const known = this.#balls.get(event.id);
    if (known === undefined && this.#balls.size >= MAX_REMOTE_BALLS) return false;
    if (this.#hasLeft(event)) return true;
    const { id, owner, pos: [x, y] } = event;
    const news = { owner, ghost: { id, x, y }, last: event, arrivedMs: nowMs, silentMs: 0, isNew: true };
    let ball = known;
    // A ball whose owner begins anew, as after a restart of the relay, may count on another clock.
    if (ball !== undefined && ball.last.owner === owner) Object.assign(ball, news);
    else ball = { id, x, y, delayMs: 0, track: this.#newTrack(), ...news };
    // Of several that came in one frame and don't say when they were true, the last is.
    if (event.t !== undefined) put(ball);
    this.#balls.set(id, ball);
    return true;
  }

  /** Puts every ball where it is to be drawn at `nowMs`, `seconds` after the step before. */
  step(seconds: number, nowMs: number): void {
    for (const ball of this.#balls.values()) {
      ball.silentMs += seconds * 1000;
      if (ball.silentMs >= SILENCE_MS || this.#hasLeft(ball.last)) {
        this.#balls.delete(ball.id);
        continue;
      }
      if (ball.isNew) put(ball);
      const { pos, delay } = ball.track.at(nowMs);
      // Its time was absurd: the track waits for a second opinion.
      if (pos.length === 0) continue;
      [ball.x, ball.y] = pos;
      ball.delayMs = delay;
    }
  }

  #hasLeft({ owner }: BallEvent): boolean {
    return owner !== undefined && this.members !== undefined && !this.members.has(owner);
  }

  #newTrack(): Track {
    const { strategy, walls } = this.#drawing;
    const known = walls ? { advance: bounceBoth, maxExtrapolateMs: MAX_EXTRAPOLATE_MS } : {};
    return new Track({ strategy, clock: this.#clock, ...known });
  }
}

function put(ball: Tracked): void {
  ball.track.push(ball.last, ball.arrivedMs);
  ball.isNew = false;
}
