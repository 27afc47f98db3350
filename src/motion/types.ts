// The words that the parts of motion.ts share: a sample as it comes in, a moment of motion as it goes out.
// Types only, no behaviour. Times are milliseconds, lengths whatever the caller's world uses (called units),
// velocities units per second, angles radians.

/** One known moment of an object, as its owner sent it. */
export interface Sample {
  /**
   * When this was true, in milliseconds: `relay.now()` at the owner. Without it, the moment of arrival stands
   * in, which makes every drawing late by the network's delay.
   */
  t?: number;
  /**
   * Position, in any number of dimensions; angles (radians) may be among them, see {@linkcode
   * TrackOptions.angles}.
   */
  pos: readonly number[];
  /**
   * Velocity in units per second, as many numbers as `pos`. Without it, it is worked out from the positions.
   */
  vel?: readonly number[];
  /** Acceleration in units per second squared; only `speed` with `order: 2` uses it. */
  acc?: readonly number[];
  /** True if the object did not move here but appeared here: it is drawn here at once, without gliding. */
  teleport?: boolean;
}

/** Where to draw an object, and how far to believe it. */
export interface Motion {
  /** Position; empty until the first sample. Angles lie in (-π, π]. */
  pos: number[];
  /** Velocity in units per second, without the part that only corrects an earlier guess. */
  vel: number[];
  /** Milliseconds since the newest sample was true; Infinity until the first sample. */
  age: number;
  /**
   * Milliseconds between now and the moment that is drawn: 0 for a prediction, the playout delay for
   * `interpolate`.
   */
  delay: number;
  /**
   * True if the newest sample is too old for this strategy to go on, so that the object slows down to a stop.
   */
  starved: boolean;
}

/** A position that is known to change: what a predictor believes at one moment. */
export interface Kinematics {
  /** The moment, in milliseconds. */
  t: number;
  pos: number[];
  vel: number[];
  acc: number[];
  /**
   * Radians a second at which `vel` turns towards `acc`, which then is its centripetal acceleration; 0 for no
   * turn.
   */
  turn: number;
  /** Seconds for which `acc` goes on at most; Infinity if not known. */
  bendSeconds: number;
  /** The highest speed of late, in units per second; 0 if not known. */
  topSpeed: number;
}

/** Makes a motion that nothing is known of yet. */
export function emptyMotion(): Motion {
  return { pos: [], vel: [], age: Infinity, delay: 0, starved: true };
}

/**
 * Makes a vector of zeros that takes no more memory than it needs. One that grows by itself gets room for 16
 * numbers more, and with those a crowd of objects no longer fits the processor's cache.
 */
export function vector(dims: number): number[] {
  return new Array<number>(dims).fill(0);
}

/** The distance between two positions of the same dimension. */
export function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

/** The length of a vector. */
export function length(v: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] * v[i];
  return Math.sqrt(sum);
}
