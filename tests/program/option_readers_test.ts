// Holds the readers of options against tables: what each text means, and that everything else is refused with
// what is allowed.

import assert from "node:assert/strict";
import * as readers from "../../src/program/option_readers.ts";

const { Refusal } = readers;

/** What a reader makes of a text; "refused" if it takes it for nothing. */
function read(reader: readers.Reader<unknown>, text: string): unknown {
  const value = reader(text);
  if (!(value instanceof Refusal)) return value;
  assert.ok(value.allowed.length > 0, "a refusal says what is allowed");
  return "refused";
}

interface Case {
  reader: readers.Reader<unknown>;
  /** What texts mean. */
  good: Record<string, unknown>;
  bad: string[];
}

const CASES: Record<string, Case> = {
  portsReader: {
    reader: readers.portsReader,
    good: { "0": [0, 0], "65535": [65535, 65535], "32000-33000": [32000, 33000] },
    bad: ["", "-1", "65536", "2-1", "0-9", "1-", "a", "1-2-3", " 1"],
  },
  addressReader: {
    reader: readers.addressReader,
    good: { "127.0.0.1": "127.0.0.1", "lab.example.org": "lab.example.org", "::1": "::1", "[::1]": "::1" },
    bad: ["", " ", "a b", "[]", "[a]", "[::1", "::1]", "[[::1]]", "[::1]:80"],
  },
  countReader: {
    reader: readers.countReader(1, 10),
    good: { "1": 1, "10": 10, "010": 10 },
    bad: ["", "0", "11", "1.5", "-1", "1e1"],
  },
  sizeReader: {
    reader: readers.sizeReader(16, 2 ** 20),
    good: { "16": 16, "64k": 65_536, "0.5m": 524_288, "1MB": 2 ** 20 },
    bad: ["", "15", "2m", "1t", "k"],
  },
  timeReader: {
    reader: readers.timeReader(10, 60_000),
    good: { "10ms": 10, "1.5s": 1500, "1m": 60_000 },
    bad: ["", "9ms", "5", "2m", "1h"],
  },
  choiceReader: {
    reader: readers.choiceReader("skip", "close"),
    good: { skip: "skip", close: "close" },
    bad: ["", "Skip", "skip,close"],
  },
  switchReader: {
    reader: readers.switchReader,
    good: { "1": true, on: true, "0": false, no: false },
    bad: ["", "TRUE", "2"],
  },
  listReader: {
    reader: readers.listReader(readers.hostReader),
    good: { "a": ["a"], "a, B.org.": ["a", "b.org"] },
    bad: ["", "a,", "a:1", "a b"],
  },
  originReader: {
    reader: readers.originReader,
    good: { "*": "*", "null": "null", "HTTPS://X.org:443": "https://x.org" },
    bad: ["", "x.org", "ftp://x.org", "https://x.org/"],
  },
  proxyReader: {
    reader: readers.proxyReader,
    good: { "loopback": "loopback", "10.0.0.0/8": "10.0.0.0/8", "::1": "::1" },
    bad: ["", "10.0.0.0/33", "proxy"],
  },
  textReader: { reader: readers.textReader("a name"), good: { "a b": "a b" }, bad: [""] },
};

for (const [name, { reader, good, bad }] of Object.entries(CASES)) {
  Deno.test(`${name} reads what it should, and refuses the rest`, () => {
    for (const [text, value] of Object.entries(good)) assert.deepEqual(read(reader, text), value, text);
    for (const text of bad) assert.equal(read(reader, text), "refused", JSON.stringify(text));
  });
}

Deno.test("simulationReader says in its own words what is wrong with a network", () => {
  assert.equal(read(readers.simulationReader, ""), "refused");
  assert.equal(read(readers.simulationReader, "wifi") === "refused", false);
  const wrong = readers.simulationReader("delay=1h");
  assert.ok(wrong instanceof Refusal && /delay/.test(wrong.allowed));
});
