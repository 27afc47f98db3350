// Holds LineReader against text.split("\n"): one byte at a time, at every split point and in random chunks;
// and its limit, to the byte.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { LineReader, type LineSink } from "../../src/wire/line_reader.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const TOO_LONG = "<too long>";

/**
 * Keeps what a reader finds, line by line. Copies at once, because the bytes are valid only during the call.
 */
class Collector implements LineSink {
  readonly lines: string[] = [];
  calls = 0;

  onRun(bytes: Uint8Array, start: number, end: number): void {
    this.calls++;
    const text = decoder.decode(bytes.subarray(start, end));
    assert.ok(end > start && text.endsWith("\n"), `a run is complete lines, not ${JSON.stringify(text)}`);
    this.lines.push(...text.slice(0, -1).split("\n"));
  }

  onLineTooLong(): void {
    this.calls++;
    this.lines.push(TOO_LONG);
  }
}

/** Reads chunks, each of which is overwritten as soon as the reader has seen it, as a read buffer is. */
function read(chunks: Uint8Array[], maxLineBytes = 1000): { lines: string[]; rest: boolean } {
  const collector = new Collector();
  const reader = new LineReader(collector, maxLineBytes);
  for (const chunk of chunks) {
    const lent = chunk.slice();
    reader.push(lent);
    lent.fill(0x0a);
  }
  return { lines: collector.lines, rest: reader.isMidLine };
}

function cut(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

function bytewise(text: string): Uint8Array[] {
  return Array.from(encoder.encode(text), (byte) => Uint8Array.of(byte));
}

const TEXTS = [
  "",
  "\n",
  "\n\n\n",
  "a",
  "a\n",
  "a\r\nb\r\n\r\n",
  "\na\n\nbc\n",
  '{"id":1}\n{"id":2}\n{"id":3}',
  "ä\n€uro\n🎈🎈\n\u2028\n",
  `${"x".repeat(700)}\ny\n${"z".repeat(300)}\n`,
];

Deno.test("LineReader agrees with split, one byte at a time", () => {
  for (const text of TEXTS) {
    const expected = text.split("\n");
    const rest = expected.pop();
    assert.deepEqual(read(bytewise(text)), { lines: expected, rest: rest !== "" });
  }
});

Deno.test("LineReader agrees with split at every pair of split points", () => {
  for (const text of TEXTS.slice(0, -1)) {
    const bytes = encoder.encode(text);
    const expected = text.split("\n");
    const rest = expected.pop() !== "";
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        assert.deepEqual(read(cut(bytes, [first, second])), { lines: expected, rest });
      }
    }
  }
});

