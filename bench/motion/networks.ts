// When each sample arrives: networks with delay, jitter and spikes, all delivering in order, as TCP does.
// Pure and seeded.

import { between, exponential, type Random } from "./random.ts";

/** A network. All times in milliseconds. */
export interface Network {
  name: string;
  delayMs: number;
  /** A delay lies anywhere between `delayMs` less and more than this. */
  jitterMs: number;
  /** How long nothing gets through in a spike. */
  spikeMs: number;
  /** The time between the ends and the beginnings of spikes, on average. */
  spikeEveryMs: number;
}

/** The networks of the measure. */
export const NETWORKS: readonly Network[] = [
  { name: "ideal", delayMs: 0, jitterMs: 0, spikeMs: 0, spikeEveryMs: Infinity },
  { name: "lan", delayMs: 2, jitterMs: 1, spikeMs: 0, spikeEveryMs: Infinity },
  { name: "wifi", delayMs: 15, jitterMs: 10, spikeMs: 300, spikeEveryMs: 5_000 },
  { name: "mobile", delayMs: 80, jitterMs: 40, spikeMs: 1_000, spikeEveryMs: 10_000 },
];

/**
 * Gives the arrival times of samples sent at these times. A spike stops everything: what is on its way then,
 * or sent then, arrives when it ends, all together. Nothing overtakes anything.
 */
export function deliver(network: Network, sentMs: readonly number[], random: Random): number[] {
  const arrivals: number[] = [];
  let spikeStart = network.spikeMs > 0 ? exponential(random, network.spikeEveryMs) : Infinity;
  let last = -Infinity;
  for (const sent of sentMs) {
    let arrival = sent +
      between(random, network.delayMs - network.jitterMs, network.delayMs + network.jitterMs);
    while (arrival >= spikeStart) {
      const end = spikeStart + network.spikeMs;
      if (arrival < end) {
        arrival = end;
        break;
      }
      spikeStart = end + exponential(random, network.spikeEveryMs);
    }
    last = Math.max(last, arrival);
    arrivals.push(last);
  }
  return arrivals;
}
