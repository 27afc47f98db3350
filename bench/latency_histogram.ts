// Counts latencies in buckets of fixed relative width, as HdrHistogram does: adding is two shifts and an add,
// memory doesn't grow with the number of values, and a quantile is at most one part in 128 too high.
// Pure; the load uses one for deliveries and one for how late it was itself.

/** Buckets per doubling; the relative error is at most one part in this. */
const BUCKETS_PER_OCTAVE = 128;
const OCTAVE_BITS = 7;
/** Largest value that is told apart, about 18 minutes in microseconds. */
const MAX_VALUE = 2 ** 30 - 1;

/**
 * Counts whole numbers from 0 on and gives their quantiles. Larger ones than 2^30 - 1 count as that, negative
 * ones as 0.
 */
export class LatencyHistogram {
  readonly #buckets = new Float64Array((30 - OCTAVE_BITS + 1) * BUCKETS_PER_OCTAVE);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** The largest value, exactly; 0 if there is none. */
  get max(): number {
    return this.#max;
  }

  /** Counts `value` as often as `times` says. */
  add(value: number, times = 1): void {
    const whole = value < 0 ? 0 : value > MAX_VALUE ? MAX_VALUE : Math.floor(value);
    this.#buckets[bucketOf(whole)] += times;
    this.#count += times;
    if (whole > this.#max) this.#max = whole;
  }

  /** Adds all that `other` has counted. */
  merge(other: LatencyHistogram): void {
    for (let index = 0; index < this.#buckets.length; index++) this.#buckets[index] += other.#buckets[index];
    this.#count += other.#count;
    if (other.#max > this.#max) this.#max = other.#max;
  }

  /** Returns the value that the share `q` (0 to 1) of all values doesn't exceed; 0 if there is none. */
  quantile(q: number): number {
    const wanted = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let index = 0; index < this.#buckets.length; index++) {
      seen += this.#buckets[index];
      if (seen >= wanted) return Math.min(highestIn(index), this.#max);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < BUCKETS_PER_OCTAVE) return value;
  const shift = 31 - Math.clz32(value) - OCTAVE_BITS;
  return shift * BUCKETS_PER_OCTAVE + (value >>> shift);
}

function highestIn(bucket: number): number {
  if (bucket < BUCKETS_PER_OCTAVE * 2) return bucket;
  const shift = Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1;
  return (bucket - shift * BUCKETS_PER_OCTAVE + 1) * 2 ** shift - 1;
}
