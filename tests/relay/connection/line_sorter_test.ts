// Holds LineSorter against an oracle made of split and JSON.parse, in any chunking: which lines go on, which
// are refused, with what number and code; and that what goes on is the very bytes that came.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { LineSorter, type LineSorterSink } from "../../../src/relay/connection/line_sorter.ts";
import type { WireError } from "../../../src/wire/protocol.ts";

const MAX_LINE_BYTES = 40;

const encoder = new TextEncoder();

type Found = { good: number[]; isLookalike?: true } | { control: number[] } | {
  code: string;
  line: number | undefined;
};

/** Keeps what an sorter found, in order: the bytes of each good line, the code and number of each bad one. */
class Collector implements LineSorterSink {
  readonly found: Found[] = [];
  readonly errors: WireError[] = [];
  readonly badLines: string[] = [];

  onLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[],
  ): void {
    const places = [...lookalikes];
    const ends = [];
    for (let i = start; i < end; i++) if (bytes[i] === 0x0a) ends.push(i + 1);
    assert.equal(ends.length, lines, "the count of good lines is the count of LFs");
    assert.equal(ends.at(-1), end, "a run ends with an LF");
    for (const lineEnd of ends) {
      const isLookalike = places[0] === start;
      if (isLookalike) places.shift();
      this.found.push({ good: [...bytes.subarray(start, lineEnd)], ...(isLookalike && { isLookalike }) });
      start = lineEnd;
    }
    assert.deepEqual(places, [], "each place is the beginning of a line");
  }

  onControl(bytes: Uint8Array, start: number, end: number): void {
    assert.equal(bytes.indexOf(0x0a, start), end - 1, "one line with its LF");
    this.found.push({ control: [...bytes.subarray(start, end)] });
  }

  onBadLine(error: WireError, line: Uint8Array): void {
    this.errors.push(error);
    this.badLines.push(new TextDecoder().decode(line));
    this.found.push({ code: error.code, line: error.line });
  }
}

/** What should be found in `bytes`, said in the plainest way. */
function expectedOf(bytes: Uint8Array, { isChecked, takesControl }: Way): Found[] {
  const found: Found[] = [];
  let number = 0, start = 0;
  const input = bytes.length > 0 && bytes.at(-1) !== 0x0a ? [...bytes, 0x0a] : [...bytes];
  for (let at = 0; at < input.length; at++) {
    if (input[at] !== 0x0a) continue;
    const line = Uint8Array.from(input.slice(start, at));
    start = at + 1;
    number++;
    const isBlank = line.every((byte) => (isChecked ? [0x20, 0x09, 0x0d] : [0x0d]).includes(byte)) &&
      (isChecked || line.length < 2);
    if (isBlank) continue;
    const code = judge(line, isChecked);
    const isControl = String.fromCharCode(...line.subarray(0, 3)) === '{"$';
    if (code !== undefined) found.push({ code, line: number });
    else if (!isControl) found.push({ good: [...line, 0x0a] });
    else if (takesControl) found.push({ control: [...line, 0x0a] });
    else found.push({ good: [...line, 0x0a], isLookalike: true });
  }
  return found;
}

function judge(line: Uint8Array, isChecked: boolean): string | undefined {
  if (line.length > MAX_LINE_BYTES) return "line_too_long";
  if (!isChecked) return undefined;
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    return "invalid_utf8";
  }
  try {
    JSON.parse(text);
  } catch {
    return "invalid_json";
  }
}

/** How a sorter works, and how it is let work. */
interface Way {
  isChecked: boolean;
  takesControl: boolean;
  /** How many lines it may take at a time; they are taken in turn, again and again. */
  portions: readonly number[];
  /** Whether it may go on, each time that it asks. */
  hasTime: boolean;
}

const PLAINLY: Way = { isChecked: true, takesControl: true, portions: [Infinity], hasTime: true };

