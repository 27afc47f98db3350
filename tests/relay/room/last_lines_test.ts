// Holds readLastLines against logs as rooms write them, cut anywhere.

import assert from "node:assert/strict";
import { readLastLines } from "../../../src/relay/room/last_lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("readLastLines gives the events of a session feed with who said them and when", () => {
  const log = [
    '{"$time":{"time":1700000000000.5}}',
    '{"$from":{"id":"k1"}}',
    '{"a":1}',
    ' {"$looks":"like a control line"}',
    '{"$from":{}}',
    '"plain"',
    '{"$join":{"id":"k2","name":"bo"}}',
    '{"$time":{"time":1700000000100}}',
    '{"$from":{"id":7}}',
    "[2]",
  ].map((line) => line + "\n").join("");
  const lines = readLastLines(encode(log), true, "session");
  assert.deepEqual(lines, [
    { time: 1700000000000.5, from: "k1", text: '{"a":1}' },
    { time: 1700000000000.5, from: "k1", text: ' {"$looks":"like a control line"}' },
    { time: 1700000000000.5, from: undefined, text: '"plain"' },
    { time: 1700000000100, from: undefined, text: "[2]" },
  ]);
  for (let at = 1; at < log.length; at++) {
    const part = readLastLines(encode(log.slice(at)), false, "session").map(({ text }) => text);
    assert.deepEqual(part, lines.slice(lines.length - part.length).map(({ text }) => text), `cut at ${at}`);
  }
});

Deno.test("readLastLines takes lines of a plain feed as they are, cuts long ones, and gives the last fifty", () => {
  const long = `"${"ä🎈".repeat(1000)}"`;
  const log = Array.from({ length: 80 }, (_, i) => `{"$error":${i}}\n`).join("") + `${long}\n`;
  const lines = readLastLines(encode(log), true, "plain");
  assert.equal(lines.length, 50);
  assert.equal(lines[0].text, '{"$error":31}');
  assert.equal(Array.from(lines.at(-1)!.text).length, 301);
  assert.ok(long.startsWith(lines.at(-1)!.text.slice(0, -1)) && lines.at(-1)!.text.endsWith("…"));
});

Deno.test("readLastLines bears control lines that are none, and a log without an end of a line", () => {
  assert.deepEqual(
    readLastLines(encode('{"$time":\n{"$from":null}\n{"$x":1}\n1\n'), true, "session").map(({ text }) =>
      text
    ),
    ["1"],
  );
  assert.deepEqual(readLastLines(encode("1"), true, "session"), []);
  assert.deepEqual(readLastLines(encode(""), false, "session"), []);
});

Deno.test("readLastLines keeps a byte order mark, with which nobody's JSON begins, where lines are not checked", () => {
  assert.deepEqual(readLastLines(encode("\ufeff[1]\n"), true, "plain").map(({ text }) => text), [
    "\ufeff[1]",
  ]);
});
