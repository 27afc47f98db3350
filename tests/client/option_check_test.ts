// Tests src/client/option_check.ts: what is refused, what a refusal says, and which name it guesses.

import assert from "node:assert/strict";
import { checkOptions, show } from "../../src/client/option_check.ts";

const KINDS = { onJoin: "function", room: "any", retry: "boolean", signal: "signal" } as const;

Deno.test("checkOptions takes each kind, what is undefined, and any value of any", () => {
  checkOptions("connect", {}, KINDS);
  checkOptions("connect", { onJoin() {}, room: null, retry: false, signal: AbortSignal.abort() }, KINDS);
  checkOptions("connect", { onJoin: undefined, retry: undefined, signal: undefined }, KINDS);
  for (
    const options of [Object.freeze({ retry: true }), Object.assign(Object.create(null), { retry: true })]
  ) {
    assert.deepEqual(checkOptions("connect", options, KINDS), { retry: true });
  }
  const otherRealm = Object.create(Object.assign(Object.create(null), { toString() {} }));
  checkOptions("connect", Object.assign(otherRealm, { retry: true }), KINDS);
  const { aborted, addEventListener } = new AbortController().signal;
  checkOptions("connect", { signal: { aborted, addEventListener } }, KINDS); // of another realm
});

Deno.test("checkOptions guesses a name that differs by one letter, two swapped ones, or in capitals", () => {
  const hintOf = (name: string) => {
    try {
      checkOptions("connect", { [name]: true }, KINDS);
    } catch (error) {
      return / is no option(?: \((\w+)\?\))?, allowed is onJoin, room, retry, signal$/.exec(
        (error as Error).message,
      )?.[1];
    }
    assert.fail(`${name} was taken`);
  };
  for (const name of ["rety", "retryy", "rettry", "retrx", "rtery", "RETRY", "xretry", "etry"]) {
    assert.equal(hintOf(name), "retry", name);
  }
  for (const name of ["re", "retryxx", "yrter", "__proto", "toString", ""]) {
    assert.equal(hintOf(name), undefined, name);
  }
});

Deno.test("checkOptions says what is wrong with what is no object, and with a wrong kind", () => {
  class Options {
    retry = true;
  }
  const bad: (readonly [unknown, string])[] = [
    ...[[null, "null"], ["x", '"x"'], [[], "an array"], [7, "7"], [undefined, "undefined"]] as const,
    ...[() => {}, class {}].map((each) => [each, "a function"] as const),
    ...[new Map([["retry", true]]), new Set(), new Date(), new Options(), Object.create({ retry: true })]
      .map((each) => [each, "an object of another kind"] as const),
  ];
  for (const [options, shown] of bad) {
    assert.throws(() => checkOptions("connect", options, KINDS), {
      name: "TypeError",
      message: `Cannot connect: options is ${shown}, a plain object is allowed`,
    });
  }
  for (
    const [name, value, allowed] of [
      ["onJoin", "x", 'onJoin is "x", a function is allowed'],
      ["retry", 1, "retry is 1, true or false is allowed"],
      ["signal", {}, "signal is an object, an AbortSignal is allowed"],
      ["signal", () => {}, "signal is a function, an AbortSignal is allowed"],
    ] as const
  ) {
    assert.throws(() => checkOptions("connect", { [name]: value }, KINDS), {
      name: "TypeError",
      message: `Cannot connect: ${allowed}`,
    });
  }
});

Deno.test("show repeats 40 units of a text at most, and names what it can't show", () => {
  assert.equal(show("x".repeat(40)), `"${"x".repeat(40)}"`);
  assert.equal(show("x".repeat(41)), `"${"x".repeat(40)}…"`);
  assert.deepEqual([NaN, true, null, undefined, 1n, Symbol("s"), {}, []].map(show), [
    ...["NaN", "true", "null", "undefined"],
    ...["a bigint", "a symbol", "an object", "an array"],
  ]);
});
