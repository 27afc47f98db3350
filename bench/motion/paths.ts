// The true motion that drawings are compared with: objects that know their whole state and are moved on in
// steps. Every path is a Markov process: what comes next depends on its state and on chance alone, so that
// the best possible prediction can be computed (bound.ts). Lengths in pixels, times in seconds.

import { between, type Random } from "./random.ts";

/** Steps of the truth a second. All sample and frame times lie on this grid. */
export const STEPS_HZ = 240;
const STEP_S = 1 / STEPS_HZ;

/** The world of the example. */
export const WORLD_WIDTH_PX = 640;
export const WORLD_HEIGHT_PX = 480;

/** Everything there is to know of an object at one moment; the hidden numbers are not sent. */
export interface Body {
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** What the path keeps for itself: a turn rate, a wanted velocity. */
  h0: number;
  h1: number;
}

/** A way to move. */
export interface Path {
  name: string;
  /** One line for the report. */
  about: string;
  /** False if chance plays no part after the start. */
  random: boolean;
  start(random: Random): Body;
  /** Moves a body on by one step, in place. */
  step(body: Body, random: Random): void;
}

const ball: Path = {
  name: "ball",
  about: "straight at 100 to 200 px/s in the 640 x 480 world, off its walls",
  random: false,
  start(random) {
    const angle = between(random, 0, 2 * Math.PI);
    const speed = between(random, 100, 200);
    return {
      x: between(random, 20, WORLD_WIDTH_PX - 20),
      y: between(random, 20, WORLD_HEIGHT_PX - 20),
      vx: speed * Math.cos(angle),
      vy: speed * Math.sin(angle),
      h0: 0,
      h1: 0,
    };
  },
  step(body) {
    body.x += body.vx * STEP_S;
    body.y += body.vy * STEP_S;
    if (body.x < 0 || body.x > WORLD_WIDTH_PX) {
      body.vx = -body.vx;
      body.x = body.x < 0 ? -body.x : 2 * WORLD_WIDTH_PX - body.x;
    }
    if (body.y < 0 || body.y > WORLD_HEIGHT_PX) {
      body.vy = -body.vy;
      body.y = body.y < 0 ? -body.y : 2 * WORLD_HEIGHT_PX - body.y;
    }
  },
};

const circle: Path = {
  name: "circle",
  about: "a circle of 100 px at 200 px/s, either way round",
  random: false,
  start(random) {
    const angle = between(random, 0, 2 * Math.PI);
    const rate = random() < 0.5 ? 2 : -2;
    return {
      x: 320 + 100 * Math.cos(angle),
      y: 240 + 100 * Math.sin(angle),
      vx: -100 * rate * Math.sin(angle),
      vy: 100 * rate * Math.cos(angle),
      h0: rate,
      h1: 0,
    };
  },
  step(body) {
    turn(body, body.h0 * STEP_S);
  },
};

/** The turn rates a player chooses from, in radians a second: hard left to hard right. */
const TURN_RATES = [-3, -1.5, 0, 0, 1.5, 3];
/** How long a player keeps a turn rate, in seconds, on average. */
const TURN_MEAN_S = 0.6;

const player: Path = {
  name: "player",
  about: "200 px/s, a new turn rate of -3 to 3 rad/s every 0.6 s on average",
  random: true,
  start(random) {
    const angle = between(random, 0, 2 * Math.PI);
    return { x: 320, y: 240, vx: 200 * Math.cos(angle), vy: 200 * Math.sin(angle), h0: 0, h1: 0 };
  },
  step(body, random) {
    if (random() < STEP_S / TURN_MEAN_S) body.h0 = TURN_RATES[Math.floor(random() * TURN_RATES.length)];
    turn(body, body.h0 * STEP_S);
  },
};

/** How long a walker goes or stands, in seconds, on average; and how it gets to its speed, in px/s². */
const GO_MEAN_S = 1.5;
const STOP_MEAN_S = 1;
const WALK_PX_S = 200;
const WALK_ACCELERATION = 1_000;

const stopAndGo: Path = {
  name: "stop and go",
  about: "200 px/s in a random direction for 1.5 s on average, then standing for 1 s, changing at 1000 px/s²",
  random: true,
  start() {
    return { x: 320, y: 240, vx: 0, vy: 0, h0: 0, h1: 0 };
  },
  step(body, random) {
    const going = body.h0 !== 0 || body.h1 !== 0;
    if (random() < STEP_S / (going ? GO_MEAN_S : STOP_MEAN_S)) {
      const angle = between(random, 0, 2 * Math.PI);
      body.h0 = going ? 0 : WALK_PX_S * Math.cos(angle);
      body.h1 = going ? 0 : WALK_PX_S * Math.sin(angle);
    }
    const dx = body.h0 - body.vx;
    const dy = body.h1 - body.vy;
    const missing = Math.hypot(dx, dy);
    const gain = missing > 0 ? Math.min(1, WALK_ACCELERATION * STEP_S / missing) : 0;
    body.x += (body.vx + gain * dx / 2) * STEP_S;
    body.y += (body.vy + gain * dy / 2) * STEP_S;
    body.vx += gain * dx;
    body.vy += gain * dy;
  },
};

/** Moves a body along an arc by this angle, exactly. */
function turn(body: Body, angle: number): void {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const chord = angle === 0 ? 1 : sin / angle;
  const bow = angle === 0 ? 0 : (1 - cos) / angle;
  body.x += (body.vx * chord - body.vy * bow) * STEP_S;
  body.y += (body.vx * bow + body.vy * chord) * STEP_S;
  const vx = body.vx * cos - body.vy * sin;
  body.vy = body.vx * sin + body.vy * cos;
  body.vx = vx;
}

/** All paths that are computed. */
export const PATHS: readonly Path[] = [ball, circle, player, stopAndGo];

/** Runs a path: the body at every step, the first at 0 s. */
export function run(path: Path, seconds: number, random: Random): Body[] {
  const bodies: Body[] = [];
  const body = path.start(random);
  for (let i = 0; i <= seconds * STEPS_HZ; i++) {
    bodies.push({ ...body });
    path.step(body, random);
  }
  return bodies;
}
