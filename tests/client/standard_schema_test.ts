// Tests src/client/standard_schema.ts with validators of its own and with libraries that follow the standard.

import assert from "node:assert/strict";
import * as v from "npm:valibot@1.5.0";
import * as z from "npm:zod@4.6.7";
import { eventChecker, type SchemaResult, type StandardSchema } from "../../src/client/standard_schema.ts";

function schema<T>(
  validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>,
): StandardSchema<T> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

interface Move {
  id: string;
  pos: number[];
}

const LIBRARIES: [string, StandardSchema<Move>][] = [
  ["zod", z.object({ id: z.string(), pos: z.array(z.number()) })],
  ["valibot", v.object({ id: v.string(), pos: v.array(v.number()) })],
];

for (const [name, library] of LIBRARIES) {
  Deno.test(`eventChecker takes a ${name} schema`, () => {
    const check = eventChecker(library);
    assert.deepEqual(check({ id: "a", pos: [1, 2] }), { id: "a", pos: [1, 2] });
    assert.throws(() => check({ id: "a", pos: [1, "x"] }), /^TypeError: Cannot accept event: pos\.1: /);
  });
}

Deno.test("eventChecker gives what the schema makes of the value", () => {
  assert.equal(eventChecker(schema((value) => ({ value: `${value}!` })))(1), "1!");
});

Deno.test("eventChecker names the first issue, how many more there are, and keeps them as the cause", () => {
  const issues = [{ message: "too small", path: ["a", { key: 0 }] }, { message: "b" }];
  const check = eventChecker(schema(() => ({ issues })));
  assert.throws(() => check(1), {
    name: "TypeError",
    message: "Cannot accept event: a.0: too small (and 1 more)",
    cause: issues,
  });
  assert.throws(() => eventChecker(schema(() => ({ issues: [] })))(1), /the schema refuses it/);
  const own = Object.assign([{ message: "as arktype has it" }], { issues: issues.slice(1) });
  assert.throws(() => eventChecker(schema(() => own))(1), { message: "Cannot accept event: b" });
});

Deno.test("eventChecker refuses a schema that answers with a promise, at once or when it shows", () => {
  assert.throws(() => eventChecker(schema((value) => Promise.resolve({ value }))), {
    name: "TypeError",
    message: "Cannot check events: the schema answers with a promise, it has to answer at once",
  });
  assert.throws(() => eventChecker(schema(() => Promise.reject(new Error("unheard")))), TypeError);
  const late = eventChecker(
    schema((value) => value === undefined ? { issues: [] } : Promise.resolve({ value })),
  );
  assert.throws(() => late(1), /answers with a promise/);
});

Deno.test("eventChecker asks as the standard says, so that a schema of a class works", () => {
  class Longer {
    readonly version = 1;
    readonly vendor = "test";
    constructor(readonly least: number) {}
    validate(value: unknown): SchemaResult<string> {
      const { length } = String(value);
      return length > this.least ? { value: String(value) } : { issues: [{ message: `${length}` }] };
    }
  }
  const check = eventChecker({ "~standard": new Longer(2) });
  assert.equal(check("abc"), "abc");
  assert.throws(() => check("ab"), { message: "Cannot accept event: 2" });
});

Deno.test("eventChecker refuses a schema whose answers are none, at once or when it shows", () => {
  for (
    const [answer, shown] of [[undefined, "undefined"], [true, "true"], ["x", '"x"'], [{}, "an object"], [
      { issues: "x" },
      "an object",
    ], [null, "null"]] as const
  ) {
    const message = `Cannot check events: the schema answers with ${shown}, ` +
      "{ value } or { issues: […] } is allowed";
    assert.throws(() => eventChecker(schema(() => answer as never)), { name: "TypeError", message });
    const late = eventChecker(schema((value) => value === undefined ? { issues: [] } : answer as never));
    assert.throws(() => late(1), { name: "TypeError", message });
  }
});

Deno.test("eventChecker refuses what is not a schema", () => {
  for (const wrong of [null, {}, { "~standard": {} }, 1]) {
    assert.throws(() => eventChecker(wrong as unknown as StandardSchema), /has no "~standard"\.validate/);
  }
});
