// Tests src/client/session/stream_age.ts on a clock that is moved by hand. The relay's time is local time
// plus an hour; the way there and back takes 20 ms.

import assert from "node:assert/strict";
import { StreamAge } from "../../../src/client/session/stream_age.ts";

const AHEAD_MS = 3_600_000;
const MAX_LAG_MS = 500;

class Bench {
  nowMs = 1000;
  readonly age = new StreamAge(() => this.nowMs);

  constructor() {
    this.age.begin(this.nowMs - 20, this.nowMs, this.nowMs - 10 + AHEAD_MS, MAX_LAG_MS);
  }

  /** Receives a mark of so many ms ago. */
  mark(ageMs: number): void {
    this.age.mark(this.nowMs + AHEAD_MS - ageMs);
  }

  /** Receives the answer to a ping sent 20 ms ago, by a relay whose clock has moved since. */
  pong(movedMs = 0, isMeasure = true): void {
    this.age.notePong(this.nowMs - 20, this.nowMs, this.nowMs - 10 + AHEAD_MS + movedMs, isMeasure);
  }
}

Deno.test("StreamAge says too old beyond maxLagMs, the way there and back, and what the clock may be wrong by", () => {
  const bench = new Bench(), { age } = bench;
  age.check();
  assert.equal(age.isStale, false, "nothing is known before the first mark");
  bench.mark(MAX_LAG_MS + 20);
  assert.deepEqual([age.isStale, Math.round(age.lagMs)], [false, 520]);
  bench.nowMs += 100;
  assert.equal(age.isStale, false, "until it looks");
  age.check();
  assert.equal(age.isStale, true);
  bench.mark(100);
  assert.equal(age.isStale, false);
});

Deno.test("StreamAge counts what is dropped, in bytes with the LF, and tells it once", () => {
  const { age } = new Bench();
  assert.equal(age.takeStale(), undefined);
  age.drop("1");
  age.drop('"ä"');
  assert.deepEqual(age.takeStale(), { lines: 2, bytes: 2 + 5 });
  assert.equal(age.takeStale(), undefined);
});

Deno.test("StreamAge never says too old of what a break held back, until a mark from after the break", () => {
  const bench = new Bench(), { age } = bench;
  bench.nowMs += 10_000;
  age.repair(bench.nowMs + AHEAD_MS);
  bench.mark(9000);
  assert.deepEqual([age.isStale, age.isRepairing], [false, true]);
  bench.nowMs += 10;
  bench.mark(1);
  assert.deepEqual([age.isStale, age.isRepairing], [false, false]);
  bench.mark(9000);
  assert.equal(age.isStale, true);
  age.reset();
  assert.equal(age.isStale, false);
});

Deno.test("StreamAge doubts its clock with the third answer under which all was too old, but not by the relay's word", () => {
  for (const wasToldLate of [false, true]) {
    const bench = new Bench(), { age } = bench;
    bench.nowMs += 5000;
    // The relay's clock was set back by 2 s, which answers that took 4 s can't show: they allow for it.
    const relayMs = () => bench.nowMs + AHEAD_MS - 2000;
    const bounds = [];
    for (let n = 0; n < 3; n++) {
      age.mark(relayMs() - 400);
      assert.equal(age.isStale, true);
      age.notePong(bench.nowMs - 4000, bench.nowMs, relayMs() + (wasToldLate ? 600 : 0), false);
      bounds.push(age.clock.errorBoundMs(bench.nowMs) > 1000);
    }
    assert.deepEqual(bounds, wasToldLate ? [false, false, false] : [false, false, true]);
  }
});

Deno.test("StreamAge measures nothing by an answer to a ping of an earlier connection, or of the future", () => {
  const bench = new Bench(), { age } = bench;
  const before = age.clock.rttMs;
  age.notePong(1, bench.nowMs, 5 + AHEAD_MS, true);
  age.notePong(bench.nowMs + 1, bench.nowMs, bench.nowMs + AHEAD_MS, true);
  assert.deepEqual([age.clock.rttMs, age.lagMs], [before, 0]);
  bench.nowMs += 100;
  bench.pong();
  assert.ok(age.lagMs > 0);
});

Deno.test("StreamAge.measure tells nothing before there is something, and then tenths of ms", () => {
  assert.deepEqual(new StreamAge(() => 0).measure(), {});
  const bench = new Bench();
  bench.mark(33.333);
  assert.deepEqual(bench.age.measure(), { rtt: 20, lag: 33.3 });
});
