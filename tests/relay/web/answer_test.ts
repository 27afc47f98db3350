// Holds the head of an answer against RFC 9110: what is said by itself, and what an answer says instead.

import assert from "node:assert/strict";
import { type Answer, encodeHead, textAnswer } from "../../../src/relay/web/answer.ts";

const NOW = new Date(0);

/** The fields of a head, by their names. */
function fieldsOf(answer: Answer, isLast: boolean): Record<string, string> {
  const [first, ...lines] = new TextDecoder().decode(encodeHead(answer, isLast, NOW)).split("\r\n");
  assert.match(first, /^HTTP\/1\.1 \d{3} \w/);
  assert.deepEqual(lines.splice(-2), ["", ""]);
  return Object.fromEntries(lines.map((line) => line.split(": ")));
}

Deno.test("encodeHead says when, how long the body is, and that it is nobody's to guess or keep", () => {
  assert.deepEqual(fieldsOf(textAnswer(200, "ä\n"), false), {
    "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": "3",
  });
  assert.equal("Content-Length" in fieldsOf({ ...textAnswer(304, ""), status: 304 }, false), false);
});

Deno.test("encodeHead closes with the last answer, in the words of the answer if it has some", () => {
  assert.equal(fieldsOf(textAnswer(200, ""), false)["Connection"], undefined);
  assert.equal(fieldsOf(textAnswer(200, ""), true)["Connection"], "close");
  const upgrade = { Connection: "Upgrade, close" };
  assert.equal(fieldsOf(textAnswer(426, "", upgrade), true)["Connection"], "Upgrade, close");
});

Deno.test("encodeHead lets no value end its field", () => {
  assert.equal(fieldsOf(textAnswer(302, "", { Location: "/a\r\nX:é" }), false)["Location"], "/a??X:?");
});
