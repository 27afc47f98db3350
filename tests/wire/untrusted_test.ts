import assert from "node:assert/strict";
import { beginning, isCount, isRecord, kindOf, printable, quote } from "../../src/wire/untrusted.ts";

Deno.test("isRecord knows objects of JSON from all else", () => {
  for (const value of [{}, { a: 1 }, Object.create(null)]) assert.equal(isRecord(value), true);
  for (const value of [null, undefined, [], "a", 1, true, () => {}]) assert.equal(isRecord(value), false);
});

Deno.test("isCount knows whole numbers from 0 on, as far as they are exact", () => {
  for (const value of [0, 1, 2 ** 53 - 1]) assert.equal(isCount(value), true, `${value}`);
  for (const value of [-1, 0.5, 2 ** 53, NaN, Infinity, "1", 1n, null, undefined, true, [1]]) {
    assert.equal(isCount(value), false, String(value));
  }
});

Deno.test("kindOf names the kind of any value", () => {
  const cases: [value: unknown, kind: string][] = [
    [1, "a number"],
    ["x", "a string"],
    [false, "a boolean"],
    [1n, "a bigint"],
    [null, "null"],
    [undefined, "undefined"],
    [[], "an array"],
    [{}, "an object"],
    [() => {}, "a function"],
    [Symbol("s"), "a symbol"],
  ];
  for (const [value, kind] of cases) assert.equal(kindOf(value), kind);
});

Deno.test("printable puts a question mark for each character that a terminal obeys or that can't be seen", () => {
  const cases: [text: string, shown: string][] = [
    ["plain, ä 日 🎈", "plain, ä 日 🎈"],
    ["\0\x07\x1b[2J\r\n\t\x7f\x9b", "???[2J?????"],
    ["\u202eevil\u202c \u2066x\u2069", "?evil? ?x?"], // they turn the direction of what follows
    ["a\u200bb\ufeffc\u00add", "a?b?c?d"],
  ];
  for (const [text, shown] of cases) assert.equal(printable(text), shown, JSON.stringify(text));
});

Deno.test("beginning keeps 40 units of a text, and says where it is cut", () => {
  assert.equal(beginning("x".repeat(40)), "x".repeat(40));
  assert.equal(beginning("x".repeat(41)), `${"x".repeat(40)}…`);
});

Deno.test("quote shows the beginning of anything as a string of JSON in well-formed text", () => {
  const cases: [text: string, shown: string][] = [
    ["", '""'],
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ["\x1b[2J", '"?[2J"'],
    ["\ud83c", '"?"'],
    ["x".repeat(39) + "🎈", `"${"x".repeat(39)}?…"`], // cut in two
  ];
  for (const [text, shown] of cases) {
    assert.equal(quote(text), shown);
    assert.equal(quote(text).isWellFormed(), true);
  }
});
