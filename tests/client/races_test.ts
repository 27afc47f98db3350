// Tests that host, claims, requests and events for some hold whatever races: a few of the histories of
// tests/endurance/races.ts.

import assert from "node:assert/strict";
import { race } from "../endurance/races.ts";

const SEEDS = 12;

Deno.test("host, claims, requests and events for some hold over TCP and WebSocket, whatever races", async () => {
  const { won, answers, reconnects, kills, duels } = await race(1, SEEDS);
  assert.ok(
    won > 40 && answers > 20 && reconnects > 10 && kills > 5 && duels > 5,
    `${won} won, ${answers} answers, ${reconnects} reconnects, ${kills} kills, ${duels} duels`,
  );
});
