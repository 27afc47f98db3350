// Tests src/client/session/freshness.ts with times given by hand.

import assert from "node:assert/strict";
import { Freshness } from "../../../src/client/session/freshness.ts";

Deno.test("Freshness says stale of what follows a mark that is too old, and fresh after a newer one", () => {
  const freshness = new Freshness();
  freshness.check(9999, 100);
  assert.equal(freshness.isStale, false, "nothing is known before the first mark");
  freshness.mark(1000, 1100, 100);
  assert.deepEqual([freshness.isStale, freshness.lagMs], [false, 100]);
  freshness.check(1101, 100);
  assert.equal(freshness.isStale, true, "time passes");
  freshness.mark(1050, 1101, 100);
  assert.deepEqual([freshness.isStale, freshness.lagMs], [false, 51]);
  freshness.mark(1000, 1101, 100);
  assert.equal(freshness.isStale, true);
  freshness.reset();
  assert.equal(freshness.isStale, false);
});

Deno.test("Freshness takes the lag from pongs only where no marks come", () => {
  const freshness = new Freshness();
  freshness.pong(1000, 1007);
  assert.equal(freshness.lagMs, 7);
  freshness.mark(1000, 3000, 5000);
  freshness.pong(3000, 3005);
  assert.equal(freshness.lagMs, 2000, "events are older than the answer");
  freshness.pong(4000, 4005);
  assert.equal(freshness.lagMs, 5);
  freshness.pong(4010, 4005);
  assert.equal(freshness.lagMs, 0, "nothing is younger than now");
});

Deno.test("Freshness finds nothing stale in what a break delayed, until a later mark; a pong overtakes and ends nothing", () => {
  const freshness = new Freshness();
  freshness.mark(1000, 1000, 100);
  freshness.repair(5000);
  freshness.check(5000, 100);
  freshness.mark(2000, 5000, 100);
  freshness.pong(5100, 5100);
  freshness.check(5200, 100);
  assert.equal(freshness.isStale, false, "after a pong");
  freshness.mark(5000, 5200, 100);
  assert.equal(freshness.isStale, false, "what was missed may be as new as the break's end");
  freshness.mark(5001, 5200, 100);
  assert.equal(freshness.isStale, true, "the repair is over");
});
