// A short run of bad luck, with another seed each time, which a failure names. More of it: deno task chaos
// --seconds 600

import assert from "node:assert/strict";
import { runChaos } from "./chaos.ts";
import { anySeed } from "./flags.ts";

Deno.test("everything is there or told after 5 seconds of chaos", async () => {
  const seed = anySeed().value;
  const lines: string[] = [];
  const violations = await runChaos({ seed, seconds: 5, say: (line) => lines.push(line) });
  const found = violations.map(({ client, what }) => `${client}: ${what}`);
  assert.deepEqual(found, [], `seed ${seed}\n${lines.join("\n")}`);
});