Deno.test("LineReader agrees with split for random lines in random chunks, too long ones included", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "\r", "ä", "🎈", " "), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (parts, edges) => {
      const maxLineBytes = 16;
      const bytes = encoder.encode(parts.join("\n"));
      const { lines, rest } = read(cut(bytes, edges), maxLineBytes);
      const expected = parts.slice(0, -1);
      // A long line that lies in one chunk may be passed on; one that spans chunks is not. Which, the last
      // test says.
      assert.deepEqual(
        lines.slice(0, expected.length).map((text, i) =>
          text === TOO_LONG && encoder.encode(expected[i]).length > maxLineBytes ? expected[i] : text
        ),
        expected,
      );
      const last = encoder.encode(parts.at(-1) ?? "").length;
      assert.deepEqual(lines.slice(expected.length), last > maxLineBytes ? [TOO_LONG] : []);
      assert.equal(rest, last > 0);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("LineReader makes one call for all the lines that lie in one chunk", () => {
  const collector = new Collector();
  const reader = new LineReader(collector, 10);
  reader.push(encoder.encode("a\nb\nc\nd"));
  assert.deepEqual([collector.lines.join(""), collector.calls], ["abc", 1]);
  reader.push(encoder.encode("\ne\nf\n"));
  assert.deepEqual([collector.lines.join(""), collector.calls], ["abcdef", 3]);
});

Deno.test("LineReader keeps a line of maxLineBytes and refuses one byte more, wherever it is cut", () => {
  const fits = "x".repeat(10);
  for (const [line, expected] of [[fits, fits], [fits + "y", TOO_LONG], [fits.slice(1) + "\r", undefined]]) {
    const bytes = encoder.encode(`${line}\nnext\n`);
    for (let edge = 1; edge <= line!.length; edge++) {
      assert.deepEqual(read(cut(bytes, [edge]), 10).lines, [expected ?? line, "next"], `cut at ${edge}`);
    }
  }
});

Deno.test("LineReader counts the CR before the LF as part of the line", () => {
  const fits = "x".repeat(9), bytes = encoder.encode(`${fits}\r\n${fits}y\r\nnext\r\n`);
  assert.deepEqual(read(bytewise(decoder.decode(bytes)), 10).lines, [`${fits}\r`, TOO_LONG, "next\r"]);
});

Deno.test("LineReader reports a line that is too long before its end, once, and skips the rest of it", () => {
  const collector = new Collector();
  const reader = new LineReader(collector, 4);
  reader.push(encoder.encode("ok\n1234"));
  assert.deepEqual(collector.lines, ["ok"]);
  reader.push(encoder.encode("5"));
  assert.deepEqual(collector.lines, ["ok", TOO_LONG]);
  for (let i = 0; i < 100; i++) reader.push(encoder.encode("6".repeat(100)));
  assert.equal(reader.isMidLine, true);
  reader.push(encoder.encode("7\ngood\n"));
  assert.deepEqual(collector.lines, ["ok", TOO_LONG, "good"]);
  assert.equal(reader.isMidLine, false);
});

Deno.test("LineReader takes two long lines in a row for two", () => {
  assert.deepEqual(read(bytewise("123456\n123456\n1\n"), 4).lines, [TOO_LONG, TOO_LONG, "1"]);
});

Deno.test("LineReader shows how a line begins that is too long, also where its first byte came alone", () => {
  const beginnings: string[] = [];
  const sink = {
    onRun: () => {},
    onLineTooLong: (beginning: Uint8Array) => void beginnings.push(decoder.decode(beginning)),
  };
  const line = Array.from({ length: 1000 }, (_, i) => i % 10).join("");
  for (const at of [1, 3, 15, 17, 500]) {
    const reader = new LineReader(sink, 16);
    reader.push(encoder.encode(line.slice(0, at)));
    reader.push(encoder.encode(line.slice(at)));
    reader.push(encoder.encode("\n1\n"));
  }
  assert.equal(beginnings.length, 5);
  for (const beginning of beginnings) {
    assert.ok(beginning.length >= 17 && line.startsWith(beginning), beginning);
  }
  for (const at of [0, 1, 2, 4]) assert.ok(beginnings[at].length >= 256, `${beginnings[at].length}`);
});

Deno.test("LineReader holds as much memory as its half line takes, and next to none once that has ended", () => {
  for (const maxLineBytes of [100_000, 50_000]) { // kept to its end, and found to be too long
    const reader = new LineReader(new Collector(), maxLineBytes);
    reader.push(new Uint8Array(40_000).fill(0x61));
    assert.ok(reader.heldBytes >= 40_000 && reader.heldBytes <= 80_000, `${reader.heldBytes} bytes`);
    reader.push(new Uint8Array(20_000).fill(0x61));
    assert.equal(reader.heldBytes > 256, maxLineBytes > 60_000, "what is too long is not kept");
    reader.push(encoder.encode("\nnext"));
    assert.equal(reader.isMidLine, true);
    assert.ok(reader.heldBytes <= 256, `${reader.heldBytes} bytes`);
  }
});

Deno.test("LineReader passes on a long line that lies in one chunk, for others to measure", () => {
  assert.deepEqual(read([encoder.encode("123456\n1\n")], 4).lines, ["123456", "1"]);
});

Deno.test("LineReader.end hands out what stands there without an LF, and nothing else", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["a\n", ["a"]],
    ["a\nb", ["a", "b"]],
    ["1234", ["1234"]],
    ["12345", [TOO_LONG]],
    ["12345\n1", [TOO_LONG, "1"]],
  ];
  for (const [text, expected] of cases) {
    const collector = new Collector();
    const reader = new LineReader(collector, 4);
    for (const byte of bytewise(text)) reader.push(byte);
    reader.end();
    assert.deepEqual(collector.lines, expected, JSON.stringify(text));
    assert.equal(reader.isMidLine, false);
    reader.end();
    assert.deepEqual(collector.lines, expected, "a second end() adds nothing");
  }
});

Deno.test("LineReader frees the memory of a long half line with its end, and when it is closed", () => {
  const runs: Uint8Array[] = [];
  const reader = new LineReader({ onRun: (bytes) => runs.push(bytes), onLineTooLong: () => {} }, 100_000);
  const half = encoder.encode("x".repeat(50_000));
  reader.push(half);
  assert.ok(reader.heldBytes >= 50_000);
  reader.push(encoder.encode("y\nz"));
  assert.deepEqual([runs.length, runs[0].length, reader.isMidLine], [1, 0, true]); // was valid during the call
  reader.push(half);
  reader.close();
  assert.deepEqual([reader.heldBytes, reader.isMidLine], [0, false]);
  reader.push(encoder.encode("a\n"));
  assert.equal(decoder.decode(runs[1]), "a\n");
});
