// Holds what a relay makes of its options against what it promises: the defaults, what an operator is told of
// memory that is given up, and a network for each member.

import assert from "node:assert/strict";
import { RELAY_DEFAULTS, resolveOptions } from "../../src/relay/options.ts";
import { parseSimulation } from "../../src/simulation/parse_simulation.ts";
import { ManualTime } from "../support/manual_time.ts";

Deno.test("resolveOptions puts in the defaults, and tells the time of the clock that it is given", () => {
  const time = new ManualTime();
  const settings = resolveOptions({ maxClients: 7 }, { ...time, timeOriginMs: 1000 });
  time.nowMs = 5;
  assert.equal(settings.relayTime(), 1005);
  assert.equal(settings.maxClients, 7);
  assert.equal(settings.maxRooms, RELAY_DEFAULTS.maxRooms);
  assert.equal(settings.memory.maxBytes, RELAY_DEFAULTS.maxMemoryBytes);
  assert.equal(settings.needsToken, false);
  assert.equal(resolveOptions({ token: "secret" }).needsToken, true);
});

Deno.test("resolveOptions gives each member a simulated network of its own, from the seed on", () => {
  const simulate = parseSimulation("wifi,seed=5");
  const { simulate: next } = resolveOptions({ simulate });
  assert.deepEqual([next!(), next!()], [simulate, { ...simulate, seed: 6 }]);
  assert.equal(resolveOptions({}).simulate, undefined);
});

Deno.test("resolveOptions logs that memory is given up at once, then every ten seconds how much it was", async () => {
  const time = new ManualTime();
  const lines: unknown[] = [];
  const log = (level: string, message: string, fields?: object) => void lines.push([level, message, fields]);
  const { memory } = resolveOptions({ maxMemoryBytes: 2 ** 24, log }, { ...time, timeOriginMs: 0 });
  let times = 0;
  memory.onShort("read blocks", () => (times++, 1000));
  const account = memory.open();
  account.grow(2 ** 24);
  const told = async (ms: number) => {
    const before = times;
    await time.pass(ms);
    return { times: times - before, lines: lines.splice(0) };
  };
  const message = "memory is short, gave some up";
  const first = await told(0);
  assert.deepEqual(first, { times: 1, lines: [["warn", message, { what: "read blocks", bytes: 1000 }]] });
  const next = await told(9999);
  assert.ok(next.times > 100);
  assert.deepEqual(next.lines, []);
  const last = await told(1);
  const bytes = 1000 * (next.times + last.times);
  assert.deepEqual(last.lines, [["warn", message, { what: "read blocks", bytes }]]);
  assert.deepEqual((await told(9999)).lines, []);
  const [[, , again]] = (await told(1)).lines as [string, string, { bytes: number }][];
  assert.ok(again.bytes <= bytes + 1000, "since the line before, not since the start");
  memory.close();
});
