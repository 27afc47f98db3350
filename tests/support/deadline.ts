// How tests wait for what should come soon: for a promise, or until something holds; and how long. That is a
// safety net for one that would hang, nothing that a busy machine reaches.

import { pause } from "./pause.ts";

/** The net, in ms: a minute, as a test beside others on a busy core may be twenty times as slow as alone. */
export const DEADLINE_MS = 60_000;

/** Waits for a promise; gives up with `what` after a deadline that is only a safety net. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${DEADLINE_MS} ms: ${what}`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Keeps asking until a condition holds; rejects after a while, which is a safety net for a test that would
 * hang.
 */
export async function until(condition: () => boolean, what: string, timeoutMs = DEADLINE_MS): Promise<void> {
  const startedAtMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedAtMs > timeoutMs) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    }
    await pause(2);
  }
}
