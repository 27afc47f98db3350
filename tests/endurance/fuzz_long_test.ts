// A short run of the fuzzer in both directions, with another seed each time, which a failure names. An hour
// of it: deno task fuzz --seconds 3600

import assert from "node:assert/strict";
import { anySeed } from "./flags.ts";
import { runFuzz } from "./fuzz.ts";

Deno.test("the relay bears hostile clients, and client.ts a hostile relay, for 20 seconds", async () => {
  const seed = anySeed().value;
  const lines: string[] = [];
  const findings = await runFuzz({ seconds: 20, seed, say: (line) => lines.push(line) });
  const found = findings.map(({ what, cases }) =>
    `${what} (--seed ${seed} --only one of ${cases.slice(-30)})`
  );
  assert.deepEqual(found, [], lines.join("\n"));
});
