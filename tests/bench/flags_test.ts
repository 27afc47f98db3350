// Tests of the benchmark's flags: what they ask for, and what they refuse.

import assert from "node:assert/strict";
import { readOptions } from "../../bench/flags.ts";
import { SCENARIOS, SHORT_SCENARIOS } from "../../bench/scenarios.ts";

function read(line: string) {
  const options = readOptions(line.split(" ").filter(Boolean));
  assert.ok(options !== null);
  return options;
}

Deno.test("readOptions without flags asks for the short table, each plan once, on the relay of this checkout", () => {
  const { plans, rounds, relay } = read("");
  assert.deepEqual(plans.map((plan) => plan.name), SHORT_SCENARIOS);
  assert.ok(plans.every((plan) => plan.seconds <= 2));
  assert.equal(rounds, 1);
  assert.deepEqual(relay, { kind: "start", command: null, args: ["0", "--quiet", "--host", "127.0.0.1"] });
});

Deno.test("readOptions takes a load of one's own", () => {
  const [plan] = read("--all 5 --rate 100 --batch 10 --size 256 --seconds 2.5 --warmup 0").plans;
  assert.deepEqual(plan, {
    name: "custom",
    publishers: 0,
    subscribers: 0,
    members: 5,
    stalled: 0,
    idle: 0,
    lineBytes: 256,
    pace: { kind: "rate", ticksPerSecond: 10, linesPerTick: 10 },
    isCold: false,
    warmupSeconds: 0,
    seconds: 2.5,
  });
  const [{ publishers, subscribers, pace }] = read("--subscribers 7 --window 4096").plans;
  assert.deepEqual({ publishers, subscribers, pace }, {
    publishers: 1,
    subscribers: 7,
    pace: { kind: "flood", windowBytes: 4096 },
  });
  assert.equal(read("--idle 50").plans[0].idle, 50);
});

Deno.test("readOptions changes a named scenario only where a flag says so", () => {
  const [plan] = read("--scenario class --seconds 1").plans;
  const named = SCENARIOS.find(({ name }) => name === "class");
  assert.deepEqual(plan, { ...named, seconds: 1 });
  assert.equal(read("--all-scenarios").plans.length, SCENARIOS.length);
  assert.equal(read("--all-scenarios").rounds, null);
  assert.equal(read("--all-scenarios --rounds 2").rounds, 2);
});

Deno.test("readOptions names the server: another command, or one that is there", () => {
  assert.deepEqual(readOptions(["--relay", "dist/eventrelay --verbose", "--unchecked"])?.relay, {
    kind: "start",
    command: ["dist/eventrelay", "--verbose"],
    args: ["0", "--quiet", "--host", "127.0.0.1", "--unchecked"],
  });
  assert.deepEqual(read("--target localhost:32100 --pid 7").relay, {
    kind: "existing",
    hostname: "localhost",
    port: 32100,
    pid: 7,
  });
});

Deno.test("readOptions is null when asked for help", () => {
  assert.equal(readOptions(["--help"]), null);
});

const REFUSED: [line: string, error: RegExp][] = [
  ["--bogus", /--bogus/],
  ["extra", /extra/],
  ["--size 101", /101/],
  ["--seconds x", /--seconds "x"/],
  ["--rounds 0", /--rounds "0"/],
  ["--publishers 1.5", /--publishers "1\.5": it is a whole number of at least 0/],
  ["--publishers 0", /nobody sends/],
  ["--all 1", /nobody receives/],
  ["--batch 3", /--batch/],
  ["--rate 5 --flood", /--rate/],
  ["--all 3 --scenario class", /several loads/],
  ["--scenario class --all-scenarios", /several loads/],
  ["--all 3 --idle 4", /--idle/],
  ["--scenario school", /"school"/],
  ["--target localhost", /"localhost"/],
  ["--target localhost:1 --unchecked", /--unchecked/],
  ["--target localhost:1 --relay x", /--relay/],
  ["--pid 3", /--pid/],
];
for (const [line, error] of REFUSED) {
  Deno.test(`readOptions refuses ${line}`, () => {
    assert.throws(() => readOptions(line.split(" ")), error);
  });
}
