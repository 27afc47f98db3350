// What a program hands over, looked at before it is used: objects of options, their names and their kinds.
// Every refusal names what was given and what is allowed. Pure; limits and texts are looked at where they are
// read (options.ts, target.ts).

import { beginning, kindOf } from "../wire/untrusted.ts";

/** What an option may be. */
export type Kind = "boolean" | "function" | "signal" | "any";

const ALLOWED: Readonly<Record<Exclude<Kind, "any">, string>> = {
  boolean: "true or false",
  function: "a function",
  signal: "an AbortSignal",
};

/**
 * Refuses options that are none: no plain object, unknown names, wrong kinds. One that is undefined counts as
 * missing. Returns a copy: whatever becomes of the program's object, these are what was looked at.
 *
 * @param what what can't be done, such as "connect"
 * @throws {TypeError} that names the option and what is allowed
 */
export function checkOptions<T>(what: string, options: T, kinds: Readonly<Record<string, Kind>>): T {
  if (typeof options !== "object" || options === null || Array.isArray(options) || !isPlain(options)) {
    const shown = kindOf(options) === "an object" ? "an object of another kind" : show(options);
    throw new TypeError(`Cannot ${what}: options is ${shown}, a plain object is allowed`);
  }
  const copy = { ...options } as Record<string, unknown>;
  for (const [name, value] of Object.entries(copy)) {
    if (!Object.hasOwn(kinds, name)) {
      const names = Object.keys(kinds);
      const like = names.find((each) => each.toLowerCase() === name.toLowerCase()) ??
        names.find((each) => isNear(each, name));
      const hint = like === undefined ? "" : ` (${like}?)`;
      throw new TypeError(
        `Cannot ${what}: ${show(name)} is no option${hint}, allowed is ${names.join(", ")}`,
      );
    }
    const kind = kinds[name];
    if (value === undefined) delete copy[name];
    if (value === undefined || kind === "any" || isOfKind(value, kind)) continue;
    throw new TypeError(`Cannot ${what}: ${name} is ${show(value)}, ${ALLOWED[kind]} is allowed`);
  }
  return copy as T;
}

/** Describes a value in a message, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(beginning(value));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

/** Says what a program's function threw, which may be anything: also what can't be made a text. */
export function describeThrown(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "it threw what has no text";
  }
}

/** Whether it is what `{ … }` makes, in whatever realm: a map or a date has no options, whatever it holds. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// By what it can do: a signal may come from another realm.
function isOfKind(value: unknown, kind: Exclude<Kind, "any">): boolean {
  if (kind === "boolean") return typeof value === "boolean";
  if (kind === "function") return typeof value === "function";
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof value === "object" && typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** Whether two names differ by one letter that is missing, added or another, or by two that are swapped. */
function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let [aEnd, bEnd] = [a.length, b.length];
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) [aEnd, bEnd] = [aEnd - 1, bEnd - 1];
  const [aRest, bRest] = [a.slice(start, aEnd), b.slice(start, bEnd)];
  return Math.max(aRest.length, bRest.length) <= 1 ||
    (aRest.length === 2 && aRest[0] === bRest[1] && aRest[1] === bRest[0]);
}
