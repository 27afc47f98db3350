// Holds the escaping of lookalikes against the plainest way to say it.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { likeAnswers, withSpaces } from "../../../src/relay/room/lookalike.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where lines begin that begin with `{"$`. */
function placesIn(text: string): number[] {
  return Array.from(text.matchAll(/^\{"\$/gm), ({ index }) => index);
}

Deno.test("withSpaces puts a space before each place and leaves all else", () => {
  const line = fc.constantFrom(
    '{"$a":1}',
    "1",
    '{"$"}',
    `{"$long":"${"x".repeat(60)}"}`,
    "y".repeat(100),
    "",
  );
  fc.assert(fc.property(fc.array(line), fc.nat(3), (lines, skipped) => {
    const text = lines.map((line) => line + "\n").join("");
    const start = lines.slice(0, skipped).join("\n").length + (lines.length > 0 && skipped > 0 ? 1 : 0);
    const from = Math.min(start, text.length);
    const places = placesIn(text).filter((at) => at >= from);
    const escaped = withSpaces(encoder.encode(text), from, text.length, places);
    assert.equal(decoder.decode(escaped), text.slice(from).replaceAll(/^\{"\$/gm, ' {"$'));
  }));
});

Deno.test("withSpaces takes more than it keeps memory for", () => {
  const text = '{"$a":1}\n'.repeat(30_000);
  assert.equal(
    decoder.decode(withSpaces(encoder.encode(text), 0, text.length, placesIn(text))),
    ' {"$a":1}\n'.repeat(30_000),
  );
});

Deno.test("likeAnswers finds what a plain client would take for the relay's, and nothing else", () => {
  const text = [
    '{"$error":{}}',
    '{"$error" :{}}',
    '{"$errors":{}}',
    '{"$welcome":{}}',
    '{"$welcom":1}',
    '{"$a":"{\\"$error\\":"}',
    '{"$error":1}',
    '{"$',
    '{"$err',
  ].join("\n");
  const found = likeAnswers(encoder.encode(text), placesIn(text));
  assert.deepEqual(found, [
    text.indexOf('{"$error":{'),
    text.indexOf('{"$welcome":{'),
    text.indexOf('{"$error":1'),
  ]);
});
