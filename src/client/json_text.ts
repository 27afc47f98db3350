// What a program hands over to be sent, as JSON. Pure.

import { kindOf } from "../wire/untrusted.ts";
import { describeThrown } from "./option_check.ts";

/**
 * Makes the JSON of a value, as `JSON.stringify` does; `verb` says what can't be done with one that has none.
 *
 * @throws {TypeError} when JSON can't hold it: undefined, a function, a symbol, a BigInt, a cycle,
 * an object whose `toJSON` returns one of these
 */
export function jsonText(verb: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const [reason] = describeThrown(cause).split("\n", 1);
    throw new TypeError(`Cannot ${verb}: ${reason}, what JSON can hold is allowed`, { cause });
  }
  if (text !== undefined) return text;
  throw new TypeError(`Cannot ${verb}: it is ${kindOf(value)}, what JSON can hold is allowed`);
}
