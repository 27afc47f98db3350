// Tests of the load as a whole, against tiny relays: a good one must be found faultless, and one that loses, doubles,
// exchanges or sends back lines must not. This is the judge's own trial.

import assert from "node:assert/strict";
import { isFaultless, type LoadResult, runLoad } from "../bench/load.ts";
import { customPlan, findScenario, type LoadPlan } from "../bench/scenarios.ts";

type Line = Uint8Array;
/** Turns the line that a relay is about to pass on into those it does; `index` counts the lines to this receiver. */
type Mangle = (line: Line, index: number, state: { kept?: Line }) => Line[];

const LINE_BYTES = 64;

/** A relay of the simplest kind: whole lines from each to all others, changed by `mangle`. */
class TinyRelay implements AsyncDisposable {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #members = new Set<
    { conn: Deno.Conn; queue: Promise<void>; index: number; state: { kept?: Line } }
  >();
  readonly #running: Promise<void>[] = [];
  readonly #mangle: Mangle;
  readonly #echo: boolean;

  constructor(mangle: Mangle = (line) => [line], echo = false) {
    this.#mangle = mangle;
    this.#echo = echo;
    this.port = this.#listener.addr.port;
    this.#running.push(this.#accept());
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#running.push(this.#serve(conn));
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const own = { conn, queue: Promise.resolve(), index: 0, state: {} };
    this.#members.add(own);
    let held = new Uint8Array(0);
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let count; (count = await conn.read(buffer)) !== null;) {
        const bytes = new Uint8Array(held.length + count);
        bytes.set(held);
        bytes.set(buffer.subarray(0, count), held.length);
        const whole = bytes.length - bytes.length % LINE_BYTES;
        held = bytes.slice(whole);
        for (const member of this.#members) {
          if (member === own && !this.#echo) continue;
          const lines: Line[] = [];
          for (let at = 0; at < whole; at += LINE_BYTES) {
            lines.push(...this.#mangle(bytes.subarray(at, at + LINE_BYTES), member.index++, member.state));
          }
          member.queue = member.queue.then(() => writeAll(member.conn, lines)).catch(() => {});
        }
      }
    } catch {
      // The load has closed the connection.
    }
    this.#members.delete(own);
    await own.queue;
    conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#running);
  }
}

async function writeAll(conn: Deno.Conn, lines: Line[]): Promise<void> {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
  }
  for (at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function measure(relay: TinyRelay, parts: Partial<LoadPlan>): Promise<LoadResult> {
  const plan = customPlan({ lineBytes: LINE_BYTES, warmupSeconds: 0.05, seconds: 0.15, ...parts });
  return await runLoad({ hostname: "127.0.0.1", port: relay.port, relayPid: null, plan });
}

const SMALL_FLOOD = { kind: "flood", windowBytes: 64 * 1024 } as const;
const GAME = { kind: "rate", ticksPerSecond: 50, linesPerTick: 3 } as const;

Deno.test("runLoad finds a good relay faultless in a flood from one to three", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { publishers: 1, subscribers: 3, pace: SMALL_FLOOD });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.deliveries > 0 && result.expected === result.received && result.expected % 3 === 0);
});

Deno.test("runLoad finds a good relay faultless when all send to all at a rate, and measures latency", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { members: 4, pace: GAME });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.deliveries > 0);
  const { p50, p99, p999, max } = result.latencyUs;
  assert.ok(0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= max, JSON.stringify(result.latencyUs));
  assert.equal(result.relayCpuUs, null);
});

Deno.test("runLoad leaves a stalled member out and follows the others", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { members: 4, stalled: 1, pace: GAME });
  assert.ok(isFaultless(result), JSON.stringify(result));
  assert.ok(result.expected > 0);
});

Deno.test("runLoad delivers one line to each idle connection and to those held before", async () => {
  await using relay = new TinyRelay();
  const result = await measure(relay, { idle: 20 });
  assert.ok(isFaultless(result), JSON.stringify(result));
  const { connections, warmConnections } = result.idle!;
  assert.equal(connections, 20);
  // The sender of the warm connections' lines is one of them.
  assert.equal(result.received, connections + warmConnections - 1);
});

/** A line that is far enough from the beginning and the end of a run to be no probe. */
const ODD = 50;
const BAD_RELAYS: [name: string, fault: keyof LoadResult["faults"], mangle: Mangle, echo?: boolean][] = [
  ["loses a line", "lost", (line, index) => index === ODD ? [] : [line]],
  ["doubles a line", "doubled", (line, index) => index === ODD ? [line, line] : [line]],
  ["exchanges two lines", "outOfOrder", (line, index, state) => {
    if (index !== ODD) return index === ODD + 1 ? [line, state.kept!] : [line];
    state.kept = line.slice();
    return [];
  }],
  ["tears a line", "damaged", (line, index) => [index === ODD ? line.subarray(0, 30) : line]],
  ["sends lines back", "echoed", (line) => [line], true],
];
for (const [name, fault, mangle, echo] of BAD_RELAYS) {
  Deno.test(`runLoad convicts a relay that ${name}`, async () => {
    await using relay = new TinyRelay(mangle, echo);
    const parts = echo ? { members: 2 } : { publishers: 1, subscribers: 2 };
    const result = await measure(relay, { ...parts, pace: SMALL_FLOOD });
    assert.ok(result.faults[fault] > 0, JSON.stringify(result));
    assert.ok(!isFaultless(result));
  });
}

Deno.test("runLoad says so when nobody can be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const plan = findScenario("1to1");
  await assert.rejects(runLoad({ hostname: "127.0.0.1", port, relayPid: null, plan }), /refused/);
});
