// What tests do with relays of client.ts: make them so that none outlives its test, take events, and
// reconnect without waiting.

import { connect as connectForGood, type Relay } from "../../client.ts";
import { until } from "./deadline.ts";

const made = new Set<{ connecting: Promise<Relay>; stop: AbortController }>();

/**
 * As `connect()` of client.ts, but what is still there when the test ends, however it ends, is closed, also
 * what is still connecting: one that is left would go on to connect, and fail the tests that follow.
 */
export const connect = ((target, options) => {
  // What has a signal is stopped by its test, and what is no options is refused.
  if (options === null || (options !== undefined && "signal" in options)) {
    return connectForGood(target, options);
  }
  const stop = new AbortController();
  const connecting = connectForGood(target, { ...options, signal: stop.signal });
  made.add({ connecting: connecting as Promise<Relay>, stop });
  return connecting;
}) as typeof connectForGood;

Deno.test.afterEach(async () => {
  const left = [...made];
  made.clear();
  await Promise.all(left.map(async ({ connecting, stop }) => {
    stop.abort();
    await connecting.then((relay) => relay.close(), () => {});
  }));
});

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
