// Tests of the native load behind a WebSocket: it must find a good relay faultless however that cuts lines,
// messages and frames, and convict one that breaks the protocol. Left out where there is no C compiler.
// Servers from npm aren't tried here.

import assert from "node:assert/strict";
import type { Wire } from "../../../bench/peers/contender.ts";
import type { Measured } from "../../../bench/peers/native.ts";
import { runLoad } from "../../../bench/peers/native.ts";
import { type PeerPlan, QUICK, scenariosOf } from "../../../bench/peers/scenarios.ts";
import { concat } from "../../../src/wire/concat.ts";
import { isBuildable, programs } from "../../support/bench_peers_programs.ts";
import {
  CLOSE,
  CONTINUATION,
  PING,
  serverFrame,
  TEXT,
  type TinyWebSocketOptions,
  TinyWebSocketRelay,
} from "../../support/bench_peers_websocket.ts";

const ignore = !isBuildable();
const NO_FAULTS = { lost: 0, again: 0, own: 0, damaged: 0 };
const FINAL = 0x80;
const MASKED = 0x80;
const LINE_BYTES = 64;
const PLAN: PeerPlan = {
  ...scenariosOf(QUICK)[0].plan,
  eventBytes: LINE_BYTES,
  publishers: 1,
  subscribers: 2,
  ticksPerSecond: 100,
  eventsPerTick: 4,
  warmupMs: 30,
  measureMs: 120,
};

async function outcomeOf(
  port: number,
  wire: Wire,
  parts: Partial<PeerPlan> = {},
): Promise<Measured | string> {
  const { load } = await programs();
  return await runLoad(load, { ...PLAN, ...parts }, wire, { port, pid: Deno.pid });
}

async function measure(port: number, wire: Wire, parts: Partial<PeerPlan> = {}): Promise<Measured> {
  const outcome = await outcomeOf(port, wire, parts);
  assert.ok(typeof outcome !== "string", String(outcome));
  return outcome;
}

const text = (value: string) => new TextEncoder().encode(value);

/** Ways to put lines into frames that are all right. */
const GOOD_FRAMES: [name: string, frames: NonNullable<TinyWebSocketOptions["frames"]>][] = [
  ["all lines in a message", (lines) => [serverFrame(concat(lines))]],
  ["a message a line", (lines) => lines.map((line) => serverFrame(line))],
  ["binary messages", (lines) => [serverFrame(concat(lines), FINAL | 2)]],
  ["a frame a line, with pings and empty frames between", (lines) => [
    serverFrame(new Uint8Array(0), TEXT),
    ...lines.flatMap((
      line,
    ) => [serverFrame(text("still there?"), FINAL | PING), serverFrame(line, CONTINUATION)]),
    serverFrame(new Uint8Array(0), FINAL | CONTINUATION),
  ]],
];
for (const [name, frames] of GOOD_FRAMES) {
  for (const writeBytes of [undefined, 1, 3, 50]) {
    Deno.test({
      name: `native load finds a WebSocket relay faultless that sends ${name}, ${
        writeBytes ?? "all"
      } bytes a write`,
      ignore,
      async fn() {
        await using relay = new TinyWebSocketRelay({ frames, writeBytes });
        const result = await measure(relay.port, "lines/websocket");
        assert.deepEqual(result.faults, NO_FAULTS, result.odd);
        assert.ok(result.received > 20 && result.received === result.expected, JSON.stringify(result));
        assert.deepEqual(relay.complaints, []);
        const pongs = relay.members.flatMap((member) => member.pongs);
        assert.ok(name.includes("ping") ? pongs.length > 20 : pongs.length === 0);
        assert.ok(pongs.every((pong) => pong === "still there?"), pongs[0]);
      },
    });
  }
}

Deno.test({
  name: "native load sends the lines of a write in one message, each with another key",
  ignore,
  async fn() {
    await using relay = new TinyWebSocketRelay();
    const result = await measure(relay.port, "lines/websocket", { subscribers: 1, eventsPerTick: 30 });
    assert.deepEqual(result.faults, NO_FAULTS);
    const sender = relay.members.find(({ messages }) => messages > 0)!;
    assert.ok(
      sender.messages * 20 < result.received,
      `${sender.messages} messages, ${result.received} lines`,
    );
    assert.equal(sender.keys.size, sender.messages);
  },
});