/** Feeds chunks, each overwritten once all its lines were taken, and ends the input. */
function feed(chunks: Iterable<Uint8Array>, way: Partial<Way> = {}): Collector {
  const { isChecked, takesControl, portions, hasTime } = { ...PLAINLY, ...way };
  const collector = new Collector();
  const sorter = new LineSorter(collector, { maxLineBytes: MAX_LINE_BYTES, isChecked }, () => hasTime);
  sorter.takesControl = takesControl;
  let received = 0, lineBytes = 0, portion = 0;
  const inPortion = (go: (maxLines: number) => void) => {
    const maxLines = portions[portion++ % portions.length];
    const before = sorter.lineNumber;
    go(maxLines);
    const taken = sorter.lineNumber - before;
    // The first and the last line of a chunk, if they are too long, are told of beside.
    assert.ok(taken <= maxLines + 2, `${taken} lines, not ${maxLines}`);
    if (sorter.isWaiting) assert.ok(taken > 0, "it goes on");
  };
  for (const chunk of chunks) {
    const lent = chunk.slice();
    inPortion((maxLines) => sorter.push(lent, maxLines));
    while (sorter.isWaiting) inPortion((maxLines) => sorter.resume(maxLines));
    if (chunk.includes(0x0a)) lineBytes = received + chunk.lastIndexOf(0x0a) + 1;
    received += chunk.length;
    assert.equal(sorter.lineBytes, lineBytes, "what complete lines had");
    lent.fill(0x30);
  }
  sorter.end();
  assert.equal(sorter.isMidLine, false);
  return collector;
}

function feedText(text: string): Collector {
  return feed([encoder.encode(text)]);
}

function good(text: string): Found {
  return { good: [...encoder.encode(text)] };
}

Deno.test("LineSorter parts good, bad and empty lines and counts all of them", () => {
  const { found } = feedText('1\n\n{"a":1}\r\nno\n \t\r\n"\xe4"\n\r\n[1,]\n2');
  assert.deepEqual(found, [
    good("1\n"),
    good('{"a":1}\r\n'),
    { code: "invalid_json", line: 4 },
    good('"\xe4"\n'),
    { code: "invalid_json", line: 8 },
    good("2\n"),
  ]);
});

Deno.test("LineSorter names code, line and what is allowed", () => {
  const bad: [string | number[], string, RegExp][] = [
    ["x", "invalid_json", /Cannot relay line 2: .*one JSON value a line is allowed/],
    ["{'a':1}", "invalid_json", /json\.dumps/],
    ['{"a":NaN}', "invalid_json", /send null/],
    ["1 2", "invalid_json", /end of the line/],
    [[0x22, 0xff, 0x22], "invalid_utf8", /0xff/],
    [`"${"x".repeat(MAX_LINE_BYTES)}"`, "line_too_long", /it has 42 bytes, at most 40 are allowed/],
    ["x".repeat(MAX_LINE_BYTES + 1), "line_too_long", /it has 41 bytes, at most 40 are allowed/],
  ];
  for (const [line, code, message] of bad) {
    const bytes = typeof line === "string" ? encoder.encode(line) : Uint8Array.from(line);
    const { found, errors } = feed([Uint8Array.of(0x31, 0x0a, ...bytes, 0x0a, 0x32, 0x0a)]);
    assert.deepEqual(found, [good("1\n"), { code, line: 2 }, good("2\n")]);
    assert.match(errors[0].message, message);
    assert.match(errors[0].message, /^Cannot relay line 2: /);
  }
});

Deno.test("LineSorter takes a line of maxLineBytes, CR counted, and refuses one more, in one chunk and in many", () => {
  const fits = `"${"x".repeat(MAX_LINE_BYTES - 2)}"`;
  const cases: [string, boolean][] = [
    [fits, true],
    [`${fits.slice(1)}`.replace(/^./, '"') + "\r", true],
    [`${fits}\r`, false],
    [` ${fits}`, false],
  ];
  for (const isChecked of [true, false]) {
    for (const [line, isGood] of cases) {
      const bytes = encoder.encode(`${line}\n1\n`);
      for (let edge = 0; edge <= bytes.length; edge++) {
        const { found } = feed([bytes.subarray(0, edge), bytes.subarray(edge)], { isChecked });
        assert.deepEqual(found, [
          isGood ? good(`${line}\n`) : { code: "line_too_long", line: 1 },
          good("1\n"),
        ]);
      }
    }
  }
});

