// Holds endOfEvent against JSON.parse: by tables, by generated documents and their mutations, by random bytes
// and by UTF-8 sequences one by one; and describeBadLine against the words its messages promise.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { describeBadLine, endOfEvent } from "../../src/wire/event_check.ts";

const LF = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Says what JSON.parse says of the line. */
function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(line));
    return true;
  } catch {
    return false;
  }
}

/** Asks endOfEvent about a line that stands between other bytes, as it does in a read buffer. */
function isEvent(line: Uint8Array, before = '"[{', behind = '}]"\n'): boolean {
  const start = encoder.encode(before);
  const bytes = new Uint8Array([...start, ...line, LF, ...encoder.encode(behind)]);
  const lineEnd = start.length + line.length;
  const answer = endOfEvent(bytes, start.length, lineEnd + 1);
  assert.ok(answer === -1 || answer === lineEnd, `the answer is ${answer}, the line ends at ${lineEnd}`);
  return answer === lineEnd;
}

/** Asserts that checker and JSON.parse agree, and that a refused line can be described in one clean line. */
function assertAgrees(line: Uint8Array): boolean {
  const expected = isJson(line);
  if (isEvent(line) !== expected) {
    assert.fail(
      `JSON.parse ${expected ? "takes" : "refuses"} ${JSON.stringify([...line])}, endOfEvent does not`,
    );
  }
  if (!expected) {
    const { code, message } = describeBadLine(line, 1);
    assert.equal(code, isUtf8(line) ? "invalid_json" : "invalid_utf8");
    assert.ok(message.startsWith("Cannot relay line 1: it is not ") && message.length < 200, message);
    assert.doesNotMatch(message, /[\p{C}\p{Zl}\p{Zp}]/u);
  }
  return expected;
}

function isUtf8(line: Uint8Array): boolean {
  try {
    decoder.decode(line);
    return true;
  } catch {
    return false;
  }
}

const GOOD_LINES = [
  ...[
    "0",
    "-0",
    "7",
    "10",
    "-12.50",
    "1e5",
    "1E+5",
    "0e-0",
    "1.5e309",
    "123456789012345678901234567890",
    "-0.0",
  ],
  ...[
    "true",
    "false",
    "null",
    '""',
    '"a"',
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    '{"":{}}',
    "[[],[]]",
    "[1,[2,[3]],4]",
  ],
  ...[
    '{"a":1}',
    '{"a":1,"a":2}',
    '{"a":{"b":[{}]}}',
    '{"__proto__":null}',
    '{"a":[],"b":{}}',
    '[{},{"a":0},[]]',
  ],
  ...[
    " 1",
    "1 ",
    "\t{ } ",
    "1\r",
    "\r1\r",
    ' { "a" : [ 1 , 2 ] , "b" : { } } \r',
    "[ ]",
    "{\t}",
  ],
  ...[
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\u0000\\uaBcD\\uFfFf"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83c\\udf88"',
  ],
  ...[
    '"\x7f"',
    '"é"',
    '"你好"',
    '"🎈"',
    '"\u2028\u2029"',
    '"\ufeff"',
    '{"ключ":"Ω"}',
    '"\u0080\u07ff\u0800\uffff"',
  ],
  '{"id":"ada-123456","pos":[123.456,234.567],"vel":[12.5,-33.25],"t":1234567.891}',
  '{"$hello":{"version":1}}',
];

