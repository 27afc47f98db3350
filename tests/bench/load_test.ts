// Tests of the load as a whole, against tiny relays: a good one must be found faultless, and one that loses,
// doubles, exchanges or sends back lines must not. This is the judge's own trial.

import assert from "node:assert/strict";
import { runLoad } from "../../bench/load.ts";
import { isFaultless, type LoadResult } from "../../bench/load_result.ts";
import { customPlan, findScenario, type LoadPlan } from "../../bench/scenarios.ts";
import { type Mangle, TinyRelay } from "../support/bench_tiny_relay.ts";

const LINE_BYTES = 64;

async function measure(relay: TinyRelay, parts: Partial<LoadPlan>): Promise<LoadResult> {
  const plan = customPlan({ lineBytes: LINE_BYTES, warmupSeconds: 0.05, seconds: 0.15, ...parts });
  return await runLoad({ hostname: "127.0.0.1", port: relay.port, relayPid: null, plan });
}

const SMALL_FLOOD = { kind: "flood", windowBytes: 64 * 1024 } as const;
const GAME = { kind: "rate", ticksPerSecond: 50, linesPerTick: 3 } as const;

Deno.test("runLoad finds a good relay faultless in a flood from one to three", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { publishers: 1, subscribers: 3, pace: SMALL_FLOOD });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.deliveries > 0 && result.expected === result.received && result.expected % 3 === 0);
});

Deno.test("runLoad finds a good relay faultless when all send to all at a rate, and measures latency", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { members: 4, pace: GAME });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.deliveries > 0);
  const { p50, p90, p99, p999, max } = result.latencyUs;
  assert.ok(
    0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max,
    JSON.stringify(result.latencyUs),
  );
  assert.equal(result.relayCpuUs, null);
});

Deno.test("runLoad leaves a stalled member out and follows the others", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { members: 4, stalled: 1, pace: GAME });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.expected > 0);
});

Deno.test("runLoad delivers one line to each idle connection and to those held before", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { idle: 20 });
  assert.ok(isFaultless(result), JSON.stringify(result));
  const { connections, warmConnections } = result.idle!;
  assert.equal(connections, 20);
  // The sender of the warm connections' lines is one of them.
  assert.equal(result.received, connections + warmConnections - 1);
});

/** A line that is far enough from the beginning and the end of a run to be no probe. */
const ODD = 50;
const BAD_RELAYS: [name: string, fault: keyof LoadResult["faults"], mangle: Mangle, echo?: boolean][] = [
  ["loses a line", "lost", (line, index) => index === ODD ? [] : [line]],
  ["doubles a line", "doubled", (line, index) => index === ODD ? [line, line] : [line]],
  ["exchanges two lines", "outOfOrder", (line, index, state) => {
    if (index !== ODD) return index === ODD + 1 ? [line, state.kept!] : [line];
    state.kept = line.slice();
    return [];
  }],
  ["tears a line", "damaged", (line, index) => [index === ODD ? line.subarray(0, 30) : line]],
  ["sends lines back", "echoed", (line) => [line], true],
];
for (const [name, fault, mangle, echo] of BAD_RELAYS) {
  Deno.test(`runLoad convicts a relay that ${name}`, async () => {
    await using relay = new TinyRelay({ mangle, echo });
    const parts = echo ? { members: 2 } : { publishers: 1, subscribers: 2 };
    const result = await measure(relay, { ...parts, pace: SMALL_FLOOD });
    assert.ok(result.faults[fault] > 0, JSON.stringify(result));
    assert.ok(!isFaultless(result));
  });
}

Deno.test("runLoad says so when nobody can be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const plan = findScenario("1to1");
  await assert.rejects(runLoad({ hostname: "127.0.0.1", port, relayPid: null, plan }), /refused/);
});
