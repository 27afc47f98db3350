// Tests src/client/link/line_decoder.ts: whatever way the bytes are cut, the lines are those of
// text.split("\n").

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { LineDecoder } from "../../../src/client/link/line_decoder.ts";

const encoder = new TextEncoder();

/** Feeds chunks, each overwritten after its push as a read buffer is, and returns what came out. */
function decode(chunks: Iterable<Uint8Array>, maxUnfinishedBytes = Infinity) {
  const lines: string[] = [];
  const bad: { line: string; error: Error }[] = [];
  const decoder = new LineDecoder(maxUnfinishedBytes, {
    onLine: (line) => lines.push(line),
    onInvalidLine: (line, error) => bad.push({ line, error }),
  });
  for (const chunk of chunks) {
    const buffer = chunk.slice();
    decoder.push(buffer);
    buffer.fill(0x3f);
  }
  return { lines, bad };
}

/** The lines that text has, as decoding all of it at once sees them. */
function oracle(text: string): string[] {
  return text.split("\n").slice(0, -1).filter((line) => line !== "" && line !== "\r");
}

const SAMPLE = `{"a":1}\n\n"ä€😀"\r\n\r\n[1,2]\n"\u2028"\n\ufeff1\n"long ${"ü".repeat(40)}"\nhalf`;

Deno.test("LineDecoder gives the same lines one byte at a time", () => {
  const bytes = encoder.encode(SAMPLE);
  const { lines, bad } = decode(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assert.deepEqual(lines, oracle(SAMPLE));
  assert.deepEqual(bad, []);
});

Deno.test("LineDecoder gives the same lines at every pair of split points", () => {
  const bytes = encoder.encode(SAMPLE);
  const expected = oracle(SAMPLE);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(decode(chunks).lines, expected, `split at ${first} and ${second}`);
    }
  }
});

Deno.test("LineDecoder gives the same lines for any text in any chunks", () => {
  const part = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\n", "\r\n", "\n\n", "€", "😀"));
  const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join("").toWellFormed());
  fc.assert(fc.property(text, fc.array(fc.nat(40)), (text, sizes) => {
    const bytes = encoder.encode(text);
    const chunks: Uint8Array[] = [];
    let offset = 0;
    for (const size of sizes) chunks.push(bytes.subarray(offset, offset += size));
    chunks.push(bytes.subarray(offset));
    assert.deepEqual(decode(chunks).lines, oracle(text));
  }));
});

Deno.test("LineDecoder reports a line that is not UTF-8 and gives the lines around it, at every split point", () => {
  const bytes = Uint8Array.of(
    ...encoder.encode("1\n"),
    0x22,
    0xff,
    0xc3,
    0x22,
    ...encoder.encode('\n"ä"\n2\n'),
  );
  for (let split = 0; split <= bytes.length; split++) {
    const { lines, bad } = decode([bytes.subarray(0, split), bytes.subarray(split)]);
    assert.deepEqual(lines, ["1", '"ä"', "2"], `split at ${split}`);
    assert.deepEqual(bad.map(({ line }) => line), ['"\ufffd\ufffd"']);
    assert.ok(bad[0].error instanceof TypeError);
    assert.match(bad[0].error.message, /^Cannot read line: its 4 bytes are not UTF-8/);
  }
});

Deno.test("LineDecoder skips a line that does not end, reports it once, and goes on after its LF", () => {
  const bytes = encoder.encode(`1\n${"x".repeat(1000)}\n2\n`);
  const { lines, bad } = decode(Array.from(bytes, (byte) => Uint8Array.of(byte)), 64);
  assert.deepEqual(lines, ["1", "2"]);
  assert.equal(bad.length, 1);
  assert.ok(bad[0].error instanceof RangeError);
  assert.equal(bad[0].line, "x".repeat(65)); // all that has come
});

Deno.test("LineDecoder gives nothing of the end of a line that it skips", () => {
  const chunks = ["x".repeat(65), "y".repeat(65), "the end\n2\n3", "\n"].map((text) => encoder.encode(text));
  const { lines, bad } = decode(chunks, 64);
  assert.deepEqual(lines, ["2", "3"]);
  assert.equal(bad.length, 1);
});

Deno.test("LineDecoder keeps no half line: nothing comes of bytes without an end", () => {
  assert.deepEqual(decode([encoder.encode('{"half":')]), { lines: [], bad: [] });
});