const BAD_LINES = [
  ...[
    "",
    " ",
    "\t \r",
    "01",
    "-01",
    "00",
    "+1",
    ".5",
    "1.",
    "-",
    "-.5",
    "1e",
    "1e+",
    "1.e5",
    "1.5e",
    "0x10",
    "1_000",
  ],
  ...[
    "--1",
    "1-",
    "1+1",
    "1.2.3",
    "1e5.5",
    "1 2",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "[NaN]",
    "[-Infinity]",
  ],
  ...[
    "undefined",
    "True",
    "None",
    "nul",
    "nulll",
    "tru",
    "truee",
    "fals",
    "falsey",
    "t",
    "n",
    "f",
    "TRUE",
    "nu11",
  ],
  ...[
    '"',
    '"a',
    '"a""',
    '"\\',
    '"\\"',
    '"\\x"',
    '"\\u"',
    '"\\u12"',
    '"\\u123g"',
    '"\\U0041"',
    "'a'",
    '"a\tb"',
  ],
  ...[
    '"\u0000"',
    '"\u001f"',
    '"a\rb"',
    "{'a':1}",
    "{a:1}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,"a":1}',
    '{"a" 1}',
  ],
  ...[
    '{"a"::1}',
    '{"a":1 "b":2}',
    '{"a":1,,"b":2}',
    '{"a":1;"b":2}',
    "{1:1}",
    "{null:1}",
    "{[]:1}",
    '{"a":1]',
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1}",
    "[}",
    "{]",
    "[]]",
    "{}}",
    "[[]",
    "[:]",
  ],
  ...[
    "{}{}",
    "[][]",
    "1,2",
    ",",
    ":",
    "{},",
    "//",
    "1//a",
    "[1/*a*/]",
    "#1",
    "\ufeff1",
    "1\ufeff",
    "\u00a01",
    "\u20281",
  ],
  ...[
    "\f1",
    "\v1",
    "\b1",
    "\u00001",
    "1\u0000",
    "é",
    "hello",
    "GET / HTTP/1.1\r",
    '["a\u001bb"]',
    "\\u0031",
    "`a`",
  ],
];

Deno.test("endOfEvent takes every good line of the table", () => {
  for (const line of GOOD_LINES) assert.ok(assertAgrees(encoder.encode(line)), line);
});

Deno.test("endOfEvent refuses every bad line of the table", () => {
  for (const line of BAD_LINES) assert.ok(!assertAgrees(encoder.encode(line)), line);
});

Deno.test("endOfEvent agrees with JSON.parse on every beginning of every good line", () => {
  for (const line of GOOD_LINES.map((text) => encoder.encode(text))) {
    for (let length = 0; length < line.length; length++) assertAgrees(line.subarray(0, length));
  }
});

Deno.test("endOfEvent agrees with JSON.parse on each byte in each place of a small document", () => {
  const line = encoder.encode(' {"a\\u12aFé":[-1.5e+3,true,null,{}]}');
  for (let at = 0; at < line.length; at++) {
    const mutant = line.slice();
    for (let byte = 0; byte < 256; byte++) {
      if (byte === LF) continue;
      mutant[at] = byte;
      assertAgrees(mutant);
    }
  }
});

Deno.test("endOfEvent lets a raw LF end the line also within a string or a document", () => {
  for (
    const text of ['"a\nb"\n', '{"a":\n1}\n', "[1,\n2]\n", '"\\\n"\n', '"\\u00\n00"\n', "\n1\n", "tr\nue\n"]
  ) {
    const bytes = encoder.encode(text);
    assert.equal(endOfEvent(bytes, 0, bytes.length), -1, JSON.stringify(text));
  }
  assert.equal(endOfEvent(encoder.encode("1\n2\n"), 0, 4), 1);
  assert.equal(endOfEvent(encoder.encode("1\n2\n"), 2, 4), 3);
});

Deno.test("endOfEvent returns -1 when no LF stands before the end", () => {
  assert.equal(endOfEvent(encoder.encode("12"), 0, 2), -1);
  assert.equal(endOfEvent(encoder.encode("12\n"), 0, 2), -1);
  assert.equal(endOfEvent(encoder.encode("12 \n"), 0, 2), -1);
  for (const open of ["", '"', '"\\', '"\\u', "[", "{", "tr", "-", "1.", "1e", '"é'.slice(0, 2), "[1,"]) {
    const bytes = encoder.encode(open);
    assert.equal(endOfEvent(bytes, 0, bytes.length), -1, open);
  }
});

