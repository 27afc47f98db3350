import assert from "node:assert/strict";
import { NoiseFilter } from "../../src/relay/noise_filter.ts";

/** A filter with a clock that is set, and what it let pass. */
function setUp() {
  const lines: string[] = [];
  const state = { nowMs: 0 };
  const filter = new NoiseFilter(
    (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
    () => state.nowMs,
  );
  const takeLines = () => lines.splice(0);
  return { filter, state, takeLines };
}

Deno.test("NoiseFilter passes the first line of a kind at once, and holds back further ones for a second", () => {
  const { filter, state, takeLines } = setUp();
  for (let i = 1; i <= 91; i++) filter.log("warn", "bad line", { address: `10.0.0.7:${i}`, line: i });
  assert.deepEqual(takeLines(), ['warn bad line {"address":"10.0.0.7:1","line":1}']);
  filter.flush(state.nowMs = 999);
  assert.deepEqual(takeLines(), []);
  filter.flush(state.nowMs = 1000);
  assert.deepEqual(takeLines(), ['warn bad line {"address":"10.0.0.7:91","line":91,"count":90}']);
  filter.log("warn", "bad line", { address: "10.0.0.7:3" });
  filter.flush(state.nowMs = 1999);
  assert.deepEqual(takeLines(), []);
  filter.flush(state.nowMs = 2000);
  assert.deepEqual(takeLines(), ['warn bad line {"address":"10.0.0.7:3","count":1}']);
});

Deno.test("NoiseFilter forgets who was quiet for a second", () => {
  const { filter, state, takeLines } = setUp();
  filter.log("warn", "bad line", { address: "10.0.0.7:1" });
  filter.flush(state.nowMs = 1000);
  filter.log("warn", "bad line", { address: "10.0.0.7:2" });
  assert.equal(takeLines().length, 2);
});

Deno.test("NoiseFilter keeps kinds and hosts apart, also with IPv6 addresses", () => {
  const { filter, takeLines } = setUp();
  filter.log("warn", "bad line", { address: "10.0.0.7:1" });
  filter.log("warn", "connection refused", { address: "10.0.0.7:1" });
  filter.log("warn", "bad line", { address: "[2001:db8::7]:1" });
  filter.log("warn", "bad line", { address: "[2001:db8::8]:1" });
  assert.equal(takeLines().length, 4);
  filter.log("error", "bad line", { address: "[2001:db8::7]:2" });
  assert.equal(takeLines().length, 0);
});

Deno.test("NoiseFilter passes what is no warning, and what is about no host", () => {
  const { filter, takeLines } = setUp();
  for (let i = 0; i < 2; i++) {
    filter.log("info", "member", { address: "10.0.0.7:1" });
    filter.log("debug", "connected", { address: "10.0.0.7:1" });
    filter.log("error", "cannot accept a connection", { retryMs: 10 });
    filter.log("warn", "without fields");
  }
  assert.equal(takeLines().length, 8);
});

Deno.test("NoiseFilter writes what it still holds back in the end", () => {
  const { filter, takeLines } = setUp();
  for (let i = 0; i < 3; i++) filter.log("warn", "bad line", { address: "10.0.0.7:1" });
  filter.flush(Infinity);
  assert.deepEqual(takeLines(), [
    'warn bad line {"address":"10.0.0.7:1"}',
    'warn bad line {"address":"10.0.0.7:1","count":2}',
  ]);
});

Deno.test("NoiseFilter bounds what it remembers: hosts beyond the first thousand share a count", () => {
  const { filter, state, takeLines } = setUp();
  for (let i = 0; i < 5000; i++) {
    filter.log("warn", "bad line", { address: `[2001:db8::${i.toString(16)}]:1` });
  }
  assert.equal(takeLines().length, 1001);
  filter.flush(state.nowMs = 1000);
  assert.deepEqual(takeLines(), ['warn bad line {"address":"[2001:db8::1387]:1","count":3999}']);
});
