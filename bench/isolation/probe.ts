// The quiet pair: one member sends 100 events a second to another one, in a process of its own, and each
// one's way is timed. Beside it, newcomers say hello now and then; and the same events go, at the same time,
// through a relay that nobody else is on, and through a socket without a relay: what these show is the
// machine's delay, and the probe's own.

import type { Buffer } from "node:buffer";
import { sleep } from "../load_crowd.ts";
import { Orders } from "./orders.ts";
import { RawSession } from "./raw_session.ts";
import { writeAll } from "../write_all.ts";
import { percentile, type ProbeReport } from "./report.ts";

const EVENTS_PER_SECOND = 100;
/** Unmeasured events before the relay is called warm. */
const WARM_EVENTS = 40;
/** How long events that are under way at the end are waited for, in ms. */
const LATE_MS = 2000;
const NEWCOMER_EVERY_MS = 400;
const SIGN_OF_LIFE_MS = 2000;
const MARKER = '{"probe":';
const LOST = '{"$lost":';

export interface ProbeOrder {
  port: number;
  room: string;
  /** Whether newcomers are timed as well. */
  newcomers: boolean;
  /** The port of a relay that nobody else is on; none is measured without it. */
  idlePort?: number;
}

const encoder = new TextEncoder();

/** What one receiver has seen of the events that were sent to it. */
export class Arrivals {
  readonly latenciesMs: number[] = [];
  toldLost = 0;
  again = 0;
  /** Is called after a `$lost`. */
  onGap = () => {};
  #newest = 0;

  constructor(readonly isMeasured: (sequence: number) => boolean) {}

  take(lines: Buffer): void {
    const nowMs = performance.now();
    // All but a few lines of a flood are skipped without being looked at.
    for (let at = lines.indexOf(MARKER); at >= 0; at = lines.indexOf(MARKER, at + 1)) {
      const [sequence, sentMs] = JSON.parse(lines.subarray(at, lines.indexOf(10, at)).toString()).probe;
      if (sequence <= this.#newest) this.again++;
      this.#newest = sequence;
      if (this.isMeasured(sequence)) this.latenciesMs.push(nowMs - sentMs);
    }
    let gaps = 0;
    for (let at = lines.indexOf(LOST); at >= 0; at = lines.indexOf(LOST, at + 1), gaps++) {
      this.toldLost += JSON.parse(lines.subarray(at, lines.indexOf(10, at)).toString()).$lost.lines;
    }
    if (gaps > 0) this.onGap();
  }
}

/** Times how long newcomers wait for their welcome, until `isOver`. */
async function timeNewcomers(port: number, room: string, isOver: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  while (!isOver()) {
    const startedMs = performance.now();
    try {
      using _session = await RawSession.open({ port, room: `${room}-newcomer`, small: true });
      waits.push(performance.now() - startedMs);
    } catch {
      waits.push(Infinity);
    }
    await sleep(NEWCOMER_EVERY_MS);
  }
  return waits;
}

/** Returns the writing end of a connection of this process with itself. */
async function ownSocket(onLines: (lines: Buffer) => void): Promise<Deno.TcpConn> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const reader = await RawSession.open({ port: listener.addr.port, onLines });
  void reader.run();
  const conn = await accepted;
  conn.setNoDelay(true);
  return conn;
}

/** Opens the two members of a pair; returns the one that sends, and the one that receives. */
async function openPair(port: number, room: string, arrivals: Arrivals): Promise<RawSession[]> {
  const receiver = await RawSession.open({ port, room, onLines: (lines) => arrivals.take(lines) });
  arrivals.onGap = () => void receiver.acknowledge().catch(() => {}); // as the protocol asks for
  const sender = await RawSession.open({ port, room });
  void receiver.run();
  void sender.run();
  return [sender, receiver];
}

async function main({ port, room, newcomers, idlePort }: ProbeOrder): Promise<void> {
  const orders = new Orders();
  let firstMeasured = Infinity;
  const isMeasured = (sequence: number) => sequence >= firstMeasured;
  const relayed = new Arrivals(isMeasured);
  const direct = new Arrivals(isMeasured);
  const idle = new Arrivals(isMeasured);
  const pair = await openPair(port, room, relayed);
  const idlePair = idlePort === undefined ? [] : await openPair(idlePort, room, idle);
  const own = await ownSocket((lines) => direct.take(lines));

  let stopped = false;
  let sent = 0;
  const startedMs = performance.now();
  const said = { go: orders.heard("go"), stop: orders.heard("stop") };
  let waits: Promise<number[]> = Promise.resolve([]);
  void said.go.then(() => {
    firstMeasured = sent + 1;
    if (newcomers) waits = timeNewcomers(port, room, () => stopped);
  });
  void said.stop.then(() => stopped = true);
  let aliveMs = startedMs;
  while (!stopped) {
    sent++;
    if (sent === WARM_EVENTS) orders.say("ready");
    // Each write has its own time, so that none holds another's delay.
    const event = () => encoder.encode(`{"probe":[${sent},${performance.now()}]}\n`);
    void pair[0].write(event()).catch(() => {});
    void idlePair[0]?.write(event()).catch(() => {});
    void writeAll(own, event());
    if (performance.now() - aliveMs > SIGN_OF_LIFE_MS) {
      aliveMs = performance.now();
      for (const member of [...pair, ...idlePair]) void member.acknowledge().catch(() => {});
    }
    await sleep(startedMs + sent * 1000 / EVENTS_PER_SECOND - performance.now());
  }
  const expected = Math.max(0, sent - firstMeasured + 1);
  const lateMs = performance.now() + LATE_MS;
  while (relayed.latenciesMs.length + relayed.toldLost < expected && performance.now() < lateMs) {
    await sleep(20);
  }
  const newcomerMs = await Promise.race([waits, sleep(LATE_MS).then(() => [Infinity])]);
  const latencies = relayed.latenciesMs.toSorted((a, b) => a - b);
  // What neither came nor was told to be lost took longer than all that came.
  const count = Math.max(latencies.length, expected - relayed.toldLost);
  const report: ProbeReport = {
    sent: expected,
    received: latencies.length,
    again: relayed.again,
    toldLost: relayed.toldLost,
    p50Ms: percentile(latencies, 0.5, count),
    p99Ms: percentile(latencies, 0.99, count),
    maxMs: percentile(latencies, 1, count),
    ownP99Ms: p99Of(direct),
    idleP99Ms: p99Of(idle),
    newcomerMaxMs: newcomerMs.length === 0 ? null : Math.min(Math.max(...newcomerMs), LATE_MS),
  };
  console.log(JSON.stringify(report));
  Deno.exit(0);
}

function p99Of({ latenciesMs }: Arrivals): number | null {
  return percentile(latenciesMs.toSorted((a, b) => a - b), 0.99);
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]));
