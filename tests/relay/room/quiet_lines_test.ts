// Holds QuietLines and Feed.jump against their contract: what is kept for a reader that the log overflows
// for, of whom, and for how long.

import assert from "node:assert/strict";
import { heapBytes } from "../../support/heap.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { Feed } from "../../../src/relay/room/feed.ts";
import { joinKept, QuietLines } from "../../../src/relay/room/quiet_lines.ts";
import { StubReader } from "../../support/stub_reader.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const senders = new Map<string, object>();

function senderOf(name: string): object {
  const known = senders.get(name) ?? { name };
  senders.set(name, known);
  return known;
}

function note(lines: QuietLines, sender: string, offset: number, text: string, nowMs: number): void {
  const bytes = encoder.encode(`before${text}behind`);
  lines.note(senderOf(sender), offset, bytes, 6, bytes.length - 6, text.split("\n").length - 1, nowMs);
  bytes.fill(0);
}

function textOf(lines: QuietLines, offset: number, reader = ""): string {
  return decoder.decode(joinKept(lines.since(offset, senderOf(reader))));
}

Deno.test("QuietLines keeps what who says little has said, from a place on, but not for itself", () => {
  const lines = new QuietLines(new MemoryBudget().open());
  note(lines, "ada", 10, "1\n2\n", 0);
  note(lines, "bo", 20, "3\n", 5);
  assert.deepEqual([textOf(lines, 10), textOf(lines, 11), textOf(lines, 10, "ada"), textOf(lines, 21)], [
    "1\n2\n3\n",
    "3\n",
    "3\n",
    "",
  ]);
  assert.deepEqual([lines.since(10, undefined).lines, lines.since(10, undefined).bytes], [3, 6]);
  assert.equal(textOf(lines, 9), "", "what was said before it began to look is not known");
  const separated = joinKept(lines.since(10, undefined), ({ atMs }) => [encoder.encode(`at ${atMs}\n`)]);
  assert.equal(decoder.decode(separated), "at 0\n1\n2\nat 5\n3\n");
});

Deno.test("QuietLines keeps nothing of who says much, and something again once it says less", () => {
  const lines = new QuietLines(new MemoryBudget().open());
  const flood = ("x".repeat(99) + "\n").repeat(600);
  for (let ms = 0; ms < 2000; ms++) {
    note(lines, "flood", ms, flood, ms);
    if (ms % 10 === 0) note(lines, "quiet", ms, `${ms}\n`, ms);
  }
  const expected = Array.from({ length: 200 }, (_, i) => `${10 * i}\n`).join("");
  assert.equal(textOf(lines, 0), expected);
  note(lines, "flood", 999_999, "now quiet\n", 2600);
  assert.equal(textOf(lines, 999_999), "now quiet\n");
  assert.equal(textOf(lines, 0), expected, "not a part of what it said");
});

Deno.test("QuietLines takes and counts no more memory than two buffers, however many say little, and none after clear", () => {
  const memory = new MemoryBudget();
  const lines = new QuietLines(memory.open());
  for (let i = 0; i < 10_000; i++) note(lines, `${i % 500}`, 51 * i, "x".repeat(50) + "\n", i);
  const { bytes, pieces } = lines.since(51 * 9800, undefined);
  assert.ok(
    bytes + 100 * pieces.length <= 64 * 1024 && bytes > 8000,
    `${bytes} bytes in ${pieces.length} pieces`,
  );
  assert.equal(lines.since(0, undefined).lines, 0, "of nobody all is there");
  assert.equal(memory.usedBytes, 64 * 1024);
  lines.clear();
  assert.deepEqual([textOf(lines, 0), memory.usedBytes], ["", 0]);
});

Deno.test("QuietLines keeps nobody who came, said a word and went while somebody says much", () => {
  const lines = new QuietLines(new MemoryBudget().open());
  const word = encoder.encode("1\n"), before = heapBytes();
  for (let i = 0; i < 50_000; i++) lines.note({ id: `k${i}` }, 2 * i, word, 0, 2, 1, i);
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 5e6, `${grownBytes} bytes for 50,000 who are gone`);
  assert.ok(lines.since(99_998, undefined).lines > 0);
});

