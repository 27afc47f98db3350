// Tests of what all commands of bench/ share, and that each of them says how it is used.

import assert from "node:assert/strict";
import { readCount } from "../../bench/command.ts";

const BENCH = new URL("../../bench/", import.meta.url);
/** Those whose imports come from npm are left out: the gate may have no registry. */
const COMMANDS = [
  ...["fanout.ts", "isolation.ts", "storm.ts", "idle_memory.ts", "event_check.ts", "motion/speed.ts"],
  ...["peers/run.ts", "peers/curve.ts", "peers/processes.ts"],
];

async function outcomeOf(script: string, args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-lock", "--no-check", new URL(script, BENCH).href, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

for (const script of COMMANDS) {
  Deno.test(`bench/${script} answers --help, and refuses what it doesn't know in one line`, async () => {
    const [help, short, wrong] = await Promise.all([
      outcomeOf(script, ["--help"]),
      outcomeOf(script, ["-h"]),
      outcomeOf(script, ["--no-such-flag"]),
    ]);
    assert.equal(help.code, 0, help.stderr);
    assert.match(help.stdout, new RegExp(`^bench/${script.replace(".", "\\.")}: [\\s\\S]*\n\nUSAGE: deno `));
    assert.equal(short.stdout, help.stdout);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^Unknown option '--no-such-flag'\. Try --help\n$/);
    assert.equal(wrong.stdout, "");
  });
}

Deno.test("readCount takes whole numbers from the least on", () => {
  assert.equal(readCount(undefined, "rounds", 1, 3), 3);
  assert.equal(readCount("1", "rounds", 1, 3), 1);
  for (const text of ["0", "-1", "1.5", "", " ", "many", "1e999"]) {
    assert.throws(() => readCount(text, "rounds", 1, 3), {
      name: "RangeError",
      message: `Cannot use --rounds ${JSON.stringify(text)}: it is a whole number of at least 1`,
    });
  }
});
