// The moment that is drawn when the recent past is drawn: how far behind it should be, and how it gets there
// without a jump in time. Knows arrival times and sample times, no positions.

/** How many arrivals the delay is chosen from. */
const PLAYOUT_WINDOW = 64;

/** The share of arrivals that must be in time; the rest is bridged by a short extrapolation. */
const PLAYOUT_QUANTILE = 0.95;

/** How much faster or slower than real time the past may run to reach its delay: 8 %. */
export const MAX_TIME_BEND = 0.08;

/** A lag that is off by this many milliseconds is bent away at full strength, less in proportion. */
const FULL_BEND_MS = 50;

/** Further off than this, in milliseconds, the past is not bent but taken up anew. */
export const MAX_LAG_MS = 5_000;

/**
 * A program that asks for no moment for this long, in milliseconds, was away itself, and sees what is new at
 * once.
 */
export const AWAY_MS = 1_000;

/**
 * How far beyond the newest sample the drawn moment may run, in milliseconds; it slows down on the way there.
 */
export const MAX_STARVED_MS = 100;

/**
 * The delay before anything has been measured, in milliseconds: one interval at the usual ten updates a
 * second.
 */
const FIRST_DELAY_MS = 100;

/**
 * Chooses how long to wait, and runs the drawn time.
 *
 * To draw between two samples at every frame, the drawn moment may not be later than the sample that was
 * newest in the last frame before the next one came: there the wait had to be `that frame - time of that
 * sample`, which holds interval and network delay together. The wait is the 95th percentile of the last 64
 * such needs: the histogram method of adaptive playout for voice (S. Moon, J. Kurose and D. Towsley, "Packet
 * audio playout delay adjustment", 1998), which takes a spike as the outlier it is; the smoothed mean plus
 * four deviations (R. Ramjee and others, "Adaptive playout mechanisms for packetized audio applications",
 * 1994) is pulled up by each spike. Samples that arrive together count once, as the wait ended for all with
 * the first.
 *
 * Voice may change its delay only in a pause of speech. Motion has none, so time is bent by up to 8 %.
 */
export class Playout {
  readonly #needs: Float64Array = new Float64Array(PLAYOUT_WINDOW);
  readonly #sorted: Float64Array = new Float64Array(PLAYOUT_WINDOW);
  #count = 0;
  #newestMs = -Infinity;
  #arrivalMs = -Infinity;
  #delayMs: number;
  #playMs = NaN;
  /** The last two different times that were asked for. */
  #lastMs = NaN;
  #lastButOneMs = NaN;
  readonly #fixed: boolean;

  /** @param delayMs a fixed delay in milliseconds, instead of one that follows the network. */
  constructor(delayMs?: number) {
    this.#fixed = delayMs !== undefined;
    this.#delayMs = delayMs ?? FIRST_DELAY_MS;
  }

  /** The delay that is aimed at, in milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Takes the time of a new newest sample and when it arrived. */
  arrived(sampleMs: number, nowMs: number): void {
    const first = this.#newestMs === -Infinity;
    const askedMs = this.#lastMs < nowMs ? this.#lastMs : this.#lastButOneMs;
    // Later than now is a time before a step of the clock.
    const need = first
      ? nowMs - sampleMs + FIRST_DELAY_MS
      : (askedMs < nowMs ? askedMs : nowMs) - this.#newestMs;
    this.#newestMs = sampleMs;
    if (nowMs === this.#arrivalMs || this.#fixed) return;
    const waitedMs = nowMs - this.#arrivalMs;
    this.#arrivalMs = nowMs;
    if (first) {
      this.#delayMs = need;
      return;
    }
    // So long a wait is a pause of the sender's, or a step of the clock, and nothing to be ready for.
    if (waitedMs < 0 || waitedMs > MAX_LAG_MS) return;
    const n = Math.min(this.#count, PLAYOUT_WINDOW);
    const at = this.#count++ % PLAYOUT_WINDOW;
    const left = n === PLAYOUT_WINDOW ? remove(this.#sorted, n, this.#needs[at]) : n;
    insert(this.#sorted, left, need);
    this.#needs[at] = need;
    this.#delayMs = this.#sorted[Math.ceil(PLAYOUT_QUANTILE * (left + 1)) - 1];
  }

  /**
   * Forgets the sender's time, as after a step of its clock, and what was measured by it; the drawn time
   * starts anew.
   */
  restart(): void {
    this.#count = 0;
    this.#playMs = NaN;
    this.#lastMs = NaN;
    this.#lastButOneMs = NaN;
    this.#newestMs = -Infinity;
    this.#arrivalMs = -Infinity;
  }

  /**
   * Takes note that the clock reads this many milliseconds more from now on, and that samples' times don't.
   */
  shift(ms: number): void {
    this.#lastMs += ms;
    this.#lastButOneMs += ms;
    this.#arrivalMs += ms;
    if (this.#fixed || ms === 0) return;
    this.#delayMs += ms;
    for (let i = 0; i < PLAYOUT_WINDOW; i++) {
      this.#needs[i] += ms;
      this.#sorted[i] += ms;
    }
  }

  /** Gives the moment to draw now. Calling it again with the same time changes nothing. */
  advance(nowMs: number): number {
    const goal = nowMs - this.#delayMs;
    const passed = Math.max(0, nowMs - this.#lastMs);
    if (nowMs !== this.#lastMs) this.#lastButOneMs = this.#lastMs;
    this.#lastMs = nowMs;
    const lag = goal - passed - this.#playMs;
    if (!(Math.abs(lag) < MAX_LAG_MS) || passed > AWAY_MS) {
      // As long as the samples are not there yet, it is taken up anew with each that comes.
      this.#playMs = goal <= this.#newestMs ? goal : NaN;
      return Math.min(goal, this.#newestMs);
    }
    const bend = Math.max(-1, Math.min(1, lag / FULL_BEND_MS)) * MAX_TIME_BEND;
    const room = this.#newestMs + MAX_STARVED_MS - this.#playMs;
    const brake = Math.max(0, Math.min(1, room / MAX_STARVED_MS));
    this.#playMs += passed * (1 + bend) * brake;
    return this.#playMs;
  }
}

/** Takes a value that is there out of the first `count` sorted numbers and gives how many remain. */
function remove(sorted: Float64Array, count: number, value: number): number {
  let i = 0;
  while (sorted[i] < value) i++;
  for (; i < count - 1; i++) sorted[i] = sorted[i + 1];
  return count - 1;
}

/** Puts a value where it belongs among the first `count` sorted numbers. */
function insert(sorted: Float64Array, count: number, value: number): void {
  let i = count;
  for (; i > 0 && sorted[i - 1] > value; i--) sorted[i] = sorted[i - 1];
  sorted[i] = value;
}
