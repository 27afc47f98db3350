// The Standard Schema interface (version 1, https://standardschema.dev) as far as the client needs it, as
// types only, and its use: is this value an event? zod, valibot, arktype and others have it, none of them is
// a dependency.

import { show } from "./option_check.ts";

/** A validator that follows Standard Schema, version 1. Its answer has to come at once, not as a promise. */
export interface StandardSchema<Output = unknown> {
  /** Where the standard keeps its property. */
  readonly "~standard": {
    /** The version of the standard. */
    readonly version: 1;
    /** The library the validator comes from. */
    readonly vendor: string;
    /** Checks a value: an answer with `issues` refuses it, otherwise `value` is what becomes the event. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

/** What a {@linkcode StandardSchema} answers. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One reason why a value was refused. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the value: keys, or objects that hold a key. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What is wrong with the schema itself, not with a value. */
class SchemaError extends TypeError {
  constructor(answer: string) {
    super(`Cannot check events: the schema answers with ${answer}`);
    this.name = "TypeError";
  }
}

/**
 * Makes a function that returns a checked event or throws.
 *
 * @throws {TypeError} when it is not a schema, or one that answers with a promise or with no answer of the
 * standard. Not every schema shows that before it gets a value of the right shape: then the function it made
 * throws it.
 */
export function eventChecker<E>(schema: StandardSchema<E>): (value: unknown) => E {
  const standard = schema?.["~standard"];
  if (typeof standard?.validate !== "function") {
    throw new TypeError(
      `Cannot check events: the schema has no "~standard".validate, a Standard Schema is allowed`,
    );
  }
  function check(value: unknown): E {
    const result: unknown = standard.validate(value);
    if (typeof result === "object" && result !== null && "then" in result) {
      Promise.resolve(result).catch(() => {}); // what it rejects with changes nothing
      throw new SchemaError("a promise, it has to answer at once");
    }
    if (!isResult<E>(result)) {
      throw new SchemaError(`${show(result)}, { value } or { issues: […] } is allowed`);
    }
    if (result.issues === undefined) return result.value;
    throw new TypeError(`Cannot accept event: ${describe(result.issues)}`, { cause: result.issues });
  }
  try {
    check(undefined);
  } catch (error) {
    if (error instanceof SchemaError) throw error;
  }
  return check;
}

function isResult<E>(result: unknown): result is SchemaResult<E> {
  if (typeof result !== "object" || result === null) return false; // issues may be an array that has itself
  const { issues } = result as { issues?: unknown };
  return issues === undefined ? "value" in result : Array.isArray(issues);
}

function describe(issues: readonly SchemaIssue[]): string {
  if (issues.length === 0) return "the schema refuses it";
  const { message, path = [] } = issues[0];
  const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return `${where === "" ? "" : `${where}: `}${message}${more}`;
}
