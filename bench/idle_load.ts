// The load of connections that do nothing: opens them, reads the relay's memory, and sends a line to each.

import { LineVerifier } from "./line_verifier.ts";
import {
  closeQuietly,
  difference,
  drain,
  JOIN_DEADLINE_MS,
  type LoadTarget,
  open,
  reachEverybody,
  sleep,
  verdict,
  waitUntil,
} from "./load_crowd.ts";
import { Receiver, Sender } from "./load_peers.ts";
import type { LoadResult } from "./load_result.ts";
import { countOpenFiles, readCpuUs, readMemory } from "./process_stats.ts";
import type { LoadPlan } from "./scenarios.ts";

/** Read buffer of a connection that gets one line in all. */
const IDLE_READ_BYTES = 4 * 1024;
/**
 * Connections that are held and reached by a line before idle ones are counted: what a relay pays once is
 * paid by then.
 */
const WARM_CONNECTIONS = 200;
/** Time for a process to become quiet before its memory is read. */
const SETTLE_MS = 1_000;

/** Connects many and sends nothing, then one line to all: what does a connection cost? */
export async function runIdle(order: LoadTarget & { plan: LoadPlan }): Promise<LoadResult> {
  const { plan, relayPid } = order;
  const rss = () => readMemory(relayPid)?.rssKib ?? null;
  const conns: Deno.TcpConn[] = [];
  const reading: Promise<void>[] = [];
  const receivers: Receiver[] = [];
  const startMs = performance.now();
  const settle = () => sleep(relayPid === null ? 0 : SETTLE_MS);

  const hold = async (count: number) => {
    const filesBefore = countOpenFiles(relayPid);
    for (let index = 0; index < count; index++) {
      const conn = await open(order);
      conns.push(conn);
      const verifier = new LineVerifier({
        lineBytes: plan.lineBytes,
        senders: 1,
        bufferBytes: IDLE_READ_BYTES,
      });
      const receiver = new Receiver(conn, verifier, -1, () => {});
      receivers.push(receiver);
      reading.push(receiver.run());
    }
    if (filesBefore === null) return;
    const accepted = () => (countOpenFiles(relayPid) ?? Infinity) >= filesBefore + count;
    await waitUntil(accepted, JOIN_DEADLINE_MS, `the relay has not accepted all of ${count} connections`);
  };

  const addSender = async () => {
    const conn = await open(order);
    conns.push(conn);
    return new Sender(conn, 0, plan.lineBytes, 1);
  };

  try {
    await settle();
    const coldKib = rss();
    const relayCpuBefore = readCpuUs(relayPid);
    const loadCpuBefore = readCpuUs("self");
    await hold(WARM_CONNECTIONS);
    const prober = await addSender();
    await reachEverybody([prober], receivers);
    await settle();
    const warmKib = rss();
    await hold(plan.idle);
    await settle();
    const idleKib = rss();
    // A relay knows the others when it knows the last one that came.
    const sender = await addSender();
    await sender.send(1);
    await drain([sender], receivers);
    await settle();
    const disconnected = receivers.filter((receiver) => receiver.ended).length;
    const result = verdict([sender], receivers);
    return {
      elapsedMs: performance.now() - startMs,
      sent: 1,
      deliveries: result.received,
      latencyUs: { p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
      tickLateUs: null,
      relayCpuUs: difference(readCpuUs(relayPid), relayCpuBefore),
      loadCpuUs: difference(readCpuUs("self"), loadCpuBefore),
      otherCpuUs: null,
      ...result,
      disconnected,
      idle: {
        connections: plan.idle,
        warmConnections: WARM_CONNECTIONS + 1,
        coldKib,
        warmKib,
        idleKib,
        afterLineKib: rss(),
      },
    };
  } finally {
    for (const conn of conns) closeQuietly(conn);
    await Promise.all(reading);
  }
}