/** A flooder, a quiet sender, and a reader that takes a little now and then, for so many rounds of 10 ms. */
function flood(feed: Feed, rounds: number, clock: { nowMs: number }) {
  const [loud, quiet, slow] = [new StubReader(feed), new StubReader(feed), new StubReader(feed)];
  const line = encoder.encode("x".repeat(99) + "\n");
  const run = new Uint8Array(64 * 1024 - 36);
  for (let at = 0; at < run.length; at += line.length) run.set(line, at);
  const got: string[] = [];
  let lost = 0, gaps = 0;
  for (let i = 0; i < rounds; i++) {
    for (let j = 0; j < 4; j++) feed.append(run, 0, run.length, run.length / 100, loud);
    const own = encoder.encode(`${i}\n`);
    feed.append(own, 0, own.length, 1, quiet);
    clock.nowMs += 10;
    for (const reader of feed.startFlush(clock.nowMs)) reader.wake(clock.nowMs);
    [loud, quiet].forEach((reader) => reader.take());
    if (feed.isBehind(slow.cursor, clock.nowMs)) {
      const jump = feed.jump(slow, clock.nowMs);
      gaps++;
      lost += jump.lost.lines;
      got.push(...decoder.decode(joinKept(jump.kept)).split("\n"));
    }
    const bytes = slow.cursor.take(40_000);
    got.push(...decoder.decode(bytes).split("\n"));
    slow.cursor.commit();
  }
  return { quiet: got.filter((text) => /^\d+$/.test(text)), lost, gaps, slow };
}

Deno.test("Feed.jump keeps what a quiet sender said beside a flood, in order, each line once, for a reader that is slow", () => {
  const clock = { nowMs: 0 };
  const settings = {
    maxLogBytes: 1024 * 1024,
    maxLagMs: 5000,
    clock: () => clock.nowMs,
    relayTime: () => clock.nowMs,
    memory: new MemoryBudget(),
  };
  const feed = new Feed("plain", settings, () => {});
  const { quiet, lost, gaps, slow } = flood(feed, 1000, clock);
  assert.ok(gaps > 10 && lost > 100_000, `${gaps} gaps, ${lost} lines lost`);
  assert.ok(
    quiet.length > 985,
    `${quiet.length} of 1000: what the first moment took, and what is still in the log`,
  );
  assert.deepEqual(quiet, [...new Set(quiet)].sort((a, b) => Number(a) - Number(b)));
  assert.equal(slow.cursor.lost.lines, lost);
  clock.nowMs += 20_000;
  feed.startFlush(clock.nowMs);
  const { cursor } = slow;
  const { kept } = feed.jump(slow, clock.nowMs);
  assert.equal(kept.lines, 0, "nothing old for who was away");
  assert.equal(cursor.behindBytes, 0);
});

Deno.test("Feed.jump keeps what a quiet sender said where the log overflows before the next flush", () => {
  const settings = { maxLogBytes: 1024 * 1024, maxLagMs: 5000, clock: () => 1, relayTime: () => 1 };
  const feed = new Feed("plain", { ...settings, memory: new MemoryBudget() }, () => {});
  const [loud, quiet, slow] = [new StubReader(feed), new StubReader(feed), new StubReader(feed)];
  feed.startFlush(0);
  const run = encoder.encode(("x".repeat(99) + "\n").repeat(100));
  for (let i = 0; i < 200; i++) {
    feed.append(run, 0, run.length, 100, loud);
    const own = encoder.encode(`${i}\n`);
    if (i >= 2) feed.append(own, 0, own.length, 1, quiet);
    if (i === 0) slow.take();
  }
  const { kept, lost } = feed.jump(slow, 1);
  assert.deepEqual([kept.lines, lost.lines], [198, 19_900]);
});

Deno.test("Feed.jump keeps nothing for who is more than maxLagMs behind, not even what was said just now", () => {
  const keptAt = (nowMs: number) => {
    const settings = { maxLogBytes: 1024 * 1024, maxLagMs: 1000, clock: () => 0, relayTime: () => 0 };
    const feed = new Feed("plain", { ...settings, memory: new MemoryBudget() }, () => {});
    const [loud, quiet, slow] = [new StubReader(feed), new StubReader(feed), new StubReader(feed)];
    const run = encoder.encode(("x".repeat(99) + "\n").repeat(100)), own = encoder.encode("1\n");
    for (let i = 0; i < 80; i++) feed.append(run, 0, run.length, 100, loud);
    slow.take();
    feed.append(run, 0, run.length, 100, loud);
    feed.startFlush(0);
    feed.append(own, 0, own.length, 1, quiet);
    feed.startFlush(900);
    return feed.jump(slow, nowMs).kept.lines;
  };
  assert.deepEqual([keptAt(1000), keptAt(1001)], [1, 0]);
});

Deno.test("Feed keeps no line twice where little is said", () => {
  const memory = new MemoryBudget();
  const settings = {
    maxLogBytes: 8 * 1024 * 1024,
    maxLagMs: 1000,
    clock: () => 0,
    relayTime: () => 0,
    memory,
  };
  const feed = new Feed("plain", settings, () => {});
  const [ada, bo] = [new StubReader(feed), new StubReader(feed)];
  const line = encoder.encode("x".repeat(999) + "\n");
  for (let i = 0; i < 10_000; i++) {
    feed.append(line, 0, line.length, 1, ada);
    feed.startFlush(i); // a MB a second, 8 may be kept for a second
    ada.take();
    bo.take();
    assert.equal(memory.usedBytes, feed.logBytes);
  }
});