Deno.test("LineSorter reports a long line before its end comes, and numbers what follows rightly", () => {
  const collector = new Collector();
  const sorter = new LineSorter(collector, { maxLineBytes: MAX_LINE_BYTES, isChecked: true }, () => true);
  sorter.push(encoder.encode("1\n"));
  sorter.push(encoder.encode("x".repeat(MAX_LINE_BYTES + 1)));
  assert.deepEqual(collector.found, [good("1\n"), { code: "line_too_long", line: 2 }]);
  assert.match(collector.errors[0].message, /more than 40 bytes/);
  assert.equal(sorter.isMidLine, true);
  sorter.push(encoder.encode("xxx\nbad\n"));
  assert.deepEqual(collector.found.at(-1), { code: "invalid_json", line: 3 });
  assert.equal(sorter.lineNumber, 3);
});

Deno.test("LineSorter passes good lines on in one run, without a call for each", () => {
  let calls = 0;
  const sorter = new LineSorter(
    {
      onLines: (_bytes, _start, _end, lines) => {
        calls++;
        assert.equal(lines, 100);
      },
      onControl: () => assert.fail("there is no control line"),
      onBadLine: (error) => assert.fail(error.message),
    },
    { maxLineBytes: MAX_LINE_BYTES, isChecked: true },
    () => true,
  );
  sorter.push(encoder.encode('{"id":1}\n'.repeat(100)));
  assert.equal(calls, 1);
});

Deno.test("LineSorter leaves bytes as they are: big numbers, order of keys, spaces, escapes, CR", () => {
  const lines = [
    "1152921504606846975\n",
    '{"b":1,"a":2,"a":3}\n',
    " [ 1 , 2.50e+00 ] \t\r\n",
    '"\\u00e4\\/\xe4\u2028🎈"\n',
  ];
  assert.deepEqual(feedText(lines.join("")).found, lines.map(good));
});

Deno.test("LineSorter unchecked looks at length and LF alone", () => {
  const { found } = feed([encoder.encode("no json\n\n\r\n \n"), Uint8Array.of(0xff, 0x00, 0x0a)], {
    isChecked: false,
  });
  assert.deepEqual(found, [good("no json\n"), good(" \n"), { good: [0xff, 0x00, 0x0a] }]);
});

Deno.test("LineSorter hands out what begins as a control line by itself, in its place among the others, if it is good", () => {
  const line = '{"$hello":{"version":1}}\n';
  assert.deepEqual(feedText(line).found, [{ control: [...encoder.encode(line)] }]);
  const text = `1\n2\n${line}3\n{"$\n{"$":1}\n ${line}{"\\u0024a":1}\n`;
  assert.deepEqual(feedText(text).found, [
    good("1\n"),
    good("2\n"),
    { control: [...encoder.encode(line)] },
    good("3\n"),
    { code: "invalid_json", line: 5 },
    { control: [...encoder.encode('{"$":1}\n')] },
    good(` ${line}`),
    good('{"\\u0024a":1}\n'),
  ]);
});