Deno.test("endOfEvent walks through a chunk of many lines", () => {
  const lines = GOOD_LINES.map((line) => line + "\n");
  const chunk = encoder.encode("\x00\xff{" + lines.join("") + '"half a li');
  let start = encoder.encode("\x00\xff{").length;
  for (const line of lines) {
    const lineEnd = endOfEvent(chunk, start, chunk.length);
    assert.equal(lineEnd, start + encoder.encode(line).length - 1, line);
    start = lineEnd + 1;
  }
  assert.equal(endOfEvent(chunk, start, chunk.length), -1);
});

Deno.test("endOfEvent takes nesting as deep as a line of 16 MiB allows, and forgets it for the next line", () => {
  for (const depth of [1023, 1024, 1025, 65_536, 1_000_000, 8 * 1024 * 1024]) {
    const bytes = new Uint8Array(2 * depth + 1).fill(0x5b, 0, depth).fill(0x5d, depth, 2 * depth);
    bytes[2 * depth] = LF;
    assert.equal(endOfEvent(bytes, 0, bytes.length), 2 * depth, `depth ${depth}`);
    bytes[2 * depth - 1] = 0x7d;
    assert.equal(endOfEvent(bytes, 0, bytes.length), -1, `depth ${depth}, last bracket wrong`);
    bytes[depth] = LF;
    assert.equal(endOfEvent(bytes, 0, bytes.length), -1, `depth ${depth}, never closed`);
    assert.equal(endOfEvent(encoder.encode("]\n"), 0, 2), -1);
  }
  const mixed = '[{"a":'.repeat(20_000) + "[]" + "}]".repeat(20_000);
  assert.ok(assertAgrees(encoder.encode(mixed)));
  assert.ok(!assertAgrees(encoder.encode(mixed.replace("}]}]", "}]]}"))));
});

Deno.test("endOfEvent agrees with TextDecoder on every sequence of two bytes in a string", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      if (first !== LF && second !== LF) assertSequenceAgrees([first, second]);
    }
  }
});

Deno.test("endOfEvent agrees with TextDecoder on three and four bytes around every boundary", () => {
  const leads = [
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xe1,
    0xec,
    0xed,
    0xee,
    0xef,
    0xf0,
    0xf1,
    0xf3,
    0xf4,
    0xf5,
    0xff,
  ];
  const others = [0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (const lead of leads) {
    for (const second of others) {
      for (const third of others) {
        assertSequenceAgrees([lead, second, third]);
        for (const fourth of others) assertSequenceAgrees([lead, second, third, fourth]);
      }
    }
  }
});

/** Puts the bytes into a string; compares without describing, for there are many. */
function assertSequenceAgrees(sequence: number[]): void {
  const line = new Uint8Array([0x22, ...sequence, 0x22]);
  if (isEvent(line) !== isJson(line)) assert.fail(`they differ on ${JSON.stringify(sequence)}`);
}

/** A number as JSON may write it, also where JavaScript wouldn't. */
const numberText = fc.stringMatching(/^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?$/);

/** A string as JSON may write it: any escape, any character. */
const stringText = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
    fc.stringMatching(/^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})$/),
  ),
  { maxLength: 4 },
).map((parts) => `"${parts.join("")}"`);

const space = fc.constantFrom("", "", "", " ", "\t", "\r", " \r\t ");

/** The text of a JSON document with white space wherever it is allowed. */
const { document } = fc.letrec<{ document: string; value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.constantFrom("true", "false", "null"), numberText, stringText),
    fc.tuple(space, fc.array(tie("document"), { maxLength: 4 }))
      .map(([inside, items]) => items.length > 0 ? `[${items.join(",")}]` : `[${inside}]`),
    fc.tuple(space, fc.array(fc.tuple(space, stringText, space, tie("document")), { maxLength: 4 }))
      .map(([inside, pairs]) => {
        const fields = pairs.map(([before, key, behind, value]) => `${before}${key}${behind}:${value}`);
        return fields.length > 0 ? `{${fields.join(",")}}` : `{${inside}}`;
      }),
  ),
  document: fc.tuple(space, tie("value"), space).map((parts) => parts.join("")),
}));

const documentBytes = document.map((text) => encoder.encode(text));

