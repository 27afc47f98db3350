// What tests do with relays of client.ts: take events, and reconnect without waiting.

import type { Relay } from "../../client.ts";
import { until } from "./old_relay.ts";

/** Waits for so many events of a relay, and takes all that are there. */
export async function take<E>(relay: Relay<E>, count: number): Promise<E[]> {
  const events: E[] = [];
  await until(() => events.push(...relay.drain()) >= count, `${count} events`);
  return events;
}

/** Makes every wait between two attempts 0. */
export async function withoutBackoff(run: () => Promise<void>): Promise<void> {
  const { random } = Math;
  Math.random = () => 0;
  try {
    await run();
  } finally {
    Math.random = random;
  }
}
