// Holds Flusher against its contract on a loop whose time is made up, with stub feeds whose readers take as
// long as a test wants: who is woken in which turn, and when a flush is put off, up to whole loads and how
// they settle.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { BEHIND_SHARE, FLUSH_SHARE } from "../../../src/relay/room/flush_budget.ts";
import type { Flushable, FlushState, Wakeable } from "../../../src/relay/room/flush_state.ts";
import {
  Flusher,
  FULL_BYTES,
  MAX_PATIENCE_MS,
  MAX_WAKES_A_TURN,
  MAX_WAKES_IN_A_ROW,
  PATIENT_SHARE,
} from "../../../src/relay/room/flusher.ts";
import { SimulatedLoop } from "../../support/simulated_loop.ts";

/** How much later than they are told timers fire on Linux with Deno. */
const TIMERS_LATE_MS = 1.2;
/** More than flushes may save up. */
const LONG_FLUSH_MS = 200;
/** By when a step in the load has settled. */
const SETTLED_MS = 1000;

class StubFeed implements Flushable {
  flushState: FlushState | undefined;
  pendingBytes = 0;
  flushes = 0;
  wakes = 0;
  /** What each piece of news waited until its flush began, in ms, and when the flush was. */
  readonly waits: { atMs: number; waitMs: number }[] = [];
  /** What flushes took, by when they began. */
  readonly costs: { atMs: number; tookMs: number }[] = [];
  onWake = () => {};
  readonly #loop: SimulatedLoop;
  readonly #flusher: Flusher;
  readonly #readers: Set<Wakeable>;
  #news: number[] = [];
  #from = 0;

  /** @param wakeMs how long each reader takes */
  constructor(loop: SimulatedLoop, flusher: Flusher, readers: number, public wakeMs = 0) {
    this.#loop = loop;
    this.#flusher = flusher;
    const wake = () => {
      loop.spend(this.wakeMs);
      this.costs.at(-1)!.tookMs += this.wakeMs;
      this.wakes++;
      this.onWake();
    };
    this.#readers = new Set(Array.from({ length: readers }, () => ({ wake })));
  }

  append(bytes: number, atMs = this.#loop.nowMs): void {
    this.pendingBytes += bytes;
    this.#news.push(atMs);
    this.#flusher.note(this);
  }

  /** Has news that may wait. */
  appendPatient(): void {
    this.pendingBytes += 50;
    this.#news.push(this.#loop.nowMs);
    this.#flusher.note(this, true);
  }

