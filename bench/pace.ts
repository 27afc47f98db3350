// The two paces of a load: as fast as the slowest receiver takes it, or so many lines a second, whatever
// happens.

import type { LatencyHistogram } from "./latency_histogram.ts";
import { DRAIN_QUIET_MS, POLL_MS, sleep } from "./load_crowd.ts";
import type { Sender, Window } from "./load_peers.ts";

/** Writes whenever the window is open, until the run is stopped. */
export async function flood(sender: Sender, window: Window, run: { stopped: boolean }): Promise<void> {
  while (!run.stopped && !sender.failed) {
    await window.opened();
    if (run.stopped) break;
    await sender.send(sender.block.capacity);
  }
}

/**
 * Lets each sender write at its ticks. A tick that comes late is made up for in the next write, so that the
 * rate holds.
 */
export async function keepRate(
  senders: readonly Sender[],
  ticksPerSecond: number,
  linesPerTick: number,
  late: LatencyHistogram,
  run: { stopped: boolean; recording: boolean },
): Promise<void> {
  const periodMs = 1000 / ticksPerSecond;
  const startMs = performance.now();
  const dueMs = senders.map((_, index) => startMs + index * periodMs / senders.length);
  while (!run.stopped) {
    const nowMs = performance.now();
    let nextMs = nowMs + periodMs;
    for (const [index, sender] of senders.entries()) {
      if (sender.failed) continue;
      if (dueMs[index] <= nowMs && !sender.busy) {
        const mostTicks = Math.floor(sender.block.capacity / linesPerTick);
        const ticks = Math.min(mostTicks, Math.floor((nowMs - dueMs[index]) / periodMs) + 1);
        if (run.recording) late.add((nowMs - dueMs[index]) * 1000);
        dueMs[index] += ticks * periodMs;
        sender.send(ticks * linesPerTick);
      }
      if (dueMs[index] < nextMs) nextMs = dueMs[index];
    }
    await sleep(nextMs - performance.now());
  }
}

/**
 * Waits for the writes under way. One that hangs because the relay takes nothing is left to the closing of
 * its connection.
 */
export async function settleSenders(sending: Promise<unknown>[], senders: readonly Sender[]): Promise<void> {
  let pending = true;
  Promise.all(sending).then(() => pending = false);
  const startMs = performance.now();
  while ((pending || senders.some((sender) => sender.busy)) && performance.now() - startMs < DRAIN_QUIET_MS) {
    await sleep(POLL_MS);
  }
}
