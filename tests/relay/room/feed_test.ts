// Holds Feed against its contract with stub readers: who is woken and when, who counts as behind, and when
// the log tells the time.

import assert from "node:assert/strict";
import { Feed, type FeedSettings, type Reader } from "../../../src/relay/room/feed.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { encodeFrom } from "../../../src/wire/protocol.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

const SETTINGS: FeedSettings = {
  maxLogBytes: 1024 * 1024,
  maxLagMs: 1000,
  memory: UNLIMITED_MEMORY,
  clock: () => 0,
  relayTime: () => 1,
};

const encoder = new TextEncoder();

function send(feed: Feed, sender: Reader, text: string): void {
  const bytes = encoder.encode(text);
  feed.append(bytes, 0, bytes.length, text.split("\n").length - 1, sender);
}

function flush(feed: Feed, nowMs: number): void {
  for (const reader of feed.startFlush(nowMs)) reader.wake(nowMs);
}

Deno.test("Feed hands a line to everybody but its sender", () => {
  const feed = new Feed("plain", SETTINGS, () => {});
  const [ada, bo, cy] = [new StubReader(feed), new StubReader(feed), new StubReader(feed)];
  send(feed, ada, "1\n2\n");
  send(feed, bo, "3\n");
  assert.deepEqual([ada.take(), bo.take(), cy.take()], ["3\n", "1\n2\n", "1\n2\n3\n"]);
});

Deno.test("Feed wakes each reader once a flush, and reports every append", () => {
  let news = 0;
  const feed = new Feed("plain", SETTINGS, () => news++);
  const readers = [new StubReader(feed), new StubReader(feed)];
  for (let i = 0; i < 10; i++) send(feed, readers[i % 2], "1\n");
  assert.deepEqual([news, readers[0].wakes, readers[1].wakes], [10, 0, 0]);
  assert.equal(feed.pendingBytes, 20);
  flush(feed, 1);
  assert.deepEqual([news, readers[0].wakes, readers[1].wakes], [10, 1, 1]);
  assert.equal(feed.pendingBytes, 0);
});

Deno.test("Feed's readers need not write a line that may wait before the next flush, or what is said after it", () => {
  const news: boolean[] = [];
  const feed = new Feed("session", SETTINGS, (_, mayWait) => news.push(mayWait));
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  const hasNews = () => [ada, bo].map(({ cursor }) => cursor.offset < feed.newsEnd);
  const join = encoder.encode('{"$join":{"id":"k3","name":""}}\n');
  feed.appendPatient(join);
  assert.deepEqual([hasNews(), news], [[false, false], [true]]);
  flush(feed, 1);
  assert.deepEqual(hasNews(), [true, true]);
  assert.match(ada.take(), /"k3"/);
  feed.appendPatient(join, ada);
  assert.deepEqual(hasNews(), [false, true]); // of the first
  send(feed, ada, "1\n");
  assert.deepEqual([hasNews(), news], [[true, true], [true, true, false]]);
  assert.equal(ada.take(), "");
  assert.equal(bo.take().match(/"k3"|^1$/gm)?.length, 3);
  assert.deepEqual(hasNews(), [false, false]);
});

Deno.test("Feed keeps nothing while nobody reads", () => {
  const feed = new Feed("session", SETTINGS, () => assert.fail("no news"));
  const line = encoder.encode("1\n");
  feed.append(line, 0, line.length, 1);
  assert.deepEqual([feed.end, feed.logBytes], [0, 0]);
});

