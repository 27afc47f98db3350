// A short run of the soak, with a kill of the relay in it. A long one: deno task soak --minutes 600

import assert from "node:assert/strict";
import { anySeed } from "./flags.ts";
import { runSoak } from "./soak.ts";

Deno.test("a class misses nothing untold for 12 seconds of cuts and a killed relay", async () => {
  const seed = anySeed().value;
  const lines: string[] = [];
  const faults = await runSoak({
    minutes: 0.2,
    killEveryMinutes: 0.1,
    cutEverySeconds: 2,
    clients: 8,
    websocketPercent: 50,
    maxGrowthPercent: 10,
    seed,
    say: (line) => lines.push(line),
  });
  assert.deepEqual(faults, [], `seed ${seed}\n${lines.join("\n")}`);
});
