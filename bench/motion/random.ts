// The distributions that simulations draw from.

/** Gives numbers in [0, 1). */
export type Random = () => number;

/** Draws from [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Draws a waiting time of a process without memory. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Makes one seed of several numbers, so that parts of a run don't share a stream. */
export function mixSeed(...parts: number[]): number {
  let hash = 2166136261;
  for (const part of parts) hash = Math.imul(hash ^ part, 16777619) + 0x9e3779b9 | 0;
  return hash >>> 0;
}
