// Tests of the native load: it must find a good relay faultless and convict bad ones, send the same events as
// the other load, and speak to each peer that is installed. Left out where there is no C compiler.

import assert from "node:assert/strict";
import {
  lineTemplate,
  SENDER_WORD,
  SEQUENCE_WORD,
  TIME_WORD,
  WORD_BYTES,
} from "../../../bench/line_layout.ts";
import { allContenders } from "../../../bench/peers/contenders.ts";
import { type LoadReport, type Measured, runLoad } from "../../../bench/peers/native.ts";
import { type PeerPlan, QUICK, scenariosOf } from "../../../bench/peers/scenarios.ts";
import { isBuildable, programs } from "../../support/bench_peers_programs.ts";
import { TinySessions } from "../../support/bench_peers_sessions.ts";
import { type Mangle, TinyRelay } from "../../support/bench_tiny_relay.ts";

const LINE_BYTES = 64;
/** How much a receiver gets before it acknowledges, and how much the relay sends without. */
const ACK_BYTES = 192 * 1024;
const SESSION_WINDOW_BYTES = 256 * 1024;
const NO_FAULTS = { lost: 0, again: 0, own: 0, damaged: 0 };
const ignore = !isBuildable();

const PLAN: PeerPlan = {
  ...scenariosOf(QUICK)[0].plan,
  publishers: 0,
  subscribers: 0,
  eventBytes: LINE_BYTES,
};

async function measure(relay: TinyRelay, parts: Partial<PeerPlan>): Promise<Measured> {
  const { load } = await programs();
  const plan = { ...PLAN, warmupMs: 30, measureMs: 100, ...parts };
  const outcome = await runLoad(load, plan, "lines", { port: relay.port, pid: Deno.pid });
  assert.ok(typeof outcome !== "string", String(outcome));
  return outcome;
}

Deno.test({
  name: "native load finds a good relay faultless in a flood from one to three",
  ignore,
  async fn() {
    await using relay = new TinyRelay();
    const result = await measure(relay, { publishers: 1, subscribers: 3 }) as Measured & LoadReport;
    assert.deepEqual(result.faults, NO_FAULTS);
    assert.ok(result.deliveries > 0 && result.expected === result.received && result.expected % 3 === 0);
  },
});

Deno.test({
  name: "native load finds a good relay faultless when all send at a rate, and measures latency",
  ignore,
  async fn() {
    await using relay = new TinyRelay();
    const game = { members: 4, ticksPerSecond: 50, eventsPerTick: 3 };
    const result = await measure(relay, game) as Measured & LoadReport;
    assert.deepEqual(result.faults, NO_FAULTS);
    const { p50, p90, p99, p999, max } = result.latencyUs;
    assert.ok(
      0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max,
      JSON.stringify(result.latencyUs),
    );
  },
});

/** A line that is far enough from the beginning and the end of a run to be no probe. */
const ODD = 50;
const BAD_RELAYS: [name: string, faults: (keyof typeof NO_FAULTS)[], mangle: Mangle, echo?: boolean][] = [
  ["loses a line", ["lost"], (line, index) => index === ODD ? [] : [line]],
  ["doubles a line", ["again"], (line, index) => index === ODD ? [line, line] : [line]],
  ["exchanges two lines", ["again"], (line, index, state) => {
    if (index !== ODD) return index === ODD + 1 ? [line, state.kept!] : [line];
    state.kept = line.slice();
    return [];
  }],
  ["tears a line", ["damaged", "lost"], (line, index) => [index === ODD ? line.subarray(0, 30) : line]],
  ["sends lines back", ["own"], (line) => [line], true],
];
for (const [name, faults, mangle, echo] of BAD_RELAYS) {
  Deno.test({
    name: `native load convicts a relay that ${name}`,
    ignore,
    async fn() {
      await using relay = new TinyRelay({ mangle, echo });
      const result = await measure(relay, echo ? { members: 2 } : { publishers: 1, subscribers: 2 });
      for (const fault of faults) assert.ok(result.faults[fault] > 0, JSON.stringify(result));
    },
  });
}

for (const eventBytes of [40, 63, 64, 100, 1000]) {
  Deno.test({
    name: `native load sends events of ${eventBytes} bytes that are JSON and those of the other load`,
    ignore,
    async fn() {
      let first: Uint8Array | undefined;
      const mangle: Mangle = (line) => {
        first ??= line.slice();
        return [line];
      };
      await using relay = new TinyRelay({ mangle, lineBytes: eventBytes });
      const result = await measure(relay, { publishers: 1, subscribers: 1, eventBytes });
      assert.deepEqual(result.faults, NO_FAULTS);
      assert.equal(first!.length, eventBytes);
      JSON.parse(new TextDecoder().decode(first));
      if (eventBytes % WORD_BYTES !== 0 || eventBytes < 64) return;
      const [from, count] = [TIME_WORD * WORD_BYTES, 3 * WORD_BYTES];
      first!.fill(48, from, from + count);
      first!.fill(48, SEQUENCE_WORD * WORD_BYTES, SEQUENCE_WORD * WORD_BYTES + count);
      first!.fill(48, SENDER_WORD * WORD_BYTES, SENDER_WORD * WORD_BYTES + WORD_BYTES);
      assert.deepEqual(first, lineTemplate(0, eventBytes));
    },
  });
}

