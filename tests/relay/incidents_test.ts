// Holds Incidents against a log: what is counted, what is kept, and how much of it.

import assert from "node:assert/strict";
import { Incidents } from "../../src/relay/incidents.ts";

Deno.test("Incidents keeps the newest warnings, with their reason, and nothing else", () => {
  const incidents = new Incidents(() => 1234.6);
  incidents.keep("info", "pages", { url: "x" });
  incidents.keep("debug", "connected", { address: "a" });
  incidents.keep("warn", "bad line", {
    address: "a:1",
    code: "invalid_json",
    why: "y".repeat(1000),
    count: 3,
  });
  incidents.keep("error", "failed", { error: "z" });
  assert.deepEqual(incidents.list(), [
    { time: 1235, message: "bad line", code: "invalid_json", reason: "y".repeat(300), address: "a:1" },
    { time: 1235, message: "failed", reason: "z" },
  ]);
  for (let i = 0; i < 200; i++) incidents.keep("warn", `${i}`);
  assert.deepEqual([incidents.list().length, incidents.list().at(-1)!.message], [50, "199"]);
});

Deno.test("Incidents counts bad lines, refusals and ends by their kind", () => {
  const incidents = new Incidents(() => 0);
  for (let i = 0; i < 3; i++) incidents.count("warn", "bad line", { code: "invalid_json" });
  incidents.count("warn", "bad line", { code: "line_too_long" });
  incidents.count("warn", "connection refused", { code: "relay_full" });
  incidents.count("debug", "connection ended", { reason: "closed" });
  incidents.count("info", "status");
  assert.deepEqual(Object.fromEntries(incidents.badLines), { invalid_json: 3, line_too_long: 1 });
  assert.deepEqual(Object.fromEntries(incidents.refused), { relay_full: 1 });
  assert.deepEqual(Object.fromEntries(incidents.ended), { closed: 1 });
});
