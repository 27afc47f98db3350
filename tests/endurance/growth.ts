// Does memory grow? Samples in, a verdict out. Pure.

/** One look at a process. */
export interface Sample {
  atS: number;
  mib: number;
}

/**
 * How long a run has to be, in seconds, before its memory says anything: caches and the collector settle
 * within a minute.
 */
export const LEAST_S = 180;

/** By so many MiB memory may grow whatever the share: the collector's own ups and downs. */
const NOISE_MIB = 8;

/**
 * Compares the last third of a run with the second: returns the growth of the medians as a share, 0.1 for 10
 * %, or undefined where the run is too short to tell. Growth of less than 8 MiB counts as none. The first
 * third is warming up. A process that is started again from time to time has young and old samples in both.
 */
export function growth(samples: readonly Sample[]): number | undefined {
  const endS = Math.max(0, ...samples.map(({ atS }) => atS));
  if (endS < LEAST_S) return undefined;
  const between = (from: number, to: number) =>
    samples.filter(({ atS }) => atS > from * endS && atS <= to * endS).map(({ mib }) => mib);
  const before = median(between(1 / 3, 2 / 3));
  const after = median(between(2 / 3, 1));
  if (before === undefined || after === undefined) return undefined;
  return after - before < NOISE_MIB ? 0 : after / before - 1;
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b).at(Math.floor(values.length / 2));
}