Deno.test({
  name: "native load says so when nobody listens",
  ignore,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const { load } = await programs();
    const plan = { ...PLAN, publishers: 1, subscribers: 1, measureMs: 100 };
    assert.match(String(await runLoad(load, plan, "lines", { port, pid: Deno.pid })), /refused/);
  },
});

for (const { name, kind, wire, fetched } of allContenders({ relay: null, folder: "", limitProgram: "" })) {
  // What comes from npm would be fetched; the others are here or aren't.
  if (fetched || kind === "product" && wire === "lines") continue;
  Deno.test({
    name: `native load speaks the protocol of ${name}, if it is installed`,
    ignore,
    async fn() {
      const { folder, load, limit } = await programs();
      const contenders = allContenders({ relay: null, folder, limitProgram: limit });
      const contender = contenders.find((each) => each.name === name)!;
      if (await contender.version() === null) return;
      await using server = await contender.start();
      const plan = {
        ...PLAN,
        members: 3,
        ticksPerSecond: 50,
        eventsPerTick: 2,
        warmupMs: 50,
        measureMs: 200,
      };
      const outcome = await runLoad(load, plan, contender.wire, server);
      assert.ok(typeof outcome !== "string", String(outcome));
      assert.deepEqual(outcome.faults, NO_FAULTS);
      assert.ok(outcome.received > 0 && outcome.received === outcome.expected);
    },
  });
}

Deno.test({
  name: "native load acknowledges in a session what it has received, to the byte and at line ends",
  ignore,
  async fn() {
    await using relay = new TinySessions();
    const result = await measureSessions(relay.port, Deno.pid);
    assert.deepEqual(result.faults, NO_FAULTS);
    assert.ok(result.received > 0 && result.received === result.expected);
    assert.deepEqual(relay.complaints, []);
    for (const { lineEnds, acks } of relay.listeners) {
      const sentBytes = lineEnds.at(-1)!;
      assert.ok(sentBytes > ACK_BYTES, String(sentBytes));
      assert.ok(acks.length > 0 && sentBytes - acks.at(-1)! < ACK_BYTES, `${acks} of ${sentBytes}`);
      const ends = new Set(lineEnds);
      for (const [index, bytes] of acks.entries()) {
        assert.ok(ends.has(bytes) || bytes === 0, `${bytes} is no line end`);
        assert.ok(bytes >= (acks[index - 1] ?? 0), String(acks));
      }
    }
  },
});

Deno.test({
  name: "native load convicts a relay of sessions that loses a line",
  ignore,
  async fn() {
    await using relay = new TinySessions({ loses: ODD });
    const result = await measureSessions(relay.port, Deno.pid);
    assert.deepEqual(result.faults, { ...NO_FAULTS, lost: 2 });
  },
});

async function measureSessions(port: number, pid: number, parts: Partial<PeerPlan> = {}): Promise<Measured> {
  const { load } = await programs();
  const rate = { publishers: 1, subscribers: 2, ticksPerSecond: 100, eventsPerTick: 100 };
  const plan = { ...PLAN, ...rate, warmupMs: 30, measureMs: 400, ...parts };
  const outcome = await runLoad(load, plan, "sessions", { port, pid });
  assert.ok(typeof outcome !== "string", String(outcome));
  return outcome;
}

Deno.test({
  name: "native load floods sessions beyond the window of the relay, and in rooms of their own",
  ignore,
  async fn() {
    const contenders = allContenders({ relay: null, folder: "", limitProgram: "" });
    await using server = await contenders.find(({ wire }) => wire === "sessions")!.start();
    for (const parts of [{ subscribers: 1 }, { publishers: 0, subscribers: 0, members: 2, rooms: 3 }]) {
      const flood = { ticksPerSecond: 0, eventsPerTick: 1, ...parts };
      const result = await measureSessions(server.port, server.pid, flood);
      assert.deepEqual(result.faults, NO_FAULTS);
      assert.equal(result.disconnected, 0);
      assert.equal(result.received, result.expected);
      const receivers = "rooms" in parts ? 6 : 1;
      assert.ok(result.received * LINE_BYTES > receivers * 2 * SESSION_WINDOW_BYTES, String(result.received));
    }
  },
});