Deno.test("endOfEvent takes generated documents", () => {
  fc.assert(fc.property(documentBytes, (line) => assertAgrees(line)), { numRuns: 2_000 });
});

Deno.test("endOfEvent takes what JSON.stringify writes, indented or not", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom("", "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent).replaceAll("\n", "\r");
      return assertAgrees(encoder.encode(text));
    }),
    { numRuns: 1_000 },
  );
});

/** Bytes that matter to the grammar, and any others. */
const anyByte = fc.oneof(
  fc.constantFrom(...encoder.encode("\"\\{}[]:,-+.0123456789eEtrufalsn \t\r'u/")),
  fc.integer({ min: 0, max: 255 }),
).filter((byte) => byte !== LF);

interface Mutation {
  kind: "flip" | "set" | "insert" | "delete" | "truncate" | "repeat";
  /** Where, as a share of the length. */
  place: number;
  length: number;
  byte: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("flip", "set", "insert", "delete", "truncate", "repeat"),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 5 }),
  byte: anyByte,
});

function mutate(line: number[], { kind, place, length, byte }: Mutation): number[] {
  const at = Math.floor(place * line.length);
  const result = [...line];
  if (kind === "flip" && at < line.length) result[at] ^= 1 << (byte % 8);
  if (kind === "set" && at < line.length) result[at] = byte;
  if (kind === "insert") result.splice(at, 0, byte);
  if (kind === "delete") result.splice(at, length);
  if (kind === "truncate") result.length = at;
  if (kind === "repeat") result.splice(at, 0, ...line.slice(at, at + length));
  return result.map((value) => value === LF ? 0x20 : value);
}

