// The load of private messages: its order is the JSON in its argument, its result one line of JSON. Speaks to
// the relay as sessions do, or to the bare server, which passes on to one member what another one says. Who
// sends takes every receiver in turn; each message has a number and the time at which it was sent.

import { RawSession } from "./isolation/raw_session.ts";
import { writeAll } from "./write_all.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import { sleep } from "./load_crowd.ts";
import { readCpuUs } from "./process_stats.ts";

/** What is to be measured. */
export interface PrivateOrder {
  port: number;
  pid: number | null;
  isRelay: boolean;
  members: number;
  /** Messages a second of each member, and how many it writes at once. */
  rate: number;
  batch: number;
  warmupMs: number;
  ms: number;
}

/** What was measured. Times in ms, CPU in shares of a core. */
export interface PrivateResult {
  perSecond: number;
  /** CPU time of the server for a message, in us. */
  cpuUs: number;
  cpuShare: number;
  loadCpuShare: number;
  /** Reads of all members. */
  writesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Messages that were lost, doubled or out of order. */
  faults: number;
}

/** The length of a message with its LF. */
export const MESSAGE_BYTES = 100;
/** The end is reached when nothing has come for so long. */
const QUIET_MS = 2000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One member: what it sends, and what it has got. */
interface Member {
  session: RawSession;
  id: string;
  sent: number;
  /** The number that comes next, by sender. */
  next: number[];
}

if (import.meta.main) console.log(JSON.stringify(await measure(JSON.parse(Deno.args[0]))));

async function measure(order: PrivateOrder): Promise<PrivateResult> {
  const { port, pid, isRelay, members: count, rate, batch } = order;
  const latency = new LatencyHistogram();
  let received = 0, reads = 0, faults = 0, isRecording = false;
  const members: Member[] = [];
  const take = (self: number, lines: Uint8Array) => {
    const nowUs = performance.now() * 1000;
    reads++;
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(10, at);
      // A message begins with [, a control line with {.
      if (lines[at] === 0x5b) {
        const [sender, number, sentUs] = JSON.parse(decoder.decode(lines.subarray(at, end)));
        const { next } = members[self];
        if (number !== next[sender]) faults++;
        next[sender] = number + 1;
        received++;
        if (isRecording) latency.add(Math.max(0, nowUs - sentUs));
      }
      at = end + 1;
    }
  };
  for (let n = 0; n < count; n++) {
    const onLines = (lines: Uint8Array) => take(n, lines);
    const session = await RawSession.open({
      port,
      room: isRelay ? "private" : undefined,
      small: true,
      onLines,
    });
    members.push({ session, id: session.id, sent: 0, next: new Array(count).fill(0) });
  }
  const running = members.map(({ session }) => session.run());
  const numbers = members.map(() => new Array<number>(count).fill(0));
  const write = (self: number) => {
    const member = members[self];
    let text = "";
    for (let n = 0; n < batch; n++) {
      const to = (self + 1 + member.sent++ % (count - 1)) % count; // as the bare server does it
      const head = `[${self},${numbers[self][to]++},${(performance.now() * 1000).toFixed(0)},"`;
      const message = head + "x".repeat(MESSAGE_BYTES - head.length - 3) + '"]';
      text += isRelay ? `{"$to":{"ids":["${members[to].id}"],"event":${message}}}\n` : `${message}\n`;
    }
    void writeAll(member.session.conn, encoder.encode(text)).catch(() => faults++);
  };
  // Evenly over all time, as members who know nothing of each other would do it.
  const perMs = count * rate / batch / 1000, startMs = performance.now();
  let due = 0, isOver = false;
  const timer = setInterval(() => {
    for (const until = (performance.now() - startMs) * perMs; due < until && !isOver; due++) {
      write(due % count);
    }
  }, 1);
  await sleep(order.warmupMs);
  isRecording = true;
  const before = {
    cpu: readCpuUs(pid) ?? NaN,
    own: readCpuUs("self") ?? NaN,
    received,
    reads,
    ms: performance.now(),
  };
  await sleep(order.ms);
  const ms = performance.now() - before.ms;
  const after = { cpu: readCpuUs(pid) ?? NaN, own: readCpuUs("self") ?? NaN, received, reads };
  isRecording = false;
  isOver = true;
  clearInterval(timer);
  const sent = members.reduce((sum, member) => sum + member.sent, 0);
  for (let seen = -1, sinceMs = 0; received < sent; await sleep(10)) {
    if (seen !== received) [seen, sinceMs] = [received, performance.now()];
    else if (performance.now() - sinceMs > QUIET_MS) break;
  }
  for (const { session } of members) session[Symbol.dispose]();
  await Promise.all(running);
  return {
    perSecond: (after.received - before.received) / ms * 1000,
    cpuUs: (after.cpu - before.cpu) / (after.received - before.received),
    cpuShare: (after.cpu - before.cpu) / 1000 / ms,
    loadCpuShare: (after.own - before.own) / 1000 / ms,
    writesPerSecond: (after.reads - before.reads) / ms * 1000,
    p50Ms: latency.quantile(0.5) / 1000,
    p99Ms: latency.quantile(0.99) / 1000,
    faults: faults + Math.abs(sent - received),
  };
}
