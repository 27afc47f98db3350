// The order of ids. Pure.

/**
 * Compares two ids of peers of one relay by the order in which they were given out, for `sort`: less than 0
 * if `a` is the older one. Relays since version 0.2 give out ids that compare so as texts, too (`a < b`).
 */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