  /** Has news every so often, from now on until a time. */
  appendEvery(periodMs: number, untilMs: number, bytes = 100): void {
    const from = ++this.#from;
    const next = (atMs: number) => {
      if (from !== this.#from || atMs >= untilMs) return;
      this.append(bytes, atMs);
      this.#loop.at(atMs + periodMs, () => next(atMs + periodMs));
    };
    next(this.#loop.nowMs);
  }

  startFlush(nowMs: number): ReadonlySet<Wakeable> {
    this.waits.push(...this.#news.map((atMs) => ({ atMs: nowMs, waitMs: nowMs - atMs })));
    this.costs.push({ atMs: nowMs, tookMs: 0 });
    this.#news = [];
    this.pendingBytes = 0;
    this.flushes++;
    return this.#readers;
  }

  /** Lets the newest readers leave. */
  leave(count: number): void {
    for (const reader of [...this.#readers].slice(-count)) this.#readers.delete(reader);
  }

  /** The share of a core that flushes took between two times. */
  share(fromMs: number, toMs: number): number {
    const costs = this.costs.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return costs.reduce((sum, { tookMs }) => sum + tookMs, 0) / (toMs - fromMs);
  }

  longestWait(fromMs: number, toMs: number): number {
    return Math.max(
      0,
      ...this.waits.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ waitMs }) => waitMs),
    );
  }
}

function setUp(timersLateMs = 0) {
  const loop = new SimulatedLoop(timersLateMs);
  const flusher = new Flusher(loop);
  const feed = (readers: number, wakeMs = 0) => new StubFeed(loop, flusher, readers, wakeMs);
  return { loop, flusher, feed };
}

/** Uses up what was saved, with one flush of so long that the feed has to pause after it. */
function exhaust(loop: SimulatedLoop, feed: StubFeed): void {
  const { wakeMs, wakes } = feed;
  feed.wakeMs = LONG_FLUSH_MS / MAX_WAKES_IN_A_ROW;
  feed.append(10);
  loop.turn();
  assert.ok(feed.wakes > wakes);
  feed.wakeMs = wakeMs;
}

Deno.test("Flusher flushes once for all that a turn brought, when the turn is over", () => {
  const { loop, feed } = setUp();
  const [few, more] = [feed(2), feed(3)];
  for (let i = 0; i < 10; i++) few.append(10);
  more.append(10);
  assert.equal(few.flushes, 0);
  loop.turn();
  assert.deepEqual([few.flushes, few.wakes, more.flushes, more.wakes], [1, 2, 1, 3]);
  few.append(10);
  loop.turn();
  assert.deepEqual([few.flushes, few.wakes, more.flushes], [2, 4, 1]);
  loop.run(100);
  assert.deepEqual([few.flushes, more.flushes], [2, 1]);
  assert.equal(loop.turnCount, 2, "no turn more");
});

Deno.test("Flusher wakes a part of many readers in each turn, over all feeds, and everybody once", () => {
  const { loop, feed } = setUp();
  const feeds = [60, 250, 30].map((readers) => feed(readers));
  const wakes = () => feeds.reduce((sum, feed) => sum + feed.wakes, 0);
  for (const feed of feeds) feed.append(10);
  for (let before = 0; wakes() < 340; before = wakes()) {
    loop.turn();
    assert.ok(wakes() > before && wakes() - before <= MAX_WAKES_A_TURN, `${wakes() - before} in one turn`);
  }
  loop.run(100);
  assert.deepEqual(feeds.map((feed) => [feed.flushes, feed.wakes]), [[1, 60], [1, 250], [1, 30]]);
});

Deno.test("Flusher goes on with who is left where readers leave during a flush", () => {
  const { loop, feed } = setUp();
  const readers = 2 * MAX_WAKES_A_TURN, crowd = feed(readers);
  crowd.append(10);
  loop.turn();
  crowd.leave(10);
  loop.run(100);
  crowd.append(10);
  loop.run(100);
  assert.deepEqual([crowd.flushes, crowd.wakes], [2, 2 * (readers - 10)]);
});

Deno.test("Flusher lets no small feed wait until a crowd has all", () => {
  const { loop, feed } = setUp();
  const [crowd, pair] = [feed(5000, 0.01), feed(2, 0.01)];
  crowd.append(10);
  loop.turn();
  pair.append(10);
  loop.turn();
  assert.equal(pair.wakes, 2);
  assert.ok(crowd.wakes < 5000 && pair.longestWait(0, Infinity) < 1);
  loop.run(1000);
  assert.deepEqual([crowd.wakes, crowd.flushes], [5000, 1]);
});

Deno.test("Flusher flushes who has news at the end of that turn while a crowd waits for the loop's next look, and the crowd not before", () => {
  const loop = new SimulatedLoop();
  const looks: (() => void)[] = [];
  const { clock, timers, service } = loop;
  const later = { ...loop.loop, call: (callback: () => void) => void looks.push(callback) };
  const flusher = new Flusher({ clock, timers, service, loop: later });
  const [crowd, pair, other] = [300, 2, 150].map((readers) => new StubFeed(loop, flusher, readers));
  crowd.append(10);
  loop.turn();
  pair.append(10);
  other.append(10);
  loop.turn();
  const wakes = () => [crowd.wakes, pair.wakes, other.wakes];
  assert.deepEqual([wakes(), looks.length], [[100, 2, MAX_WAKES_IN_A_ROW], 1]);
  loop.run(10);
  assert.deepEqual(wakes(), [100, 2, MAX_WAKES_IN_A_ROW]);
  while (looks.length > 0) looks.shift()!();
  assert.deepEqual([wakes(), crowd.flushes, other.flushes], [[300, 2, 150], 1, 1]);
});

Deno.test("Flusher lets a small feed not pay for an interruption of one of its flushes", () => {
  const { loop, feed } = setUp();
  const pair = feed(2, 0.05), crowd = feed(50, 0.2);
  loop.service.isBehind = true;
  crowd.appendEvery(1, 1000);
  pair.appendEvery(10, 1000);
  loop.run(500);
  let interruptedAt = Infinity;
  pair.onWake = () => {
    loop.spend(60); // the machine does something else meanwhile
    interruptedAt = loop.nowMs;
    pair.onWake = () => {};
  };
  loop.run(500);
  assert.ok(interruptedAt < 600);
  const after = pair.waits.filter(({ atMs, waitMs }) => atMs - waitMs > interruptedAt).map(({ waitMs }) =>
    waitMs
  );
  assert.ok(after.length > 20 && Math.max(...after) < 20, `${after}`); // as long as the crowd's flush
});

Deno.test("Flusher gives what many small feeds leave of their parts to those who need more", () => {
  const { loop, feed } = setUp();
  const pair = feed(2, 0.3), crowd = feed(50, 0.2);
  const small = Array.from({ length: 20 }, () => feed(1, 0.001));
  loop.service.isBehind = true;
  for (const each of [crowd, ...small]) each.appendEvery(1, 2000);
  pair.appendEvery(10, 2000);
  loop.run(2000);
  assert.ok(pair.share(1000, 2000) > 0.05, `${pair.share(1000, 2000)}`);
  assert.ok(pair.longestWait(1000, 2000) < 15, `${pair.longestWait(1000, 2000)}`); // as long as the crowd's flush
  const all = [pair, crowd, ...small].reduce((sum, each) => sum + each.share(1000, 2000), 0);
  assert.ok(all < BEHIND_SHARE + 0.05, `${all}`);
});

Deno.test("Flusher flushes again, once, when there is news during a flush", () => {
  const { loop, feed } = setUp();
  const crowd = feed(2.5 * MAX_WAKES_A_TURN);
  crowd.onWake = () => {
    if (crowd.wakes === 10 || crowd.wakes === 120) crowd.append(10);
  };
  crowd.append(10);
  loop.run(10);
  assert.deepEqual([crowd.flushes, crowd.wakes], [2, 5 * MAX_WAKES_A_TURN]);
});

Deno.test("Flusher lets what was said during an expensive flush wait like what is said after it", () => {
  const { loop, feed } = setUp();
  const expensive = feed(MAX_WAKES_IN_A_ROW, LONG_FLUSH_MS / MAX_WAKES_IN_A_ROW);
  expensive.onWake = () => expensive.append(10);
  expensive.append(10);
  loop.turn();
  assert.equal(expensive.flushes, 1);
  const endMs = loop.nowMs;
  loop.run(100);
  assert.equal(expensive.flushes, 2);
  const pauseMs = LONG_FLUSH_MS * (1 / FLUSH_SHARE - 1);
  assert.ok(expensive.costs[1].atMs > endMs + pauseMs, `after ${expensive.costs[1].atMs - endMs} ms`);
});

Deno.test("Flusher lets another feed not wait for one that pauses, however often it has news", () => {
  const { loop, feed } = setUp();
  const [expensive, cheap] = [feed(MAX_WAKES_IN_A_ROW), feed(10, 0.001)];
  exhaust(loop, expensive);
  expensive.append(10);
  for (let i = 0; i < 10; i++) {
    cheap.append(10);
    loop.turn();
    assert.equal(cheap.flushes, i + 1);
  }
  assert.equal(expensive.flushes, 1);
  loop.run(200);
  assert.equal(expensive.flushes, 2);
});

Deno.test("Flusher lets nothing wait that is said when the pause is over, and no large amount at all", () => {
  const { loop, feed } = setUp();
  const one = feed(MAX_WAKES_IN_A_ROW, 0.01);
  exhaust(loop, one);
  one.append(FULL_BYTES - 1);
  loop.run(0);
  assert.equal(one.flushes, 1);
  one.append(1);
  loop.turn();
  assert.equal(one.flushes, 2);
  loop.run(200);
  assert.equal(one.flushes, 2, "there is nothing to flush");
  assert.equal(loop.running, 0);
  one.append(10);
  loop.turn();
  assert.equal(one.flushes, 3);
});

Deno.test("Flusher flushes news that may wait at the end of the turn where that takes next to nothing", () => {
  const { loop, feed } = setUp();
  const pair = feed(2, 0.01);
  for (let i = 1; i <= 50; i++) {
    pair.appendPatient();
    loop.run(1);
    assert.equal(pair.flushes, i);
  }
  assert.ok(pair.longestWait(0, Infinity) < 0.1);
});

Deno.test("Flusher gathers news that may wait where flushes take long, and lets none wait for ever", () => {
  for (const readers of [10, 100, 1000, 20_000]) {
    const { loop, feed } = setUp();
    const crowd = feed(readers, 0.01);
    const oneMs = readers * 0.01;
    while (loop.nowMs < 4000) {
      crowd.appendPatient();
      loop.run(0.3);
    }
    const share = crowd.share(oneMs, 4000);
    const leastMs = Math.min(oneMs / PATIENT_SHARE, MAX_PATIENCE_MS + oneMs);
    const said = `${readers}: share ${share}, waits ${crowd.longestWait(0, 4000)}`;
    assert.ok(share < Math.max(1.3 * PATIENT_SHARE, 1.1 * oneMs / leastMs), said);
    assert.ok(crowd.flushes > 0.6 * 4000 / leastMs, said);
    assert.ok(crowd.longestWait(0, 4000) < leastMs + oneMs + 2, said);
    crowd.appendPatient();
    loop.run(1000);
    assert.deepEqual([crowd.pendingBytes, loop.running], [0, 0]);
  }
});

Deno.test("Flusher lets no other news wait for news that may, and takes it along", () => {
  const { loop, feed } = setUp();
  const crowd = feed(100, 0.05);
  crowd.appendPatient();
  loop.run(10);
  assert.equal(crowd.flushes, 1);
  crowd.appendPatient();
  loop.run(1);
  assert.deepEqual([crowd.flushes, crowd.pendingBytes], [1, 50]);
  crowd.append(10);
  loop.turn();
  assert.deepEqual([crowd.flushes, crowd.pendingBytes], [2, 0]);
  loop.run(1000);
  assert.deepEqual([crowd.flushes, loop.running], [2, 0]);
});

Deno.test("Flusher flushes news again that may wait and came during a flush, but later", () => {
  const { loop, feed } = setUp();
  const crowd = feed(3 * MAX_WAKES_A_TURN, 0.01);
  crowd.onWake = () => {
    if (crowd.wakes === 10) crowd.appendPatient();
  };
  crowd.append(10);
  loop.run(20);
  assert.deepEqual([crowd.flushes, crowd.pendingBytes], [1, 50]);
  loop.run(100);
  assert.deepEqual([crowd.flushes, crowd.pendingBytes], [2, 0]);
});

Deno.test("Flusher flushes nothing after close, not even the rest, and keeps no timer", () => {
  const { loop, flusher, feed } = setUp();
  const [due, expensive] = [feed(2 * MAX_WAKES_A_TURN), feed(MAX_WAKES_IN_A_ROW)];
  exhaust(loop, expensive);
  expensive.append(10);
  due.append(10);
  loop.turn();
  assert.equal(loop.running, 1);
  flusher.close();
  due.append(10);
  expensive.append(10);
  loop.run(1000);
  assert.deepEqual([due.flushes, due.wakes, expensive.flushes], [1, MAX_WAKES_A_TURN, 1]);
  assert.equal(loop.running, 0);
});

Deno.test("Flusher puts nothing off while flushes take less than their share, whatever a flush costs", () => {
  // By what a flush to all takes and how often there is news; the last is a burst of all members at once.
  const loads = [[30, 0.3, 3.3], [100, 0.6, 1], [300, 2, 3.5], [5000, 30, 50]];
  for (const [readers, flushMs, periodMs] of loads) {
    const { loop, feed } = setUp(TIMERS_LATE_MS);
    const one = feed(readers, flushMs / readers);
    one.appendEvery(periodMs, 3000);
    loop.run(3000);
    assert.ok(one.share(0, 3000) > 0.8 * flushMs / periodMs);
    assert.equal(loop.running, 0, `${readers} readers: something waits`);
    assert.ok(one.longestWait(0, 3000) < 0.001, `${readers} readers: ${one.longestWait(0, 3000)} ms`);
  }
});

Deno.test("Flusher takes its share of the core and no more, beyond what it may, and waits no longer than that needs", () => {
  fc.assert(fc.property(
    fc.record({
      readers: fc.integer({ min: 1, max: 1000 }),
      wakeUs: fc.integer({ min: 3, max: 60 }),
      overload: fc.double({ min: 1.1, max: 20, noNaN: true }),
      timersLateMs: fc.constantFrom(0, TIMERS_LATE_MS),
    }),
    ({ readers, wakeUs, overload, timersLateMs }) => {
      const { loop, feed } = setUp(timersLateMs);
      const one = feed(readers, wakeUs / 1000);
      const flushMs = readers * wakeUs / 1000;
      // One event a flush would take `overload` times what may be taken; more than 16 KiB a flush never wait,
      // so they are small.
      const periodMs = Math.max(flushMs / FLUSH_SHARE / overload, 0.02);
      one.appendEvery(periodMs, 3000, 1);
      loop.run(3000);
      const share = one.share(SETTLED_MS, 3000);
      const offered = Math.min(FLUSH_SHARE, flushMs / periodMs);
      // A flush counts for when it began, so the ends of the time looked at may be off by one.
      const edge = flushMs / (3000 - SETTLED_MS);
      assert.ok(share < offered + 0.03 + edge, `share ${share} of ${offered}`);
      assert.ok(share > offered - 0.07 - edge, `share ${share} of ${offered}`);
      const pauseMs = Math.max(flushMs * (1 / FLUSH_SHARE - 1), 5) + timersLateMs;
      const waitMs = one.longestWait(SETTLED_MS, 3000);
      assert.ok(waitMs < flushMs + pauseMs + 1, `waits ${waitMs} ms, a flush takes ${flushMs}`);
    },
  ));
});

Deno.test("Flusher takes less while clients wait to be served, and its share again when they don't", () => {
  const { loop, feed } = setUp(TIMERS_LATE_MS);
  const [crowd, pair] = [feed(300, 0.006), feed(2, 0.006)];
  crowd.appendEvery(0.7, 9000, 1);
  pair.appendEvery(10, 9000);
  loop.at(3000, () => loop.service.isBehind = true);
  loop.at(6000, () => loop.service.isBehind = false);
  loop.run(9000);
  for (const [fromMs, share] of [[0, FLUSH_SHARE], [3000, BEHIND_SHARE], [6000, FLUSH_SHARE]]) {
    const settled = crowd.share(fromMs + SETTLED_MS, fromMs + 3000);
    assert.ok(Math.abs(settled - share) < 0.04, `from ${fromMs} ms: ${settled} of ${share}`);
  }
  assert.ok(pair.longestWait(0, 9000) < 1, "who takes little waits for nobody");
});

Deno.test("Flusher keeps many feeds together to its share, and gives each as much", () => {
  for (
    const [count, isBehind] of [[2, false], [5, false], [20, false], [2, true], [5, true], [
      20,
      true,
    ]] as const
  ) {
    const { loop, feed } = setUp(TIMERS_LATE_MS);
    loop.service.isBehind = isBehind;
    const feeds = Array.from({ length: count }, () => feed(50, 0.006));
    for (const each of feeds) each.appendEvery(0.3, 3000, 1);
    loop.run(3000);
    const shares = feeds.map((each) => each.share(SETTLED_MS, 3000));
    const sum = shares.reduce((a, b) => a + b), share = isBehind ? BEHIND_SHARE : FLUSH_SHARE;
    assert.ok(sum > share - 0.06 && sum < share + 0.1, `${count} feeds: ${sum} of ${share}`);
    assert.ok(Math.max(...shares) < 1.5 * Math.min(...shares), `${count} feeds: ${shares}`);
  }
});

Deno.test("Flusher doesn't let who takes little wait for who takes all there is", () => {
  const { loop, feed } = setUp(TIMERS_LATE_MS);
  const [greedy, modest] = [feed(100, 0.006), feed(10, 0.006)];
  greedy.appendEvery(0.2, 3000, 1);
  modest.appendEvery(10, 3000);
  loop.run(3000);
  assert.ok(greedy.share(SETTLED_MS, 3000) > 0.55, "what is left is for the greedy one");
  // It is never put off; it waits for wakes that are under way.
  assert.ok(modest.longestWait(0, 3000) < 100 * 0.006 + 0.1, `${modest.longestWait(0, 3000)} ms`);
});

Deno.test("Flusher settles within a second of a step in the load, up or down, and then stays", () => {
  const { loop, feed } = setUp(TIMERS_LATE_MS);
  const crowd = feed(300, 0.006);
  // By how many events a second there are: a third of what may be taken, five times as much, and back.
  const steps = [120, 1800, 120, 5000, 120].map((rate, index) => ({ rate, fromMs: index * 3000 }));
  for (const { rate, fromMs } of steps) {
    loop.at(fromMs, () => crowd.appendEvery(1000 / rate, fromMs + 3000, 1));
  }
  loop.run(15_000);
  for (const { rate, fromMs } of steps) {
    const settledMs = fromMs + SETTLED_MS;
    const offered = Math.min(FLUSH_SHARE, rate * 300 * 0.006 / 1000);
    const tenths = Array.from({ length: 10 }, (_, i) => settledMs + i * 200);
    for (const atMs of tenths) {
      const share = crowd.share(atMs, atMs + 200);
      assert.ok(Math.abs(share - offered) < 0.05, `${rate}/s at ${atMs} ms: ${share} of ${offered}`);
    }
    const waitMs = crowd.longestWait(settledMs, fromMs + 3000);
    if (offered < FLUSH_SHARE) assert.ok(waitMs < 0.001, `${rate}/s: ${waitMs} ms`);
    else assert.ok(waitMs > 1 && waitMs < 10, `${rate}/s: ${waitMs} ms`);
  }
});

Deno.test("Flusher forgets what a hiccup of the machine took", () => {
  const { loop, feed } = setUp();
  const one = feed(30, 0.006);
  one.append(10);
  one.onWake = () => {
    if (one.wakes === 1) loop.spend(60_000);
  };
  loop.turn();
  loop.turn();
  const endMs = loop.nowMs;
  one.append(10);
  loop.run(1000);
  assert.equal(one.flushes, 2);
  assert.ok(one.costs[1].atMs - endMs <= 100, `${one.costs[1].atMs - endMs} ms`);
});
