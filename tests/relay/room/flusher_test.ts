// Holds Flusher against its contract with stub feeds, whose readers take as long as a test wants: who is woken in which turn, and when
// a flush is put off.

import assert from "node:assert/strict";
import type { Reader } from "../../../src/relay/room/feed.ts";
import { type Flushable, Flusher, FULL_BYTES, MAX_WAKES_A_TURN } from "../../../src/relay/room/flusher.ts";

/** How much later than it is the clock says: what stub readers have pretended to take. */
let spentMs = 0;

class StubChannel implements Flushable {
  pendingBytes = 0;
  flushes = 0;
  wakes = 0;
  onWake = () => {};
  readonly #flusher: Flusher;
  readonly #readers: Iterable<Reader>;

  /** @param wakeMs how long each reader takes */
  constructor(flusher: Flusher, readers: number, wakeMs = 0) {
    const wake = () => {
      spentMs += wakeMs;
      this.wakes++;
      this.onWake();
    };
    this.#flusher = flusher;
    this.#readers = Array.from({ length: readers }, () => ({ wake }) as unknown as Reader);
  }

  append(bytes: number): void {
    this.pendingBytes += bytes;
    this.#flusher.note(this);
  }

  startFlush(): Iterable<Reader> {
    this.pendingBytes = 0;
    this.flushes++;
    return this.#readers;
  }
}

/** A pause so long that no hiccup of the machine outlasts it, and how long readers take for whom it is that long. */
const LONG_PAUSE_MS = 300;
const DEAR_MS = 10;

function makeFlusher(): Flusher & Disposable {
  const flusher = new Flusher(() => performance.now() + spentMs, LONG_PAUSE_MS);
  return Object.assign(flusher, { [Symbol.dispose]: () => flusher.close() });
}

/** Waits until the turn is over, and what it had put off to its end is done. */
function turnEnds(): Promise<void> {
  return new Promise((done) => setTimeout(done));
}

/** Waits for turn after turn until `isSo()`, and says how many it took. */
async function turnsUntil(isSo: () => boolean): Promise<number> {
  const deadline = performance.now() + 5000;
  let turns = 0;
  for (; !isSo(); turns++) {
    assert.ok(performance.now() < deadline, "it takes forever");
    await new Promise((done) => setImmediate(done));
  }
  return turns;
}

Deno.test("Flusher flushes once for all that a turn brought, when the turn is over", async () => {
  using flusher = makeFlusher();
  const [few, more] = [new StubChannel(flusher, 2), new StubChannel(flusher, 3)];
  for (let i = 0; i < 10; i++) few.append(10);
  more.append(10);
  assert.equal(few.flushes, 0);
  await turnsUntil(() => few.flushes > 0);
  assert.deepEqual([few.flushes, few.wakes, more.flushes, more.wakes], [1, 2, 1, 3]);
  few.append(10);
  await turnsUntil(() => few.flushes > 1);
  assert.deepEqual([few.flushes, few.wakes, more.flushes], [2, 4, 1]);
});

Deno.test("Flusher wakes a part of many readers in each turn, over all feeds, and everybody once", async () => {
  using flusher = makeFlusher();
  const feeds = [60, 250, 30].map((readers) => new StubChannel(flusher, readers));
  const wakes = () => feeds.reduce((sum, feed) => sum + feed.wakes, 0);
  for (const feed of feeds) feed.append(10);
  for (let before = 0; wakes() < 340; before = wakes()) {
    await turnsUntil(() => wakes() > before);
    assert.ok(wakes() - before <= MAX_WAKES_A_TURN, `${wakes() - before} in one turn`);
  }
  for (let i = 0; i < 5; i++) await turnEnds();
  assert.deepEqual(feeds.map((feed) => [feed.flushes, feed.wakes]), [[1, 60], [1, 250], [1, 30]]);
});

Deno.test("Flusher flushes again when there is news during a flush", async () => {
  using flusher = makeFlusher();
  const feed = new StubChannel(flusher, 2.5 * MAX_WAKES_A_TURN);
  feed.onWake = () => {
    if (feed.wakes === 10) feed.append(10);
  };
  feed.append(10);
  await turnsUntil(() => feed.flushes === 2);
  await turnsUntil(() => feed.wakes === 5 * MAX_WAKES_A_TURN);
});

Deno.test("Flusher lets what is said after a dear flush wait, and then flushes it", async () => {
  using flusher = makeFlusher();
  const [dear, cheap] = [new StubChannel(flusher, 10, DEAR_MS), new StubChannel(flusher, 10, 0.01)];
  dear.append(10);
  await turnsUntil(() => dear.flushes === 1);
  const startMs = performance.now();
  dear.append(10);
  cheap.append(10);
  await turnsUntil(() => cheap.flushes === 1);
  assert.equal(dear.flushes, 1, "another feed doesn't wait");
  cheap.append(10);
  await turnsUntil(() => cheap.flushes === 2);
  await turnsUntil(() => dear.flushes === 2);
  const pausedMs = performance.now() - startMs;
  assert.ok(pausedMs > 0.8 * LONG_PAUSE_MS, `after ${pausedMs} ms`);
});

Deno.test("Flusher lets nothing wait that is said when the pause is over, and no large amount at all", async () => {
  using flusher = makeFlusher();
  const feed = new StubChannel(flusher, 10, DEAR_MS);
  feed.append(10);
  await turnsUntil(() => feed.flushes === 1);
  feed.append(FULL_BYTES - 1);
  await turnEnds();
  assert.equal(feed.flushes, 1);
  feed.append(1);
  await turnsUntil(() => feed.flushes === 2);
  await new Promise((done) => setTimeout(done, 1.5 * LONG_PAUSE_MS));
  assert.equal(feed.flushes, 2, "there is nothing to flush");
  feed.append(10);
  assert.equal(await turnsUntil(() => feed.flushes === 3), 1);
});

Deno.test("Flusher flushes nothing after close, not even the rest", async () => {
  const flusher = makeFlusher();
  const [due, dear] = [new StubChannel(flusher, 2 * MAX_WAKES_A_TURN), new StubChannel(flusher, 10, DEAR_MS)];
  dear.append(10);
  await turnsUntil(() => dear.flushes === 1);
  dear.append(10);
  due.append(10);
  await turnsUntil(() => due.wakes > 0);
  flusher.close();
  due.append(10);
  await new Promise((done) => setTimeout(done, 1.5 * LONG_PAUSE_MS));
  assert.deepEqual([due.flushes, due.wakes, dear.flushes], [1, MAX_WAKES_A_TURN, 1]);
});
