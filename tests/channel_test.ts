// Holds Channel against its contract with stub readers: who is woken and when, who counts as behind, and when the log tells the time.

import assert from "node:assert/strict";
import { Channel, type ChannelOptions, type Reader } from "../src/channel.ts";
import { StubReader } from "./stub_reader.ts";

const OPTIONS: ChannelOptions = { maxLogBytes: 1024 * 1024, maxLagMs: 1000, clock: () => 0 };

const encoder = new TextEncoder();

function send(channel: Channel, sender: Reader, text: string): void {
  const bytes = encoder.encode(text);
  channel.append(bytes, 0, bytes.length, text.split("\n").length - 1, sender);
}

function flush(channel: Channel, nowMs: number): void {
  for (const reader of channel.startFlush(nowMs)) reader.wake(nowMs);
}

Deno.test("Channel hands a line to everybody but its sender", () => {
  const channel = new Channel(OPTIONS, () => {});
  const [ada, bo, cy] = [new StubReader(channel), new StubReader(channel), new StubReader(channel)];
  send(channel, ada, "1\n2\n");
  send(channel, bo, "3\n");
  assert.deepEqual([ada.take(), bo.take(), cy.take()], ["3\n", "1\n2\n", "1\n2\n3\n"]);
});

Deno.test("Channel wakes each reader once a flush, and reports every append", () => {
  let news = 0;
  const channel = new Channel(OPTIONS, () => news++);
  const readers = [new StubReader(channel), new StubReader(channel)];
  for (let i = 0; i < 10; i++) send(channel, readers[i % 2], "1\n");
  assert.deepEqual([news, readers[0].wakes, readers[1].wakes], [10, 0, 0]);
  assert.equal(channel.pendingBytes, 20);
  flush(channel, 1);
  assert.deepEqual([news, readers[0].wakes, readers[1].wakes], [10, 1, 1]);
  assert.equal(channel.pendingBytes, 0);
});

Deno.test("Channel keeps nothing while nobody reads", () => {
  const channel = new Channel({ ...OPTIONS, relayTime: () => 1 }, () => assert.fail("no news"));
  const line = encoder.encode("1\n");
  channel.append(line, 0, line.length, 1);
  assert.deepEqual([channel.end, channel.logBytes], [0, 0]);
});

Deno.test("Channel counts its readers, and wakes no one who has left, not even during a flush", () => {
  const channel = new Channel(OPTIONS, () => {});
  const [ada, bo] = [new StubReader(channel), new StubReader(channel)];
  assert.equal(channel.size, 2);
  ada.onWake = () => channel.leave(bo);
  send(channel, ada, "1\n");
  flush(channel, 1);
  assert.deepEqual([channel.size, ada.wakes, bo.wakes], [1, 1, 0]);
  channel.leave(bo);
  assert.equal(channel.size, 1, "leaving twice is leaving once");
});

Deno.test("Channel gives a newcomer what comes from now on", () => {
  const channel = new Channel(OPTIONS, () => {});
  const ada = new StubReader(channel);
  send(channel, ada, "old\n");
  const bo = new StubReader(channel);
  send(channel, ada, "new\n");
  assert.equal(bo.take(), "new\n");
});

Deno.test("Channel.isBehind is true above maxLagMs, and false again once the cursor has moved on", () => {
  const channel = new Channel(OPTIONS, () => {});
  const [ada, bo] = [new StubReader(channel), new StubReader(channel)];
  send(channel, ada, "1\n");
  flush(channel, 10_000);
  assert.equal(channel.lagMs(bo.cursor, 10_400), 400);
  assert.equal(channel.isBehind(bo.cursor, 11_000), false);
  assert.equal(channel.isBehind(bo.cursor, 11_001), true);
  bo.take();
  assert.equal(channel.lagMs(bo.cursor, 99_999), 0);
});

Deno.test("Channel.isBehind looks at the lines of others: one's own are never what one waits for", () => {
  const channel = new Channel(OPTIONS, () => {});
  const [ada, bo] = [new StubReader(channel), new StubReader(channel)];
  send(channel, ada, "own, and old\n");
  flush(channel, 10_000);
  assert.equal(channel.isBehind(ada.cursor, 15_000), false);
  send(channel, bo, "fresh\n");
  flush(channel, 15_000);
  assert.equal(channel.isBehind(ada.cursor, 15_100), false);
  assert.equal(channel.lagMs(ada.cursor, 15_100), 100);
  assert.equal(channel.isBehind(bo.cursor, 15_100), true);
});

Deno.test("Channel.isBehind is true for whom the log has dropped what comes next, however fresh it is", () => {
  const channel = new Channel({ ...OPTIONS, maxLogBytes: 16 * 1024 }, () => {});
  const [ada, bo] = [new StubReader(channel), new StubReader(channel)];
  for (let i = 0; i < 100; i++) {
    send(channel, ada, "x".repeat(1000) + "\n");
    flush(channel, 1000);
    ada.take();
  }
  assert.equal(channel.lagMs(bo.cursor, 1000), Infinity);
  assert.equal(channel.isBehind(bo.cursor, 1000), true);
  assert.equal(channel.isBehind(ada.cursor, 1000), false);
  assert.ok(channel.logBytes <= 16 * 1024, `${channel.logBytes} bytes`);
});

Deno.test("Channel that knows the relay's time tells it before what is new, once in 100 ms at most, to the sender as well", () => {
  let now = 5;
  const options = { ...OPTIONS, countsControlLines: false, clock: () => now, relayTime: () => 1000.5 + now };
  const channel = new Channel(options, () => {});
  const [ada, bo] = [new StubReader(channel), new StubReader(channel)];
  const expected: string[] = [];
  for (; now < 1000; now += 7) {
    if ((now - 5) % 105 === 0) expected.push(`{"$time":{"time":${1000.5 + now}}}\n`);
    send(channel, ada, `${now}\n`);
    expected.push(`${now}\n`);
  }
  assert.equal(ada.take(), expected.filter((line) => line.startsWith("{")).join(""));
  assert.equal(bo.take(), expected.join(""));
  assert.equal(ada.cursor.countTakenLines(), 0, "a control line is no line");
  assert.equal(bo.cursor.countTakenLines(), 143);
  now = 99_999;
  assert.equal(bo.take(), "", "nothing is told while nothing happens");
});
