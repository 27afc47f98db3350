// Tests src/client/link/backoff.ts with chance passed in.

import assert from "node:assert/strict";
import { Backoff } from "../../../src/client/link/backoff.ts";

const ALMOST_ONE = 1 - 2 ** -53;

Deno.test("Backoff doubles the bound from 250 ms to 5 s", () => {
  const backoff = new Backoff();
  const bounds = Array.from({ length: 7 }, () => Math.round(backoff.nextDelayMs(ALMOST_ONE)));
  assert.deepEqual(bounds, [250, 500, 1000, 2000, 4000, 5000, 5000]);
});

Deno.test("Backoff draws from 0 to the bound", () => {
  assert.equal(new Backoff().nextDelayMs(0), 0);
  assert.equal(new Backoff().nextDelayMs(0.5), 125);
  const drawn = Array.from({ length: 200 }, () => new Backoff().nextDelayMs());
  assert.ok(drawn.every((delayMs) => delayMs >= 0 && delayMs < 250));
  assert.ok(new Set(drawn).size > 100, "clients don't agree");
});

Deno.test("Backoff starts anew after a connection that lasted, not after one that ended at once", () => {
  const backoff = new Backoff();
  for (let i = 0; i < 10; i++) backoff.nextDelayMs();
  backoff.noteConnection(4999);
  assert.equal(Math.round(backoff.nextDelayMs(ALMOST_ONE)), 5000);
  backoff.noteConnection(5000);
  assert.equal(Math.round(backoff.nextDelayMs(ALMOST_ONE)), 250);
});
