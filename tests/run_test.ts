// Holds tests/run.ts to what it says: which files it runs, that nothing is left out unsaid, and that all of
// what fails is shown.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readOutcome } from "./support/test_outcome.ts";

const RUN = fileURLToPath(import.meta.resolve("./run.ts"));

const GOOD = `Deno.test("boils", () => {});\n`;
const BAD = `Deno.test("fails", () => { throw new Error("no kettle"); });\n`;
const DEAD = `Deno.test("ends all", () => Deno.kill(Deno.pid, "SIGKILL"));\n`;
const PARTIAL = `console.warn("SKIPPED: what needs a kettle");
Deno.test({ name: "is not for here", ignore: true, fn() {} });\n`;

/** Runs it in a folder that has these files in its folder tests. */
async function runIn(files: Record<string, string>, ...args: string[]) {
  const cwd = await Deno.makeTempDir({ prefix: "eventrelay_run_" });
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = `${cwd}/tests/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", RUN, ...args],
      cwd,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout);
    const ran = Array.from(text.matchAll(/^(?:ok|FAILED) +[\d.]+ s {2}tests\/(\S+)/gm), ([, file]) => file)
      .sort();
    return { code, text, ran, lines: text.trimEnd().split("\n"), errors: decoder.decode(stderr) };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("run.ts leaves out the long files and says so in its last line; --all runs them, and who is named is run", async () => {
  const files = {
    "a_test.ts": GOOD,
    "deep/b_test.ts": GOOD,
    "deep/c_long_test.ts": GOOD,
    "deep/helper.ts": BAD,
  };
  const short = await runIn(files);
  assert.deepEqual([short.code, short.ran], [0, ["a_test.ts", "deep/b_test.ts"]]);
  assert.match(short.lines.at(-2)!, /^ok \| 2 passed \| 0 failed \| 0 ignored \(\d+ s\)$/);
  assert.equal(
    short.lines.at(-1),
    "left out: 1 of 3 files, *_long_test.ts; deno task test --all runs all",
  );
  const all = await runIn(files, "--all");
  assert.deepEqual([all.code, all.ran], [0, ["a_test.ts", "deep/b_test.ts", "deep/c_long_test.ts"]]);
  assert.match(all.lines.at(-1)!, /^ok \| 3 passed \|/);
  const named = await runIn(files, "tests/deep/");
  assert.deepEqual([named.code, named.ran], [0, ["deep/b_test.ts", "deep/c_long_test.ts"]]);
  assert.match(named.lines.at(-1)!, /^ok \| 2 passed \|/);
});

Deno.test("run.ts shows all that a file says which fails or ends its process, and what others leave out", async () => {
  const { code, text, lines } = await runIn({
    "bad_test.ts": BAD,
    "dead_test.ts": DEAD,
    "broken_test.ts": "nonsense(",
    "good_test.ts": GOOD,
    "partial_test.ts": PARTIAL,
  });
  assert.equal(code, 1);
  for (const part of ["Error: no kettle", "SKIPPED: what needs a kettle", "ignored: is not for here"]) {
    assert.ok(text.includes(part), text);
  }
  assert.equal(text.match(/^its process ended with code \d+$/gm)?.length, 2, text);
  assert.deepEqual(
    lines.slice(-4, -1).toSorted(),
    ["FAILED tests/bad_test.ts", "FAILED tests/broken_test.ts", "FAILED tests/dead_test.ts"],
  );
  assert.match(lines.at(-1)!, /^FAILED \| 1 passed \| 3 failed \| 1 ignored \(\d+ s\)$/);
});

Deno.test("run.ts hands options on, and refuses what it can't run with one line and exit code 2", async () => {
  const filtered = await runIn({ "a_test.ts": GOOD, "b_test.ts": BAD }, "--filter", "boils");
  assert.deepEqual([filtered.code, filtered.ran], [0, ["a_test.ts"]]);
  for (const path of ["nowhere", "tests/empty"]) {
    const { code, text, errors } = await runIn({ "empty/helper.ts": GOOD }, path);
    assert.deepEqual([code, text], [2, ""]);
    assert.equal(errors, `Cannot test "${path}": it is no file and no folder with files *_test.ts\n`);
  }
});

Deno.test("readOutcome names steps that took long instead of their test, and believes only the last summary", () => {
  const text = `running 3 tests from ./tests/a_test.ts
says something ...
------- output -------
ok | 7 passed | 3 failed (1s)
----- output end -----
says something ... ok (1m2s)
the game ...
  begins ... ok (12s)
  is not for here ... ignored (0ms)
  ends ... FAILED (999ms)
the game ... FAILED (due to 1 failed step) (13s)
alone ... ok (1s)

FAILED | 2 passed (1 step) | 1 failed (1 step) (75s)
`;
  assert.deepEqual(readOutcome(text), {
    isComplete: true,
    passed: 2,
    failed: 1,
    ignored: ["is not for here"],
    slow: [
      { name: "says something", seconds: 62 },
      { name: "begins", seconds: 12 },
      { name: "alone", seconds: 1 },
    ],
    remarks: [],
  });
});