Deno.test("Feed counts its readers, and wakes no one who has left, not even during a flush", () => {
  const feed = new Feed("plain", SETTINGS, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  assert.equal(feed.size, 2);
  ada.onWake = () => feed.leave(bo);
  send(feed, ada, "1\n");
  flush(feed, 1);
  assert.deepEqual([feed.size, ada.wakes, bo.wakes], [1, 1, 0]);
  feed.leave(bo);
  assert.equal(feed.size, 1, "leaving twice is leaving once");
});

Deno.test("Feed gives a newcomer what comes from now on", () => {
  const feed = new Feed("plain", SETTINGS, () => {});
  const ada = new StubReader(feed);
  send(feed, ada, "old\n");
  const bo = new StubReader(feed);
  send(feed, ada, "new\n");
  assert.equal(bo.take(), "new\n");
});

Deno.test("Feed.isBehind is true above maxLagMs, and false again once the cursor has moved on", () => {
  const feed = new Feed("plain", SETTINGS, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  send(feed, ada, "1\n");
  flush(feed, 10_000);
  assert.equal(feed.lagMs(bo.cursor, 10_400), 400);
  assert.equal(feed.isBehind(bo.cursor, 11_000), false);
  assert.equal(feed.isBehind(bo.cursor, 11_001), true);
  bo.take();
  assert.equal(feed.lagMs(bo.cursor, 99_999), 0);
});

Deno.test("Feed.isBehind looks at the lines of others: one's own are never what one waits for", () => {
  const feed = new Feed("plain", SETTINGS, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  send(feed, ada, "own, and old\n");
  flush(feed, 10_000);
  assert.equal(feed.isBehind(ada.cursor, 15_000), false);
  send(feed, bo, "fresh\n");
  flush(feed, 15_000);
  assert.equal(feed.isBehind(ada.cursor, 15_100), false);
  assert.equal(feed.lagMs(ada.cursor, 15_100), 100);
  assert.equal(feed.isBehind(bo.cursor, 15_100), true);
});

Deno.test("Feed.isBehind is true for whom the log has dropped what comes next, however fresh it is", () => {
  const feed = new Feed("plain", { ...SETTINGS, maxLogBytes: 16 * 1024 }, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  for (let i = 0; i < 100; i++) {
    send(feed, ada, "x".repeat(1000) + "\n");
    flush(feed, 1000);
    ada.take();
  }
  assert.equal(feed.lagMs(bo.cursor, 1000), Infinity);
  assert.equal(feed.isBehind(bo.cursor, 1000), true);
  assert.equal(feed.isBehind(ada.cursor, 1000), false);
  assert.ok(feed.logBytes <= 16 * 1024, `${feed.logBytes} bytes`);
});

Deno.test("Feed that knows the relay's time tells it before what is new, once in 100 ms at most, to the sender as well", () => {
  let now = 5;
  const options = { ...SETTINGS, clock: () => now, relayTime: () => 1000.5 + now };
  const feed = new Feed("session", options, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  const expected: string[] = [];
  const isTime = (line: string) => line.startsWith('{"$time"');
  for (; now < 1000; now += 7) {
    if ((now - 5) % 105 === 0) expected.push(`{"$time":{"time":${1000.5 + now}}}\n`);
    send(feed, ada, `${now}\n`);
    if (now === 5) expected.push('{"$from":{}}\n');
    expected.push(`${now}\n`);
  }
  assert.equal(ada.take(), expected.filter(isTime).join(""));
  assert.equal(bo.take(), expected.join(""));
  assert.equal(ada.cursor.countTakenLines(), 0, "a control line is no line");
  assert.equal(bo.cursor.countTakenLines(), 143);
  now = 99_999;
  assert.equal(bo.take(), "", "nothing is told while nothing happens");
});

Deno.test("Feed of sessions says whose lines come next where that changes, and first for whoever begins to read", () => {
  const feed = new Feed("session", { ...SETTINGS, relayTime: () => 1 }, () => {});
  const [ada, bo, cy] = ["k1", "k2", undefined].map((id) =>
    Object.assign(new StubReader(feed), id && { fromLine: encodeFrom(id) })
  );
  const [of1, of2, ofPlain] = ['{"$from":{"id":"k1"}}\n', '{"$from":{"id":"k2"}}\n', '{"$from":{}}\n'];
  send(feed, ada, "1\n2\n");
  send(feed, ada, "3\n");
  assert.equal(cy.take(), `{"$time":{"time":1}}\n${of1}1\n2\n3\n`);
  send(feed, bo, "4\n");
  send(feed, ada, "5\n");
  send(feed, cy, "6\n");
  send(feed, new StubReader(feed), "7\n"); // a plain client like another, but somebody began to read
  assert.equal(ada.take(), `{"$time":{"time":1}}\n${of2}4\n${ofPlain}6\n${ofPlain}7\n`);
  assert.equal(bo.take(), `{"$time":{"time":1}}\n${of1}1\n2\n3\n${of1}5\n${ofPlain}6\n${ofPlain}7\n`);
  assert.equal(ada.cursor.countTakenLines(), 3, "a mark is no line");
  send(feed, ada, "8\n");
  const late = new StubReader(feed);
  send(feed, ada, "9\n");
  assert.equal(late.take(), `${of1}9\n`);
  assert.equal(feed.jump(late, 0).lost.bytes, 0);
  send(feed, ada, "10\n");
  assert.equal(late.take(), `${of1}10\n`);
  assert.deepEqual([ada.take(), ada.cursor.lost.lines], ["", 0]);
});