for (const wire of ["messages/websocket", "lines apart/websocket"] as const) {
  Deno.test({
    name: `native load sends an event a message: ${wire}`,
    ignore,
    async fn() {
      const frames = (lines: Uint8Array[]) =>
        wire === "messages/websocket"
          ? lines.map((line) => serverFrame(line))
          : lines.map((line) => serverFrame(concat([line, text("\n")])));
      for (const writeBytes of [undefined, 1, 7]) {
        for (const eventBytes of [40, 64, 100, 127, 128, 1000]) {
          await using relay = new TinyWebSocketRelay({ each: true, frames, writeBytes });
          const result = await measure(relay.port, wire, { eventBytes, measureMs: 60 });
          assert.deepEqual(result.faults, NO_FAULTS, `${eventBytes}: ${result.odd}`);
          assert.ok(result.received > 0 && result.received === result.expected);
          assert.deepEqual(relay.complaints, []);
          const sent = relay.members.reduce((sum, { messages }) => sum + messages, 0);
          assert.ok(sent >= result.received / 2, `${sent} messages, ${result.received} events`);
        }
      }
    },
  });
}

Deno.test({
  name: "native load floods through WebSocket messages of any length",
  ignore,
  async fn() {
    for (const eventBytes of [64, 1000, 60_000]) {
      await using relay = new TinyWebSocketRelay();
      const result = await measure(relay.port, "lines/websocket", { ticksPerSecond: 0, eventBytes });
      assert.deepEqual(result.faults, NO_FAULTS);
      assert.ok(result.received > 0 && result.received === result.expected);
    }
  },
});

/** A line that is far enough from the beginning and the end of a run to be no probe. */
const ODD = 50;
const spoil = (frames: (lines: Uint8Array[]) => Uint8Array[]): TinyWebSocketOptions => ({
  frames: (lines, index) =>
    index <= ODD && ODD < index + lines.length ? frames(lines) : [serverFrame(concat(lines))],
});
const BAD_RELAYS: [name: string, fault: keyof typeof NO_FAULTS, options: TinyWebSocketOptions][] = [
  [
    "masks a frame",
    "damaged",
    spoil((lines) => {
      const frame = serverFrame(concat(lines));
      frame[1] |= MASKED;
      return [frame];
    }),
  ],
  ["sets a reserved bit", "damaged", spoil((lines) => [serverFrame(concat(lines), 0xc1)])],
  ["sends an unknown opcode", "damaged", spoil((lines) => [serverFrame(concat(lines), 0x83)])],
  [
    "begins a message within another",
    "damaged",
    spoil((lines) => [
      serverFrame(lines[0], TEXT),
      serverFrame(concat(lines.slice(1))),
    ]),
  ],
  ["continues no message", "damaged", spoil((lines) => [serverFrame(concat(lines), FINAL | CONTINUATION)])],
  [
    "fragments a ping",
    "damaged",
    spoil((lines) => [serverFrame(text("?"), PING), serverFrame(concat(lines))]),
  ],
  [
    "sends a long ping",
    "damaged",
    spoil((lines) => [
      serverFrame(new Uint8Array(126), FINAL | PING),
      serverFrame(concat(lines)),
    ]),
  ],
  [
    "writes a length with too many bytes",
    "damaged",
    spoil((lines) => [serverFrame(concat(lines), FINAL | TEXT, 8)]),
  ],
  [
    "ends a message in the middle of a line",
    "damaged",
    spoil((lines) => [
      serverFrame(lines[0].subarray(0, 30)),
      serverFrame(concat([lines[0].subarray(30), ...lines.slice(1)])),
    ]),
  ],
  ["loses a message", "lost", spoil(() => [])],
];
for (const [name, fault, options] of BAD_RELAYS) {
  Deno.test({
    name: `native load convicts a WebSocket relay that ${name}`,
    ignore,
    async fn() {
      await using relay = new TinyWebSocketRelay(options);
      const result = await measure(relay.port, "lines/websocket");
      assert.ok(result.faults[fault] > 0, JSON.stringify(result));
    },
  });
}

Deno.test({
  name: "native load answers a close with a close, and reports the end",
  ignore,
  async fn() {
    const frames = spoil((
      lines,
    ) => [serverFrame(concat(lines)), serverFrame(new Uint8Array([3, 232]), FINAL | CLOSE)]);
    await using relay = new TinyWebSocketRelay(frames);
    const result = await measure(relay.port, "lines/websocket");
    assert.equal(result.disconnected, 2);
    assert.deepEqual(relay.members.map(({ closes }) => closes).toSorted(), [0, 1, 1]);
  },
});

for (
  const [name, answer] of [
    ["has another accept", (text: string) => text.replace(/Accept: ..../, "Accept: AAAA")],
    ["refuses", () => "HTTP/1.1 403 Forbidden\r\n\r\n"],
  ] as const
) {
  Deno.test({
    name: `native load says so when the answer to its handshake ${name}`,
    ignore,
    async fn() {
      await using relay = new TinyWebSocketRelay({ answer });
      assert.match(String(await outcomeOf(relay.port, "lines/websocket")), /doesn't upgrade: HTTP/);
    },
  });
}
