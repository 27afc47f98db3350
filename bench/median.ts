// The median of what was measured several times.

/** Returns the median; of an even number of values the lower of the middle two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}
