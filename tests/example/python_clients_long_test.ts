// Runs the tests of the Python clients that are written in Python. Needs python3; without it they are
// skipped, visibly.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { hasPython } from "../support/python.ts";

const TESTS = fileURLToPath(import.meta.resolve("./python_clients_test.py"));

const ignore = !hasPython("import sys; assert sys.version_info >= (3, 6)");
if (ignore) console.warn("SKIPPED: the tests of the Python clients, which need python3, 3.6 or newer");

Deno.test({ name: "Python clients outlive whatever a relay or their program does", ignore }, async () => {
  const { success, stderr } = await new Deno.Command("python3", { args: [TESTS] }).output();
  const told = new TextDecoder().decode(stderr);
  assert.ok(success, told);
  assert.match(told, /^Ran [1-9]\d* tests/m);
});
