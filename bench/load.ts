// The load: connects to a relay, sends what a plan says, checks all that comes back, and measures. Knows
// nothing but the wire (lines over TCP), so it works against any server of it. Runs as a process of its own,
// with the order as JSON in its only argument, and prints the result as one line of JSON.

import { runIdle } from "./idle_load.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import { LineVerifier } from "./line_verifier.ts";
import {
  closeQuietly,
  difference,
  drain,
  type LoadTarget,
  open,
  reachEverybody,
  sleep,
  verdict,
} from "./load_crowd.ts";
import { Receiver, Sender, Window } from "./load_peers.ts";
import type { LoadResult } from "./load_result.ts";
import { flood, keepRate, settleSenders } from "./pace.ts";
import { readBusyUs, readCpuUs } from "./process_stats.ts";
import { countSenders, type LoadPlan } from "./scenarios.ts";

/** Largest write of a publisher, and size of a receiver's read buffer. */
const WRITE_BYTES = 64 * 1024;
const READ_BYTES = 128 * 1024;
/** Time in which the load's own code is compiled. */
const HEAT_SECONDS = 1;

/** What a load is asked to do. */
export interface LoadOrder extends LoadTarget {
  plan: LoadPlan;
  /** A server on which the load warms itself up, so that its own code isn't measured with a cold relay's. */
  heatPort?: number;
}

/** Carries out a plan. Rejects if the relay can't be reached or a receiver is never reached by a probe. */
export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const { plan, heatPort } = order;
  if (plan.idle > 0) return await runIdle(order);
  if (heatPort !== undefined) {
    const heat = { ...plan, seconds: HEAT_SECONDS };
    await runTraffic({ ...order, hostname: "127.0.0.1", port: heatPort, relayPid: null, plan: heat });
  }
  return await runTraffic(order);
}

async function runTraffic(order: LoadOrder): Promise<LoadResult> {
  const { plan, relayPid } = order;
  const { lineBytes, pace } = plan;
  const senderCount = countSenders(plan);
  const capacity = Math.max(
    Math.floor(WRITE_BYTES / lineBytes),
    pace.kind === "rate" ? pace.linesPerTick : 1,
  );
  const conns: Deno.TcpConn[] = [];
  const senders: Sender[] = [];
  const receivers: Receiver[] = [];
  const reading: Promise<void>[] = [];
  const window = new Window(
    pace.kind === "flood" ? pace.windowBytes / lineBytes : Infinity,
    senders,
    receivers,
  );
  const ticks = new LatencyHistogram();
  const run = { stopped: false, recording: false };

  const join = async (sends: boolean, receives: boolean) => {
    const conn = await open(order);
    conns.push(conn);
    const self = sends ? senders.length : -1;
    if (sends) senders.push(new Sender(conn, self, lineBytes, capacity));
    if (!receives) return;
    const verifier = new LineVerifier({ lineBytes, senders: senderCount, self, bufferBytes: READ_BYTES });
    const receiver = new Receiver(conn, verifier, self, () => window.progress());
    receivers.push(receiver);
    reading.push(receiver.run());
  };

  try {
    for (let index = 0; index < plan.subscribers; index++) await join(false, true);
    for (let index = 0; index < plan.publishers; index++) await join(true, false);
    for (let index = 0; index < plan.members; index++) await join(true, index < plan.members - plan.stalled);
    await reachEverybody(senders, receivers);

    const sending = pace.kind === "flood"
      ? senders.map((sender) => flood(sender, window, run))
      : [keepRate(senders, pace.ticksPerSecond, pace.linesPerTick, ticks, run)];
    await sleep(plan.warmupSeconds * 1000);
    const before = mark(senders, receivers, relayPid);
    run.recording = true;
    for (const { verifier } of receivers) verifier.recording = true;
    await sleep(plan.seconds * 1000);
    for (const { verifier } of receivers) verifier.recording = false;
    run.recording = false;
    const after = mark(senders, receivers, relayPid);
    run.stopped = true;
    window.release();
    await settleSenders(sending, senders);
    await drain(senders, receivers);

    return {
      ...between(before, after),
      latencyUs: latencyOf(receivers),
      tickLateUs: ticks.count === 0 ? null : { p50: ticks.quantile(0.5), p99: ticks.quantile(0.99) },
      ...verdict(senders, receivers),
      disconnected: receivers.filter((receiver) => receiver.ended).length,
      idle: null,
    };
  } finally {
    for (const conn of conns) closeQuietly(conn);
    await Promise.all(reading);
  }
}

function mark(senders: readonly Sender[], receivers: readonly Receiver[], relayPid: number | null) {
  return {
    atMs: performance.now(),
    sent: senders.reduce((sum, sender) => sum + sender.sent, 0),
    received: receivers.reduce((sum, { verifier }) => sum + verifier.received, 0),
    relayCpuUs: readCpuUs(relayPid),
    loadCpuUs: readCpuUs("self"),
    busyUs: readBusyUs(),
  };
}

type Mark = ReturnType<typeof mark>;

/** What was done between two marks. */
function between(before: Mark, after: Mark) {
  const relayCpuUs = difference(after.relayCpuUs, before.relayCpuUs);
  const loadCpuUs = difference(after.loadCpuUs, before.loadCpuUs);
  const busyUs = difference(after.busyUs, before.busyUs);
  const otherCpuUs = difference(difference(busyUs, relayCpuUs), loadCpuUs);
  return {
    elapsedMs: after.atMs - before.atMs,
    sent: after.sent - before.sent,
    deliveries: after.received - before.received,
    relayCpuUs,
    loadCpuUs,
    otherCpuUs: otherCpuUs === null ? null : Math.max(0, otherCpuUs),
  };
}

function latencyOf(receivers: readonly Receiver[]): LoadResult["latencyUs"] {
  const latency = new LatencyHistogram();
  for (const { verifier } of receivers) latency.merge(verifier.latency);
  return {
    p50: latency.quantile(0.5),
    p90: latency.quantile(0.9),
    p99: latency.quantile(0.99),
    p999: latency.quantile(0.999),
    max: latency.max,
  };
}

if (import.meta.main) {
  try {
    console.log(JSON.stringify(await runLoad(JSON.parse(Deno.args[0]))));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
