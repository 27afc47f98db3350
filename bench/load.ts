// The load: connects to a relay, sends what a plan says, checks all that comes back, and measures.
// Knows nothing but the wire (lines over TCP), so it works against any server of it. Runs as a process of its own,
// with the order as JSON in its only argument, and prints the result as one line of JSON; fanout.ts starts it.

import { countFaults, type Faults, LineVerifier } from "./line_verifier.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import { Receiver, Sender, Window } from "./load_peers.ts";
import { countOpenFiles, readBusyUs, readCpuUs, readMemory } from "./process_stats.ts";
import { countSenders, type LoadPlan } from "./scenarios.ts";

/** Largest write of a publisher, and size of a receiver's read buffer. */
const WRITE_BYTES = 64 * 1024;
const READ_BYTES = 128 * 1024;
/** Read buffer of a connection that gets one line in all. */
const IDLE_READ_BYTES = 4 * 1024;
/** How long everybody may take to be connected and reached by a probe. */
const JOIN_DEADLINE_MS = 15_000;
const PROBE_INTERVAL_MS = 20;
/** The end is reached when nothing has come for this long. */
const DRAIN_QUIET_MS = 3_000;
/** Connections that are held and reached by a line before idle ones are counted: what a relay pays once is paid by then. */
const WARM_CONNECTIONS = 200;
/** Time for a process to become quiet before its memory is read. */
const SETTLE_MS = 1_000;
const POLL_MS = 5;
/** Time in which the load's own code is compiled. */
const HEAT_SECONDS = 1;

/** What a load is asked to do. */
export interface LoadOrder {
  hostname: string;
  port: number;
  /** The relay's process, to read its CPU time and memory; null if there is none to read. */
  relayPid: number | null;
  plan: LoadPlan;
  /** A server on which the load warms itself up, so that its own code isn't measured with a cold relay's. */
  heatPort?: number;
}

/** What a load has measured. Counts and times are those between warm-up and end; faults are of the whole run. */
export interface LoadResult {
  elapsedMs: number;
  sent: number;
  deliveries: number;
  latencyUs: { p50: number; p90: number; p99: number; p999: number; max: number };
  /** How late the load's own ticks were, in a run at a rate. */
  tickLateUs: { p50: number; p99: number } | null;
  relayCpuUs: number | null;
  loadCpuUs: number | null;
  /** CPU time that neither relay nor load has used: how disturbed the run was. */
  otherCpuUs: number | null;
  /** Lines that were to come in the whole run, and the lines that came. */
  expected: number;
  received: number;
  faults: Faults;
  /** Receivers whose connection ended before the run did. */
  disconnected: number;
  /** The first line received that nobody had sent. */
  sample: string | null;
  idle: IdleResult | null;
}

/** Memory of the relay before and with idle connections, in KiB; null where it can't be read. */
export interface IdleResult {
  connections: number;
  /** Connections that were held before those, the sender's included. */
  warmConnections: number;
  /** With no connection at all. */
  coldKib: number | null;
  /** With the warm connections, after a line to each. */
  warmKib: number | null;
  idleKib: number | null;
  /** After one line was delivered to each of them. */
  afterLineKib: number | null;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function waitUntil(condition: () => boolean, deadlineMs: number, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > deadlineMs) throw new Error(`Cannot run the load: ${what}`);
    await sleep(POLL_MS);
  }
}

async function open(order: LoadOrder): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: order.hostname, port: order.port });
  conn.setNoDelay(true);
  return conn;
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

    const disconnected = receivers.filter((receiver) => receiver.ended).length;
    const latency = new LatencyHistogram();
    for (const { verifier } of receivers) latency.merge(verifier.latency);
    const relayCpuUs = difference(after.relayCpuUs, before.relayCpuUs);
    const loadCpuUs = difference(after.loadCpuUs, before.loadCpuUs);
    const busyUs = difference(after.busyUs, before.busyUs);
    const otherCpuUs = difference(difference(busyUs, relayCpuUs), loadCpuUs);
    return {
      elapsedMs: after.atMs - before.atMs,
      sent: after.sent - before.sent,
      deliveries: after.received - before.received,
      latencyUs: {
        p50: latency.quantile(0.5),
        p90: latency.quantile(0.9),
        p99: latency.quantile(0.99),
        p999: latency.quantile(0.999),
        max: latency.max,
      },
      tickLateUs: ticks.count === 0 ? null : { p50: ticks.quantile(0.5), p99: ticks.quantile(0.99) },
      relayCpuUs,
      loadCpuUs,
      otherCpuUs: otherCpuUs === null ? null : Math.max(0, otherCpuUs),
      ...verdict(senders, receivers),
      disconnected,
      idle: null,
    };
  } finally {
    for (const conn of conns) closeQuietly(conn);
    await Promise.all(reading);
  }
}

/** Connects many and sends nothing, then one line to all: what does a connection cost? */
async function runIdle(order: LoadOrder): Promise<LoadResult> {
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

/** Sends probes until each receiver has got one: only then is it certain that the relay knows it. */
async function reachEverybody(senders: readonly Sender[], receivers: readonly Receiver[]): Promise<void> {
  // A sender's probe doesn't come back to itself, so that a second one is needed when the first also receives.
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

async function flood(sender: Sender, window: Window, run: { stopped: boolean }): Promise<void> {
  while (!run.stopped && !sender.failed) {
    await window.opened();
    if (run.stopped) break;
    await sender.send(sender.block.capacity);
  }
}

/** Lets each sender write at its ticks. A tick that comes late is made up for in the next write, so that the rate holds. */
async function keepRate(
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
    await sleep(Math.max(0, nextMs - performance.now()));
  }
}

/** Waits for the writes under way. One that hangs because the relay takes nothing is left to the closing of its connection. */
async function settleSenders(sending: Promise<unknown>[], senders: readonly Sender[]): Promise<void> {
  let pending = true;
  Promise.all(sending).then(() => pending = false);
  const startMs = performance.now();
  while ((pending || senders.some((sender) => sender.busy)) && performance.now() - startMs < DRAIN_QUIET_MS) {
    await sleep(POLL_MS);
  }
}

/** Waits until each receiver has all, or nothing has come for a while. */
async function drain(senders: readonly Sender[], receivers: readonly Receiver[]): Promise<void> {
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

function verdict(senders: readonly Sender[], receivers: readonly Receiver[]) {
  // What a connection that failed wrote last is lost with it, by nobody's fault; what one receiver got, all must have got.
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

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Already closed by a failed write.
  }
}

/** Says whether a run is one that a relay may be proud of: everything came, once, in order, and nobody was cut off. */
export function isFaultless(result: LoadResult): boolean {
  return countFaults(result.faults) === 0 && result.disconnected === 0;
}

if (import.meta.main) {
  try {
    console.log(JSON.stringify(await runLoad(JSON.parse(Deno.args[0]))));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
