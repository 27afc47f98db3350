// Takes JSON apart that may be of any shape: what is missing, or of another kind, is nothing. Pure.

/** A member of an object, or undefined. */
export function at(value: unknown, ...path: string[]): unknown {
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** A number, or undefined if there is none. */
export function maybeNumberAt(value: unknown, path: string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** A number, or else `otherwise`. */
export function numberAt(value: unknown, path: string[], otherwise = 0): number {
  return maybeNumberAt(value, path) ?? otherwise;
}

/** A text, empty if there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** A list, empty if there is none. */
export function listAt(value: unknown, ...path: string[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
