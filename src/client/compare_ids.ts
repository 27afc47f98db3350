// The order of ids. Pure.

import { kindOf } from "../wire/untrusted.ts";

/**
 * Compares two ids of peers of one relay by the order in which they were given out, for `sort`: less than 0
 * if `a` is the older one. Relays since version 0.2 give out ids that compare so as texts, too (`a < b`).
 *
 * @throws {TypeError} when one is not a string
 */
export function compareIds(a: string, b: string): number {
  for (const id of [a, b]) {
    if (typeof id !== "string") {
      throw new TypeError(`Cannot compare ids: one is ${kindOf(id)}, a string is allowed`);
    }
  }
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
