// What every kind of load does: opens connections, reaches everybody with a probe, waits for what is still
// under way, judges what came. Knows no plan.

import type { Faults } from "./line_verifier.ts";
import type { Receiver, Sender } from "./load_peers.ts";

/** How long everybody may take to be connected and reached by a probe. */
export const JOIN_DEADLINE_MS = 15_000;
const PROBE_INTERVAL_MS = 20;
/** The end is reached when nothing has come for this long. */
export const DRAIN_QUIET_MS = 3_000;
export const POLL_MS = 5;

/** A server, and its process to read CPU time and memory; null if there is none to read. */
export interface LoadTarget {
  hostname: string;
  port: number;
  relayPid: number | null;
}

/** Lets `ms` pass; none if that is over already, which setTimeout() would complain of. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

export async function waitUntil(condition: () => boolean, deadlineMs: number, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > deadlineMs) throw new Error(`Cannot run the load: ${what}`);
    await sleep(POLL_MS);
  }
}

export async function open(target: LoadTarget): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: target.hostname, port: target.port });
  conn.setNoDelay(true);
  return conn;
}

/** Sends probes until each receiver has got one: only then is it certain that the relay knows it. */
export async function reachEverybody(
  senders: readonly Sender[],
  receivers: readonly Receiver[],
): Promise<void> {
  // A sender's probe doesn't come back to itself, so that a second one is needed when the first also
  // receives.
  const probing = senders.slice(0, 2);
  const isReached = (receiver: Receiver) => receiver.verifier.received > 0 || receiver.ended;
  const startMs = performance.now();
  while (!receivers.every(isReached)) {
    if (performance.now() - startMs > JOIN_DEADLINE_MS) {
      const missing = receivers.length - receivers.filter(isReached).length;
      throw new Error(`Cannot run the load: ${missing} of ${receivers.length} receivers got no probe`);
    }
    await Promise.all(probing.map((sender) => sender.probe()));
    await sleep(PROBE_INTERVAL_MS);
  }
}

/** Waits until each receiver has all, or nothing has come for a while. */
export async function drain(senders: readonly Sender[], receivers: readonly Receiver[]): Promise<void> {
  let total = 0;
  for (const sender of senders) total += sender.sent;
  let [seen, sinceMs] = [-1, performance.now()];
  for (;;) {
    let now = 0;
    let complete = true;
    for (const { verifier, self, ended } of receivers) {
      now += verifier.received;
      const own = self < 0 ? 0 : senders[self].sent;
      if (!ended && verifier.accounted < total - own) complete = false;
    }
    if (complete) return;
    if (now !== seen) [seen, sinceMs] = [now, performance.now()];
    else if (performance.now() - sinceMs > DRAIN_QUIET_MS) return;
    await sleep(POLL_MS);
  }
}

export function verdict(senders: readonly Sender[], receivers: readonly Receiver[]) {
  // What a connection that failed wrote last is lost with it, by nobody's fault; what one receiver got, all
  // must have got.
  const sent = senders.map((sender, index) =>
    sender.failed ? Math.max(...receivers.map(({ verifier }) => verifier.seenOf(index))) : sender.sent
  );
  const total = sent.reduce((sum, count) => sum + count, 0);
  const faults: Faults = { lost: 0, doubled: 0, outOfOrder: 0, echoed: 0, damaged: 0 };
  let expected = 0;
  let received = 0;
  for (const { verifier, self } of receivers) {
    const own = verifier.finish(sent);
    for (const key of Object.keys(faults) as (keyof Faults)[]) faults[key] += own[key];
    expected += total - (self < 0 ? 0 : sent[self]);
    received += verifier.received - verifier.probes;
  }
  const odd = receivers.find(({ verifier }) => verifier.sample !== null);
  return { expected, received, faults, sample: odd?.verifier.sample ?? null };
}

export function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}

export function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Already closed by a failed write.
  }
}
