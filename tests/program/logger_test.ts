// Holds log lines against their form, as text and as JSON, and shows that nothing from outside reaches a
// terminal raw.

import assert from "node:assert/strict";
import { createLogger, MAX_LOG_LINE } from "../../src/program/logger.ts";
import type { LogLevel } from "../../src/relay/relay.ts";

const LEVELS: LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * What a terminal could obey, or what could turn text around: C0, DEL, C1, line and paragraph separators,
 * bidi.
 */
const TROUBLE = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0x061c,
  ...range(0x200e, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
].map((code) => String.fromCharCode(code));

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function logOne(
  format: "text" | "json",
  message: string,
  fields?: Record<string, string | number>,
): string {
  const lines: string[] = [];
  createLogger(format, "debug", (line) => lines.push(line))("warn", message, fields);
  assert.equal(lines.length, 1);
  return lines[0];
}

Deno.test("createLogger writes text: time, level, fact, key=value", () => {
  const line = logOne("text", "bad lines", { address: "[::1]:80", count: 3, why: 'it is "x" = y' });
  assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn bad lines /);
  assert.ok(line.endsWith(' bad lines address=[::1]:80 count=3 why="it is \\"x\\" = y"'), line);
});

Deno.test("createLogger quotes a text value that would read as several fields or as none", () => {
  const values = ["", " ", "a b", "a=b", "a\\b", '"', "ä", "-"];
  for (const value of values.slice(0, -1)) {
    assert.ok(logOne("text", "fact", { value }).endsWith(` value=${JSON.stringify(value)}`), value);
  }
  assert.ok(logOne("text", "fact", { value: "-" }).endsWith(" value=-"));
});

Deno.test("createLogger writes JSON that holds all fields, numbers as numbers", () => {
  const line = logOne("json", "status", { members: 3, ratio: 0.5, address: "127.0.0.1:5" });
  const { time, ...rest } = JSON.parse(line);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  assert.deepEqual(rest, {
    level: "warn",
    message: "status",
    members: 3,
    ratio: 0.5,
    address: "127.0.0.1:5",
  });
});

Deno.test("createLogger without fields writes the fact alone", () => {
  assert.ok(logOne("text", "stopping").endsWith(" warn stopping"));
  assert.deepEqual(Object.keys(JSON.parse(logOne("json", "stopping"))), ["time", "level", "message"]);
});

Deno.test("createLogger never lets a control or a bidi character through", () => {
  for (const char of TROUBLE) {
    for (const text of [char, `a${char}b`, `${char}[31m${char}`]) {
      for (const format of ["text", "json"] as const) {
        const line = logOne(format, text, { why: text });
        for (const trouble of TROUBLE) {
          assert.ok(!line.includes(trouble), `${format} of ${JSON.stringify(text)} holds it raw`);
        }
        if (format === "json") assert.equal(JSON.parse(line).why, text, "and it can be read back");
      }
    }
  }
});

Deno.test("createLogger leaves out what is below its level", () => {
  for (const [lowest, from] of LEVELS.entries()) {
    const lines: string[] = [];
    const log = createLogger("text", from, (line) => lines.push(line));
    for (const level of LEVELS) log(level, "fact");
    assert.deepEqual(lines.map((line) => line.split(" ")[1]), LEVELS.slice(lowest));
  }
});

Deno.test("createLogger keeps every line short, whole and readable, whatever its fields hold", () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, "\0".repeat(9)]));
  const cases: [string, Record<string, unknown>][] = [
    ["fact", { why: "x".repeat(1e6) }],
    ["\u{1F600}\0".repeat(1e5), { ["k".repeat(1e5)]: "\u{1F600}".repeat(1e5) }],
    ["fact", many],
  ];
  for (let last = 0; last < 500; last++) { // of which one fills the line as far as it goes
    cases.push(["fact", {
      ...range(1, 7).map(() => "y".repeat(500)),
      last: "z".repeat(last),
      more: "m".repeat(500),
    }]);
  }
  for (const [message, fields] of cases) {
    const text = logOne("text", message, fields as Record<string, string>);
    const json = logOne("json", message, fields as Record<string, string>);
    for (const line of [text, json]) {
      assert.ok(line.length <= MAX_LOG_LINE, `${line.length}`);
      assert.ok(line.isWellFormed());
    }
    JSON.parse(json);
  }
  const { cut, ...kept } = JSON.parse(logOne("json", "fact", many as Record<string, string>));
  assert.equal(cut + Object.keys(kept).length - 3, 1000, "what was left out is counted");
  const { why } = JSON.parse(logOne("json", "fact", { why: "x".repeat(1e6) }));
  assert.equal(why, "x".repeat(500) + "…");
});

Deno.test("createLogger takes values that it should not be given", () => {
  const odd = {
    a: undefined,
    b: null,
    c: 1n,
    d: NaN,
    e: Symbol("s"),
    f: Object.create(null),
    g: {
      toString() {
        throw new Error("odd");
      },
    },
  } as unknown as Record<string, string>;
  assert.ok(
    logOne("text", "fact", odd).endsWith(
      ' fact a=undefined b=null c=1 d=NaN e="Symbol(s)" f="(has no text)" g="(has no text)"',
    ),
  );
  assert.equal(JSON.parse(logOne("json", "fact", odd)).g, "(has no text)");
  const none = logOne("text", "fact", null as unknown as undefined);
  assert.ok(none.endsWith(" warn fact"));
});
