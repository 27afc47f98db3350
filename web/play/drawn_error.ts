// How far off the picture was: remembers where each ball was drawn, and when an event says where it was at
// that time, compares. What an event tells is the truth of some time ago, so this is the error that was seen
// then. Pure: time is passed in.

/** How many frames are remembered for each ball: a second and a half at 60 a second. */
const FRAMES = 90;

/** How long the trail of a ball that is drawn no more is kept, in ms. */
const FORGET_MS = 10_000;

interface Trail {
  /** Time, x and y of each frame, in a ring. */
  readonly points: Float64Array;
  /** How many frames were noted. */
  count: number;
}

/** Where balls were drawn of late. */
export class DrawnTrails {
  readonly #trails = new Map<string, Trail>();
  #prunedMs = -Infinity;

  /** Notes where a ball is drawn in the frame of `nowMs`. */
  note(id: string, x: number, y: number, nowMs: number): void {
    let trail = this.#trails.get(id);
    if (trail === undefined) {
      trail = { points: new Float64Array(3 * FRAMES), count: 0 };
      this.#trails.set(id, trail);
    }
    const at = 3 * (trail.count++ % FRAMES);
    trail.points[at] = nowMs;
    trail.points[at + 1] = x;
    trail.points[at + 2] = y;
  }

  /**
   * Returns how far from (`x`, `y`) a ball was drawn at `t`, between the two frames around it; undefined if
   * that is not known any more, or not yet.
   */
  distance(id: string, x: number, y: number, t: number): number | undefined {
    const trail = this.#trails.get(id);
    if (trail === undefined) return undefined;
    const { points, count } = trail;
    for (let back = 1; back < Math.min(count, FRAMES); back++) {
      const after = 3 * ((count - back) % FRAMES), before = 3 * ((count - back - 1) % FRAMES);
      if (points[after] < t) return undefined; // that frame is still to be drawn
      if (points[before] > t) continue;
      const span = points[after] - points[before];
      const share = span > 0 ? (t - points[before]) / span : 1;
      const drawnX = points[before + 1] + (points[after + 1] - points[before + 1]) * share;
      const drawnY = points[before + 2] + (points[after + 2] - points[before + 2]) * share;
      return Math.hypot(drawnX - x, drawnY - y);
    }
    return undefined;
  }

  /** Forgets balls that are drawn no more; to be called often. */
  prune(nowMs: number): void {
    if (nowMs - this.#prunedMs < FORGET_MS) return;
    this.#prunedMs = nowMs;
    for (const [id, { points, count }] of this.#trails) {
      if (nowMs - points[3 * ((count - 1) % FRAMES)] > FORGET_MS) this.#trails.delete(id);
    }
  }
}
