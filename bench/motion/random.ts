// Random numbers that are the same in every run: one small generator with a seed, and the distributions the
// measure needs. Used by the paths and the networks. Not for secrets.

/** Gives numbers in [0, 1). */
export type Random = () => number;

/** Makes a generator from a seed: mulberry32, 32 bits of state, good enough for simulations. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

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
