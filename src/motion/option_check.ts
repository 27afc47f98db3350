// What a program tells a Track or a Sender, looked at before it is used: refused with an error that names it.
// Knows nothing of motion. As motion.ts stands alone it shares nothing with what client.ts does for its own
// options.

import { MAX_DIMENSIONS } from "./numbers.ts";

/** What an option may be. */
export type Allowed =
  /** A number from `min` to `max`; where that is Infinity, it may be that too. */
  | { min: number; max: number }
  /** One of these words or numbers. */
  | readonly (string | number)[]
  | "function"
  /** Whole numbers that are no negative ones. */
  | "indices";

/**
 * Refuses options that are none: no plain object, unknown names, wrong types, numbers out of range. A missing
 * one, and one that is undefined, is fine. Returns a copy, which stays as it was looked at.
 *
 * @param thing what is made of them, for the error.
 * @throws {TypeError} for an unknown name or a wrong type.
 * @throws {RangeError} for a value that isn't among those allowed.
 */
export function checkOptions<T>(
  thing: string,
  options: T,
  allowed: Readonly<Record<string, Allowed>>,
): T {
  if (typeof options !== "object" || options === null || Array.isArray(options) || !isPlain(options)) {
    const what = typeof options === "object" && options !== null && !Array.isArray(options)
      ? "an object of another kind"
      : shown(options);
    throw new TypeError(`Cannot make ${thing}: options is ${what}, a plain object is allowed`);
  }
  const copy = { ...options };
  for (const [name, value] of Object.entries(copy)) {
    if (!Object.hasOwn(allowed, name)) {
      throw new TypeError(
        `Cannot make ${thing}: ${shown(name)} is no option, ${listed(Object.keys(allowed), "and")} are`,
      );
    }
    if (value !== undefined) checkOption(thing, name, value, allowed[name]);
  }
  return copy;
}

/** Whether it is what `{ … }` makes, in whatever realm: a map or a date has no options, whatever it holds. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function checkOption(thing: string, name: string, value: unknown, allowed: Allowed): void {
  if (allowed === "function") {
    if (typeof value === "function") return;
    throw new TypeError(`Cannot make ${thing}: ${name} is ${shown(value)}, a function is allowed`);
  }
  if (allowed === "indices") {
    if (!Array.isArray(value)) {
      throw new TypeError(
        `Cannot make ${thing}: ${name} is ${shown(value)}, a list of indices of pos is allowed`,
      );
    }
    // Not forEach, which passes over holes.
    for (let i = 0; i < value.length; i++) {
      const index: unknown = value[i];
      if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < MAX_DIMENSIONS) continue;
      const Kind = typeof index === "number" ? RangeError : TypeError;
      throw new Kind(
        `Cannot make ${thing}: ${name} has ${shown(index)}, an index of pos is allowed, 0 to ${
          MAX_DIMENSIONS - 1
        }`,
      );
    }
    return;
  }
  if ("min" in allowed) {
    const { min, max } = allowed;
    const isNumber = typeof value === "number";
    if (isNumber && value >= min && value <= max) return;
    const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`;
    const Kind = isNumber ? RangeError : TypeError;
    throw new Kind(`Cannot make ${thing}: ${name} is ${shown(value)}, a number ${range} is allowed`);
  }
  if (allowed.includes(value as string | number)) return;
  const Kind = typeof value === typeof allowed[0] ? RangeError : TypeError;
  throw new Kind(`Cannot make ${thing}: ${name} is ${shown(value)}, ${listed(allowed, "or")} is allowed`);
}

function listed(words: readonly (string | number)[], last: "and" | "or"): string {
  return `${words.slice(0, -1).join(", ")} ${last} ${words[words.length - 1]}`;
}

/** Describes a value in an error, whatever it is. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === undefined) {
    return String(value);
  }
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
