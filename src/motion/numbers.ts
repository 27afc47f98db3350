// Which numbers motion can be worked out with, and which lists of them: those of samples come from others,
// and what is none is refused in silence. Keeps nothing and knows nothing of motion.

/**
 * The largest number, to either side of zero, that a position, a velocity, an acceleration or a time may be.
 * Beyond it numbers are coarser than one unit or millisecond, and far beyond it their squares are infinite.
 */
export const MAX_NUMBER: number = Number.MAX_SAFE_INTEGER;

/**
 * How many numbers a position may have: more than any pose needs, and no more than a track can keep without
 * harm.
 */
export const MAX_DIMENSIONS = 1_024;

/** Says whether a value is a number that motion can be worked out with. */
export function isUsable(value: unknown): value is number {
  return typeof value === "number" && value <= MAX_NUMBER && value >= -MAX_NUMBER;
}

/** Says whether a value from outside is a list of usable numbers, as long as a position may be. */
export function isVector(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DIMENSIONS) return false;
  for (let d = 0; d < value.length; d++) if (!isUsable(value[d])) return false;
  return true;
}

/** Says whether a value is missing, or a list of this many usable numbers. */
export function isVectorOrMissing(value: unknown, dims: number): value is number[] | undefined {
  return value === undefined || (isVector(value) && value.length === dims);
}

/** Says whether all numbers of a list that we made are finite. */
export function isFiniteVector(vector: readonly number[], dims: number): boolean {
  // A number less itself is 0, but for NaN and the infinite ones, whose difference and every sum with it is
  // NaN.
  let nothing = 0;
  for (let d = 0; d < dims; d++) nothing += vector[d] - vector[d];
  return nothing === 0;
}
