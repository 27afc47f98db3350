// One stay in a room: the link to the relay, the world, and what happens in each frame. No drawing and no
// elements: the page asks it what there is to see.

import { asBallEvent } from "../../example/ball_event.ts";
import { ErrorHistory } from "../../example/error_history.ts";
import { Golden } from "../../example/golden.ts";
import { Link } from "../../example/link.ts";
import type { Drawing } from "../../example/remote_balls.ts";
import { Rates } from "../../example/status.ts";
import { type LocalBall, World } from "../../example/world.ts";
import { rateLimit } from "../../client.ts";
import { DrawnTrails } from "./drawn_error.ts";
import { release, steer, type Wish } from "./steering.ts";

/**
 * How often a steered ball is sent, times a second; one that only bounces every other time, as in the
 * terminal.
 */
const STEERED_HZ = 20;

/** How to play, and where. */
export interface GameOptions {
  /** The relay, as `connect()` takes it. */
  target: string;
  room: string;
  name: string;
  token: string;
  /** The network to ask the relay for; empty for the one there is. */
  simulate: string;
  /** How many balls of one's own, of which the first is steered. */
  balls: number;
  drawing: Drawing;
  /** Is told why it can never connect as it was asked to. */
  onRefused(error: Error): void;
}

/** Numbers for a person; undefined while not known. */
export interface GameNumbers {
  rttMs: number | undefined;
  lagMs: number | undefined;
  /** How far off others' balls were drawn in the last second, root mean square in world units. */
  error: number;
  delayMs: number;
  received: number;
  sent: number;
  frames: number;
  balls: number;
}

/** A player in a room, until `leave()`. */
export class Game {
  readonly world: World;
  readonly link: Link;
  readonly errors = new ErrorHistory();
  readonly #aborter = new AbortController();
  readonly #trails = new DrawnTrails();
  readonly #rates = new Rates(performance.now());
  readonly #due = rateLimit(STEERED_HZ);
  readonly #golden = new Golden();
  #turn = 0;

  constructor(options: GameOptions) {
    const { target, room, name, token, simulate, balls, drawing } = options;
    this.world = new World({ prefix: `${name.slice(0, 24)}-${randomId()}`, balls, drawing });
    this.link = new Link(
      {
        target,
        room: room === "" ? undefined : room,
        name,
        token: token === "" ? undefined : token,
        simulate: simulate === "" ? undefined : simulate,
        plain: false,
      },
      this.#aborter.signal,
      (error) => this.#aborter.signal.aborted || options.onRefused(error),
    );
  }

  /** The ball that is steered. */
  get ball(): LocalBall {
    return this.world.local[0];
  }

  /** Plays on by `seconds`; returns true, once a second, when there are new rates. */
  step(seconds: number, wish: Wish): boolean {
    const { link, world } = this;
    const nowMs = link.now();
    world.members = link.members;
    const distances: number[] = [];
    for (const event of link.relay?.drain() ?? []) {
      const ball = asBallEvent(event);
      const off = ball?.t === undefined ? undefined : this.#trails.distance(ball.id, ...ball.pos, ball.t);
      if (off !== undefined) distances.push(off);
      world.receive(event, nowMs);
    }
    steer(this.ball, wish, seconds);
    world.step(seconds, nowMs);
    for (const { id, x, y } of world.remote) this.#trails.note(id, x, y, nowMs);
    if (link.isUp && link.room !== undefined) this.#golden.step(link.room, world.local, nowMs);
    this.#trails.prune(nowMs);
    this.errors.note(distances, performance.now());
    this.#send(nowMs, wish.kind !== "none");
    link.tellRtt();
    return this.#rates.frame(link.relay?.stats ?? { received: 0, sent: 0 }, performance.now());
  }

  /** Lets the steered ball go: it flies on. */
  release(): void {
    release(this.ball);
  }

  /** What there is to tell. */
  get numbers(): GameNumbers {
    const { world, link } = this;
    let delayMs = 0;
    for (const ball of world.remote) delayMs += ball.delayMs;
    return {
      rttMs: link.isUp ? link.relay?.rtt : undefined,
      lagMs: link.isUp ? link.relay?.lag : undefined,
      error: this.errors.recent.rms,
      delayMs: delayMs / Math.max(1, world.remoteCount),
      ...this.#rates.perSecond,
      balls: world.remoteCount + world.local.length,
    };
  }

  /** Says goodbye; the others see the balls vanish. */
  leave(): void {
    this.#aborter.abort();
  }

  #send(nowMs: number, isSteered: boolean): void {
    const { link, world } = this;
    if (!link.isUp || !this.#due()) return;
    const isEverybodysTurn = this.#turn++ % 2 === 0;
    for (const ball of world.local) {
      const isDue = isEverybodysTurn || (isSteered && ball === this.ball);
      if (isDue) link.relay?.send(ball.toEvent(link.stamp(nowMs)));
    }
  }
}

/** Tells two players of one name apart. Pages of http have no crypto.randomUUID(). */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(3));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
