// Tests of the benchmark's lines: what publishers write is JSON with the right numbers at the right places.

import assert from "node:assert/strict";
import { DIGITS, LineBlock, lineTemplate, readDigits, SEQUENCE_WORD } from "../../bench/line_layout.ts";

function linesOf(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  assert.ok(text.endsWith("\n"));
  return text.slice(0, -1).split("\n");
}

Deno.test("lineTemplate is one JSON line of exactly the length asked for", () => {
  for (const lineBytes of [64, 68, 100, 1000, 65_536]) {
    const template = lineTemplate(7, lineBytes);
    assert.equal(template.length, lineBytes);
    const [line, ...more] = linesOf(template);
    assert.deepEqual(more, []);
    const { s, p } = JSON.parse(line);
    assert.equal(s, "0007");
    assert.equal(p.length, (lineBytes - 60) / 4);
  }
});

Deno.test("lineTemplate refuses lengths and senders that the layout can't hold", () => {
  for (const lineBytes of [0, 60, 63, 101, 65_540, 100.5, NaN]) {
    assert.throws(() => lineTemplate(0, lineBytes), RangeError, String(lineBytes));
  }
  for (const sender of [-1, 10_000, 0.5]) assert.throws(() => lineTemplate(sender, 100), RangeError);
});

Deno.test("LineBlock numbers its lines also where digits run over", () => {
  const block = new LineBlock(12, 100, 5);
  for (const first of [1, 9_997, 99_999_998, 999_999_999_990]) {
    const lines = linesOf(block.fill(first, 5, 123_456_789)).map((line) => JSON.parse(line));
    assert.deepEqual(lines.map((line) => Number(line.n)), [0, 1, 2, 3, 4].map((index) => first + index));
    assert.ok(lines.every((line) => line.s === "0012" && line.t === "000123456789" && line.n.length === 12));
  }
});

Deno.test("LineBlock gives out only as many lines as were asked for", () => {
  const block = new LineBlock(0, 64, 10);
  assert.equal(block.fill(1, 3, 0).length, 3 * 64);
  assert.equal(block.fill(4, 10, 0).length, 640);
});

Deno.test("readDigits reads what a block wrote, and NaN where there is no digit", () => {
  const bytes = new LineBlock(0, 100, 1).fill(40_012_345, 1, 0);
  assert.equal(readDigits(bytes, SEQUENCE_WORD * 4, 12), 40_012_345);
  assert.ok(Number.isNaN(readDigits(bytes, SEQUENCE_WORD * 4 - 1, 12)));
});

Deno.test("DIGITS holds the text of each number", () => {
  const bytes = new Uint8Array(DIGITS.buffer);
  for (const value of [0, 9, 10, 999, 1000, 9999]) {
    const text = new TextDecoder().decode(bytes.subarray(value * 4, value * 4 + 4));
    assert.equal(text, String(value).padStart(4, "0"));
  }
});