Deno.test("LineSorter agrees with split and JSON.parse, whatever the lines, however they are cut", () => {
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.json({ maxDepth: 1 }).map((text) => encoder.encode(text)) },
    fc.string({ unit: "binary", maxLength: 12 }).map((text) => encoder.encode(text)),
    fc.uint8Array({ maxLength: 6 }),
    fc.constantFrom("", "\r", " ", "\t\r", "1\r", "NaN", '{"$a":{}}', '{"$', '{"$":1}\r', ' {"$a":{}}').map((
      text,
    ) => encoder.encode(text)),
    fc.integer({ min: MAX_LINE_BYTES - 2, max: MAX_LINE_BYTES + 3 }).map((n) =>
      encoder.encode("1".repeat(n))
    ),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 16 }),
      fc.boolean(),
      fc.record({
        isChecked: fc.boolean(),
        takesControl: fc.boolean(),
        portions: fc.array(fc.constantFrom(1, 2, 3, Infinity), { minLength: 1, maxLength: 5 }),
        hasTime: fc.boolean(),
      }),
      (lines, cuts, hasLastLf, way) => {
        const parts = lines.flatMap((line, i) =>
          i < lines.length - 1 || hasLastLf ? [...line, 0x0a] : [...line]
        );
        const bytes = Uint8Array.from(parts);
        const edges = [...cuts.map((edge) => edge % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const chunks = edges.map((edge, i) => bytes.subarray(i === 0 ? 0 : edges[i - 1], edge));
        const expected = expectedOf(bytes, way);
        assert.deepEqual(feed(chunks, way).found, expected, "in random chunks");
        assert.deepEqual(feed([bytes], way).found, expected, "in one chunk");
        for (let at = 0; at <= bytes.length; at += 1 + Math.floor(bytes.length / 20)) {
          assert.deepEqual(
            feed([bytes.subarray(0, at), bytes.subarray(at)], way).found,
            expected,
            `cut at ${at}`,
          );
        }
        assert.deepEqual(
          feed(Array.from(bytes, (byte) => Uint8Array.of(byte)), way).found,
          expected,
          "bytewise",
        );
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("LineSorter stops after as many lines as are allowed, good, bad, empty and control lines alike", () => {
  const text = '1\n\nbad\n{"$a":{}}\n2\n3\n';
  for (let maxLines = 1; maxLines <= 7; maxLines++) {
    const collector = new Collector();
    const sorter = new LineSorter(collector, { maxLineBytes: MAX_LINE_BYTES, isChecked: true }, () => true);
    sorter.takesControl = true;
    sorter.push(encoder.encode(text), maxLines);
    for (let lines = maxLines; lines < 6; lines += maxLines) {
      assert.deepEqual([sorter.lineNumber, sorter.isWaiting], [lines, true]);
      sorter.resume(maxLines);
    }
    assert.deepEqual([sorter.lineNumber, sorter.isWaiting], [6, false]);
    assert.deepEqual(collector.found, feedText(text).found);
  }
});

Deno.test("LineSorter asks whether it may go on after a bounded amount of work, whatever lines it is", () => {
  const kinds: [string, number][] = [
    ['{"id":1,"pos":[3,4]}\n', 2000],
    ["1\n", 2000],
    ["\n", 600],
    ["bad\n", 32],
    ['{"$a":1}\n', 32],
    [`{"$to":{"ids":[${'"k1",'.repeat(200)}"k2"],"event":1}}\n`, 2], // whom each of its bytes may name
  ];
  for (const [line, mostLines] of kinds) {
    let asked = 0;
    const sorter = new LineSorter(new Collector(), { maxLineBytes: 2000, isChecked: true }, () => {
      asked++;
      return false;
    });
    sorter.takesControl = true;
    sorter.push(encoder.encode(line.repeat(10_000)));
    assert.deepEqual([asked, sorter.isWaiting], [1, true], line);
    assert.ok(sorter.lineNumber <= mostLines, `${sorter.lineNumber} times ${line.slice(0, 30)}`);
  }
});

Deno.test("LineSorter says in its place that a line behind those that wait is too long", () => {
  const collector = new Collector();
  const sorter = new LineSorter(collector, { maxLineBytes: MAX_LINE_BYTES, isChecked: true }, () => true);
  sorter.push(encoder.encode(`1\n2\n${"x".repeat(99)}`), 1);
  assert.deepEqual(collector.found, [good("1\n")]);
  sorter.resume(1);
  assert.deepEqual(collector.found, [good("1\n"), good("2\n"), { code: "line_too_long", line: 3 }]);
  assert.deepEqual(collector.badLines, ["x".repeat(99)]);
});

Deno.test("LineSorter shows how a line begins that is too long, 256 bytes of it, and all of another bad one", () => {
  const collector = new Collector(), text = "get /".padEnd(1000, "x");
  const sorter = new LineSorter(collector, { maxLineBytes: MAX_LINE_BYTES, isChecked: true }, () => true);
  sorter.push(encoder.encode(`bad\n${text}\n`));
  sorter.push(encoder.encode(text.slice(0, 1)));
  sorter.push(encoder.encode(`${text.slice(1)}\n`));
  assert.deepEqual(collector.badLines, ["bad", text.slice(0, 256), text.slice(0, 256)]);
});

Deno.test("LineSorter names the kind of what it dealt with last", () => {
  const sorter = new LineSorter(new Collector(), { maxLineBytes: 40, isChecked: true }, () => true);
  sorter.takesControl = true;
  for (
    const [line, kind] of [["1\n", "events"], ['{"$a":{}}\n', "control lines"], ["bad\n", "bad lines"]]
  ) {
    sorter.push(encoder.encode(line));
    assert.equal(sorter.lastKind, kind);
  }
});