Deno.test("endOfEvent agrees with JSON.parse on mutated documents, most of them broken, some not", () => {
  let good = 0;
  let bad = 0;
  fc.assert(
    fc.property(documentBytes, fc.array(mutation, { minLength: 1, maxLength: 3 }), (line, mutations) => {
      const mutant = mutations.reduce(mutate, [...line]);
      if (assertAgrees(new Uint8Array(mutant))) good++;
      else bad++;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(good > 50 && bad > 50, `a lopsided test says little: ${good} good, ${bad} bad`);
});

Deno.test("endOfEvent agrees with JSON.parse on two documents spliced together", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(documentBytes, share, documentBytes, share, (left, leftShare, right, rightShare) => {
      const head = left.subarray(0, Math.round(left.length * leftShare));
      const tail = right.subarray(Math.round(right.length * rightShare));
      assertAgrees(new Uint8Array([...head, ...tail]));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("endOfEvent agrees with JSON.parse on random bytes", () => {
  fc.assert(
    fc.property(fc.array(anyByte, { maxLength: 12 }), (bytes) => void assertAgrees(new Uint8Array(bytes))),
    { numRuns: 2_000 },
  );
});

Deno.test("endOfEvent does not look at the bytes around the line", () => {
  const around = fc.string({ unit: "binary-ascii", maxLength: 5 });
  fc.assert(
    fc.property(documentBytes, fc.option(mutation), around, around, (line, change, before, behind) => {
      const bytes = new Uint8Array(change === null ? line : mutate([...line], change));
      assert.equal(isEvent(bytes, before, behind), isJson(bytes));
    }),
    { numRuns: 1_000 },
  );
});

const ONE_VALUE = "one JSON value a line is allowed";

const MESSAGES: [line: string, message: string][] = [
  ["hello", `it is not JSON (expected a value at byte 1, near "hello"), ${ONE_VALUE}`],
  ["", `it is not JSON (expected a value at byte 1, where the line ends), ${ONE_VALUE}`],
  ['{"a":1', `it is not JSON (expected a comma or "}" at byte 7, where the line ends), ${ONE_VALUE}`],
  ["[1 2]", `it is not JSON (expected a comma or "]" at byte 4, near "[1 2]"), ${ONE_VALUE}`],
  ["{}{}", `it is not JSON (expected the end of the line at byte 3, near "{}{}"), ${ONE_VALUE}`],
  ['{"a" 1}', `it is not JSON (expected a colon at byte 6, near "{"a" 1}"), ${ONE_VALUE}`],
  ["{a:1}", `it is not JSON (expected a key in double quotes at byte 2, near "{a:1}"), ${ONE_VALUE}`],
  ["[1.]", `it is not JSON (expected a digit at byte 4, near "[1.]"), ${ONE_VALUE}`],
  [
    '"a',
    `it is not JSON (expected the closing quote of a string at byte 3, where the line ends), ${ONE_VALUE}`,
  ],
  [
    '"a\u001b[31m"',
    `it is not JSON (expected an escape such as \\n for a control character at byte 3, near ""a?[31m""), ${ONE_VALUE}`,
  ],
  [
    '"\\x"',
    `it is not JSON (expected one of "\\/bfnrtu after a backslash at byte 3, near ""\\x""), ${ONE_VALUE}`,
  ],
  ['"\\u12"', `it is not JSON (expected four hex digits after \\u at byte 6, near ""\\u12""), ${ONE_VALUE}`],
  [
    "[NaN]",
    'it is not JSON (expected a value at byte 2, near "[NaN]"), send null instead of NaN or Infinity',
  ],
  [
    '{"x": -Infinity}',
    'it is not JSON (expected a value at byte 8, near "{"x": -Infinity}"), send null instead of NaN or Infinity',
  ],
  [
    "{'a': 1}",
    "it is not JSON (expected a key in double quotes at byte 2, near \"{'a': 1}\"), send what json.dumps(event) returns, not str(event)",
  ],
  [
    "[True]",
    'it is not JSON (expected a value at byte 2, near "[True]"), send what json.dumps(event) returns, not str(event)',
  ],
  ["\ufeff{}", 'it is not JSON (expected a value at byte 1, near "?{}"), no byte order mark is allowed'],
  [
    `"${"你".repeat(9)}b"xy${"你".repeat(9)}`, // the excerpt would begin and end within a character
    `it is not JSON (expected the end of the line at byte 31, near "…${"你".repeat(4)}b"xy${
      "你".repeat(4)
    }…"), ${ONE_VALUE}`,
  ],
];

Deno.test("describeBadLine says what is wrong, where, and what is allowed", () => {
  for (const [line, message] of MESSAGES) {
    assert.deepEqual(describeBadLine(encoder.encode(line), 3), {
      code: "invalid_json",
      message: `Cannot relay line 3: ${message}`,
    });
  }
});

Deno.test("describeBadLine names the first byte that is not UTF-8, wherever it stands", () => {
  const allowed = "one JSON value in UTF-8 a line is allowed";
  const latin1 = Uint8Array.from('{"name":"J\xf6rg"}', (letter) => letter.charCodeAt(0));
  assert.deepEqual(describeBadLine(latin1, 12), {
    code: "invalid_utf8",
    message:
      `Cannot relay line 12: it is not UTF-8 (byte 11 is 0xf6, near "{"name":"J\ufffdrg"}"), ${allowed}`,
  });
  assert.deepEqual(describeBadLine(new Uint8Array([0xff, 0xfe, 0x31, 0x00]), 1), {
    code: "invalid_utf8",
    message: `Cannot relay line 1: it is not UTF-8 (byte 1 is 0xff, near "\ufffd\ufffd1?"), ${allowed}`,
  });
  assert.equal(describeBadLine(new Uint8Array([0x22, 0xe2, 0x82]), 1).code, "invalid_utf8");
});

Deno.test("describeBadLine keeps the excerpt free of characters that trouble a terminal", () => {
  const { message } = describeBadLine(encoder.encode('x\u001b]0;\u0007\u202e\u009b\u2028"'), 1);
  assert.match(message, /near "x\?\]0;\?\?\?\?""/);
});

Deno.test("describeBadLine throws a RangeError about a good line", () => {
  assert.throws(() => describeBadLine(encoder.encode("{}"), 4), {
    name: "RangeError",
    message: "Cannot describe line 4: it is an event, only a line that is none is allowed",
  });
});
