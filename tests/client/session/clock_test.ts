// Holds RelayClock against numbers worked by hand, and against a simulated network of which everything is
// known: ways of different length, jitter, spikes, clocks that drift. Time is simulated too, so nothing here
// waits.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import {
  CLOCK_SAMPLES,
  FAR_MS,
  MAX_DRIFT,
  MAX_SLEW_MS,
  RelayClock,
  SLEW_RATE,
} from "../../../src/client/session/clock.ts";
import { seededRandom } from "../../../src/simulation/random.ts";

/** What the relay's clock shows when the local one shows 0, in the tests with worked numbers. */
const AHEAD_MS = 1_700_000_000_000;

/** Doubles near `AHEAD_MS` are 0.00024 ms apart, and a few of them are added. */
const ROUNDING_MS = 0.002;

function assertNear(actual: number, expected: number, what: string, toleranceMs = ROUNDING_MS): void {
  assert.ok(Math.abs(actual - expected) <= toleranceMs, `${what}: ${actual} is not ${expected}`);
}

/** Adds a sample sent at a local time, with both ways given; the relay's clock is `aheadMs` ahead. */
function exchange(
  clock: RelayClock,
  sentAtMs: number,
  outMs: number,
  backMs: number,
  aheadMs = AHEAD_MS,
): void {
  const receivedAtMs = sentAtMs + outMs + backMs;
  clock.addSample({ sentAtMs, receivedAtMs, relayTimeMs: sentAtMs + outMs + aheadMs });
}

/** Makes a clock past its first corrections: 8 samples a second apart, from 0 on, both ways 20 ms. */
function settledClock(): RelayClock {
  const clock = new RelayClock();
  for (let i = 0; i < CLOCK_SAMPLES; i++) exchange(clock, i * 1000, 20, 20);
  return clock;
}

Deno.test("RelayClock knows nothing before the first sample and is set by it at once", () => {
  const clock = new RelayClock();
  assert.ok(Number.isNaN(clock.now(5)) && Number.isNaN(clock.errorBoundMs(5)));
  assert.ok(Number.isNaN(clock.rttMs) && Number.isNaN(clock.bestRttMs) && Number.isNaN(clock.offsetMs));
  assert.deepEqual([clock.jitterMs, clock.sampleCount, clock.epoch], [0, 0, 0]);

  clock.addSample({ sentAtMs: 1000, receivedAtMs: 1040, relayTimeMs: 5_000_010.5 });
  assert.equal(clock.offsetMs, 5_000_010.5 - 1020);
  assertNear(clock.errorBoundMs(1040), 20 + 0.004, "bound", 1e-6);
  assert.equal(clock.now(1040), 5_000_030.5);
  assert.equal(clock.now(1140.25), 5_000_130.75);
  assertNear(clock.errorBoundMs(11_000), 20 + 1, "bound after 10 s: 1 ms more", 1e-6);
  assert.deepEqual([clock.rttMs, clock.bestRttMs, clock.sampleCount], [40, 40, 1]);
});

Deno.test("RelayClock goes by the shortest round trip of the last 8 samples", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 30, 10); // wrong by (30 - 10) / 2, the shortest
  for (let i = 1; i < 8; i++) {
    exchange(clock, i * 1000, 15, 45);
    assert.equal(clock.bestRttMs, 40);
    assertNear(clock.offsetMs, AHEAD_MS + 10, `offset after sample ${i + 1}`);
  }
  exchange(clock, 8000, 15, 45); // the first one is no longer among the last 8
  assert.equal(clock.bestRttMs, 60);
  assertNear(clock.offsetMs, AHEAD_MS - 15, "offset after sample 9");
  assert.equal(clock.sampleCount, 9);
});

Deno.test("RelayClock takes the newer of two equally good samples, and not an old one that is better by a hair", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 2, 2);
  exchange(clock, 5000, 1, 3);
  assertNear(clock.offsetMs, AHEAD_MS - 1, "offset");
  exchange(clock, 10_000, 3, 1.9); // 0.9 ms longer, but 5 s of drift are worth 1 ms of round trip
  assertNear(clock.offsetMs, AHEAD_MS + 0.55, "offset");
  exchange(clock, 15_000, 3, 3); // 1.1 ms longer
  assertNear(clock.offsetMs, AHEAD_MS + 0.55, "offset");
});

Deno.test("RelayClock.rttMs is smoothed with 1/8, jitterMs with 1/16 over the way back", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 80, 20);
  assert.deepEqual([clock.rttMs, clock.jitterMs], [100, 0]);
  exchange(clock, 1000, 24, 36); // round trip 60: 100 - 40/8; way back 16 longer: 16/16
  assert.equal(clock.rttMs, 95);
  assertNear(clock.jitterMs, 1, "jitter");
  exchange(clock, 2000, 120, 20); // round trip 140: 95 + 45/8; way back 16 shorter: 1 + 15/16
  assert.equal(clock.rttMs, 100.625);
  assertNear(clock.jitterMs, 1.9375, "jitter");
  exchange(clock, 3000, 5, 20); // the way out alone changes: no jitter, 1.9375 - 1.9375/16
  assertNear(clock.jitterMs, 1.81640625, "jitter");
});

Deno.test("RelayClock slews a settled clock by 5 ms a second, both ways, and no further than the new offset", () => {
  for (const sign of [1, -1]) {
    const clock = settledClock();
    const [outMs, backMs] = sign > 0 ? [18, 2] : [2, 18]; // 20 instead of 40, offset 8 ms off
    exchange(clock, 9980, outMs, backMs);
    assertNear(clock.offsetMs, AHEAD_MS + sign * 8, "offset");
    for (const [afterMs, corrected] of [[0, 0], [400, 2], [800, 4], [1600, 8], [5000, 8]]) {
      assertNear(
        clock.now(10_000 + afterMs),
        AHEAD_MS + 10_000 + afterMs + sign * corrected,
        `now after ${afterMs} ms`,
      );
    }
  }
});

Deno.test("RelayClock is corrected at once by the eighth sample, slewed by the ninth", () => {
  for (const [earlier, doneMs] of [[7, 8], [8, 0]]) {
    const clock = new RelayClock();
    for (let i = 0; i < earlier; i++) exchange(clock, i * 1000, 20, 20);
    exchange(clock, 9980, 18, 2);
    assertNear(clock.now(10_000), AHEAD_MS + 10_000 + doneMs, `now after sample ${earlier + 1}`);
  }
});

Deno.test("RelayClock does not correct what was before the sample", () => {
  const clock = settledClock();
  exchange(clock, 9980, 18, 2);
  assertNear(clock.now(9000), AHEAD_MS + 9000, "now for a local time before the answer");
});

Deno.test("RelayClock.errorBoundMs counts what is still to be corrected", () => {
  const clock = settledClock();
  exchange(clock, 9980, 18, 2);
  const agedMs = 10 + MAX_DRIFT * 420;
  assertNear(clock.errorBoundMs(10_400), agedMs + 6, "bound after 0.4 s of 1.6 s"); // 2 of 8 ms are done
});

Deno.test("RelayClock steps forward over a first answer that came 300 ms late", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 1, 301);
  assertNear(clock.now(302), AHEAD_MS + 302 - 150, "now after the first sample: 150 ms behind");
  exchange(clock, 1000, 1, 1);
  assertNear(clock.now(1002), AHEAD_MS + 1002, "now after the second sample");
});

Deno.test("RelayClock stands still where a first question came 300 ms late and later times have been told", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 301, 1);
  const told = clock.now(1002);
  assertNear(told, AHEAD_MS + 1002 + 150, "now after the first sample: 150 ms ahead");
  exchange(clock, 1000, 1, 1);
  assertNear(clock.errorBoundMs(1002), 150 + 1, "bound while it stands still");
  for (const atMs of [1002, 1050, 1151]) assert.equal(clock.now(atMs), told);
  assertNear(clock.now(1153), AHEAD_MS + 1153, "now once the relay's clock has caught up");

  const unheard = new RelayClock();
  exchange(unheard, 0, 301, 1);
  exchange(unheard, 1000, 1, 1);
  assertNear(unheard.now(1002), AHEAD_MS + 1002, "now where no later time has been told");
});

Deno.test("RelayClock.now does not go back for an earlier local time", () => {
  const clock = settledClock();
  const told = clock.now(8000);
  assert.equal(clock.now(7990), told);
  assert.equal(clock.now(8000), told);
});

Deno.test("RelayClock forgets samples that a new one contradicts, steps over what is proved wrong, and slews the rest", () => {
  const clock = settledClock();
  const told = clock.now(8000);
  const jitterMs = clock.jitterMs;
  exchange(clock, 8000, 30, 30, AHEAD_MS - 100); // the relay's clock was set back by 100 ms
  assertNear(clock.offsetMs, AHEAD_MS - 100, "offset, although the round trip is longer");
  assert.equal(clock.jitterMs, jitterMs);
  assert.equal(clock.epoch, 0);
  assert.equal(clock.now(8000), told, "it stands still rather than go back");
  assertNear(clock.now(8100), AHEAD_MS + 8100 - 70.2, "the sample allows 30 ms on either side", 0.3);
  assertNear(clock.now(8060 + 6_000), AHEAD_MS + 14_060 - 100, "now 30 ms / 5 ms/s later", 0.1);
});

Deno.test("RelayClock slews what lies up to 20 ms outside of what the samples allow", () => {
  const clock = settledClock();
  const told = clock.now(8040);
  exchange(clock, 8040, 1, 1, AHEAD_MS + MAX_SLEW_MS); // compatible: the earlier ones are good to 20 ms
  assertNear(clock.now(8042), told + 2, "at first", 0.02);
  assertNear(clock.now(8042 + 5000), AHEAD_MS + 13_042 + 20, "20 ms / 5 ms/s later");
});

Deno.test("RelayClock is right at once after the relay's host slept and answers all pings of that time together", () => {
  for (const sleptMs of [500, 1000, 10_000, 100_000]) {
    const clock = new RelayClock();
    const relayAt = (ms: number) => AHEAD_MS + (ms < 20_000 ? ms : Math.max(20_000, ms - sleptMs));
    for (let ms = 1000; ms < 20_000; ms += 1000) {
      clock.addSample({ sentAtMs: ms, receivedAtMs: ms + 1, relayTimeMs: relayAt(ms) });
      clock.now(ms + 1);
    }
    const wokeMs = 20_000 + sleptMs;
    for (let ms = 20_100; ms < Math.min(wokeMs, 35_000); ms += 1000) {
      clock.addSample({ sentAtMs: ms, receivedAtMs: wokeMs, relayTimeMs: relayAt(wokeMs) });
      const wrongMs = Math.abs(clock.now(wokeMs) - relayAt(wokeMs));
      assert.ok(wrongMs <= clock.errorBoundMs(wokeMs) + ROUNDING_MS + 2, `${wrongMs} ms`);
    }
    clock.addSample({
      sentAtMs: wokeMs + 100,
      receivedAtMs: wokeMs + 101,
      relayTimeMs: relayAt(wokeMs + 100),
    });
    const atMs = wokeMs + 101 + 1100; // it may have stood still for a while
    assertNear(clock.now(atMs), relayAt(atMs), `${sleptMs} ms asleep`, MAX_SLEW_MS + 1);
  }
});

Deno.test("RelayClock.doubt lets the next sample alone decide, and shows the same time until then", () => {
  const clock = settledClock();
  const shown = clock.now(8040);
  clock.doubt();
  assert.deepEqual([clock.now(8040), clock.errorBoundMs(8040)], [shown, Infinity]);
  exchange(clock, 8040, 50, 50, AHEAD_MS - 60); // earlier ones allow 20 ms on either side
  assert.equal(clock.bestRttMs, 100);
  assertNear(clock.errorBoundMs(8140), 50 + 60, "bound", 0.1);
  new RelayClock().doubt();
});

Deno.test("RelayClock keeps its samples where a late answer alone is out of line", () => {
  const clock = settledClock();
  exchange(clock, 8000, 5000, 5);
  assertNear(clock.offsetMs, AHEAD_MS, "offset");
  assert.deepEqual([clock.sampleCount, clock.bestRttMs, clock.epoch], [9, 40, 0]);
});

Deno.test("RelayClock keeps its samples where clocks are read in whole milliseconds", () => {
  const clock = new RelayClock();
  exchange(clock, 0, 0, 0);
  exchange(clock, 1000, 1, 0, AHEAD_MS + 1.5); // 2 ms apart, 0.6 would be possible with exact clocks
  assert.equal(clock.bestRttMs, 0);
  exchange(clock, 2000, 1, 0, AHEAD_MS + 4);
  assert.equal(clock.bestRttMs, 1);
});

Deno.test("RelayClock begins anew on a clock that is far away, forward and back", () => {
  for (const jumpMs of [3_600_000, -3_600_000, FAR_MS + 50, -FAR_MS - 50]) {
    const clock = settledClock();
    const told = clock.now(8000);
    exchange(clock, 8000, 20, 20, AHEAD_MS + jumpMs);
    assert.deepEqual([clock.epoch, clock.sampleCount, clock.rttMs, clock.jitterMs], [1, 1, 40, 0]);
    assertNear(clock.now(8040), AHEAD_MS + 8040 + jumpMs, "now");
    assert.equal(clock.now(8040) > told, jumpMs > 0);
    exchange(clock, 9000, 21, 19, AHEAD_MS + jumpMs); // at home in the new epoch
    assert.deepEqual([clock.epoch, clock.sampleCount], [1, 2]);
  }
});

Deno.test("RelayClock.reset forgets everything, also the latest time told", () => {
  const clock = settledClock();
  clock.now(1e9);
  clock.reset();
  assert.ok(Number.isNaN(clock.now(1e9)) && Number.isNaN(clock.rttMs));
  assert.deepEqual([clock.epoch, clock.sampleCount, clock.jitterMs], [1, 0, 0]);
  exchange(clock, 0, 50, 50, 500); // worse than those before, which are another relay's
  assert.deepEqual([clock.now(100), clock.bestRttMs], [600, 100]);
});

Deno.test("RelayClock.addSample refuses times that are none, and leaves the clock as it was", () => {
  const clock = settledClock();
  const good = { sentAtMs: 9000, receivedAtMs: 9010, relayTimeMs: 1 };
  for (const name of ["sentAtMs", "receivedAtMs", "relayTimeMs"]) {
    for (const value of [NaN, Infinity, -Infinity, "1" as unknown as number]) {
      assert.throws(() => clock.addSample({ ...good, [name]: value }), {
        name: "TypeError",
        message: `Cannot add clock sample: ${name} is ${value}, finite numbers are allowed`,
      });
    }
  }
  assert.throws(() => clock.addSample({ ...good, receivedAtMs: 8999 }), {
    name: "RangeError",
    message: "Cannot add clock sample: receivedAtMs is 8999, sentAtMs (9000) or later is allowed",
  });
  assert.deepEqual([clock.sampleCount, clock.epoch, clock.bestRttMs], [8, 0, 40]);
});

// The simulated network. True time is the relay's; it begins at 0 and is AHEAD_MS on the relay's clock.

/** One client's way to the relay, and its clock. Delays in ms. */
interface Way {
  outMs: number;
  backMs: number;
  /** Added to each way, evenly from 0 to this. */
  jitterMs: number;
  /** How often a way takes up to `spikeMs` longer. */
  spikeChance: number;
  spikeMs: number;
  /** How much faster the relay's clock runs than the client's, in ppm. */
  driftPpm: number;
  /** Pings are so far apart, evenly from the first to the second. */
  pingMs: [number, number];
  seed: number;
}

/** What a client sees in one frame; `outMs` and `backMs` are those of the chosen sample. */
interface Frame {
  trueMs: number;
  localMs: number;
  nowMs: number;
  boundMs: number;
  clock: RelayClock;
  outMs: number;
  backMs: number;
  /** How old it is. */
  ageMs: number;
}

const FRAME_MS = 37;

/**
 * Plays a client and yields its frames, at the same true times for every client, from its first sample on.
 */
function* play(way: Way, durationMs: number): Generator<Frame> {
  const random = seededRandom(way.seed);
  const delay = (ms: number) =>
    ms + random() * way.jitterMs + (random() < way.spikeChance ? random() * way.spikeMs : 0);
  const localAt = (trueMs: number) => 12_345 + trueMs / (1 + way.driftPpm * 1e-6);

  const clock = new RelayClock();
  const exchanges: { sample: Parameters<RelayClock["addSample"]>[0]; outMs: number; backMs: number }[] = [];
  const arrivals: number[] = [];
  for (let sentMs = 0, answeredMs = 0, arrivedMs = 0; sentMs < durationMs;) {
    answeredMs = Math.max(answeredMs, sentMs + delay(way.outMs)); // nothing overtakes on a connection
    arrivedMs = Math.max(arrivedMs, answeredMs + delay(way.backMs));
    arrivals.push(arrivedMs);
    exchanges.push({
      sample: {
        sentAtMs: localAt(sentMs),
        receivedAtMs: localAt(arrivedMs),
        relayTimeMs: AHEAD_MS + answeredMs,
      },
      outMs: answeredMs - sentMs,
      backMs: arrivedMs - answeredMs,
    });
    sentMs += way.pingMs[0] + random() * (way.pingMs[1] - way.pingMs[0]);
  }

  let arrived = 0;
  for (let trueMs = 0; trueMs < durationMs; trueMs += FRAME_MS) {
    while (arrived < arrivals.length && arrivals[arrived] <= trueMs) {
      clock.addSample(exchanges[arrived++].sample);
    }
    const localMs = localAt(trueMs);
    const boundMs = clock.errorBoundMs(localMs);
    const nowMs = clock.now(localMs);
    const chosen = exchanges.slice(Math.max(0, arrived - CLOCK_SAMPLES), arrived).find(({ sample }) =>
      sample.receivedAtMs - sample.sentAtMs === clock.bestRttMs
    );
    if (chosen === undefined) assert.equal(arrived, 0, "the chosen sample is one of the last 8");
    yield {
      trueMs,
      localMs,
      nowMs,
      boundMs,
      clock,
      outMs: chosen?.outMs ?? NaN,
      backMs: chosen?.backMs ?? NaN,
      ageMs: localMs - (chosen?.sample.sentAtMs ?? NaN),
    };
  }
}

/** Plays two clients side by side, while both have a sample. */
function* playBoth(a: Way, b: Way, durationMs: number): Generator<[Frame, Frame]> {
  const other = play(b, durationMs);
  for (const frame of play(a, durationMs)) {
    const beside = other.next().value!;
    if (frame.clock.sampleCount > 0 && beside.clock.sampleCount > 0) yield [frame, beside];
  }
}

const anyWay: fc.Arbitrary<Way> = fc.record({
  outMs: fc.double({ min: 0.05, max: 80, noNaN: true }),
  backMs: fc.double({ min: 0.05, max: 80, noNaN: true }),
  jitterMs: fc.double({ min: 0, max: 30, noNaN: true }),
  spikeChance: fc.constantFrom(0, 0.1, 0.5),
  spikeMs: fc.constantFrom(50, 300, 2000),
  driftPpm: fc.constantFrom(-100, -100, 100, 100, 37, 0),
  pingMs: fc.constantFrom<[number, number]>([1000, 1000], [5000, 5000], [1000, 5000]),
  seed: fc.integer(),
});

const RUNS = { numRuns: 60 };

Deno.test("RelayClock is never further from the relay's clock than its bound, whatever the network", () => {
  fc.assert(
    fc.property(anyWay, (way) => {
      for (const { nowMs, trueMs, boundMs, clock } of play(way, 120_000)) {
        if (clock.sampleCount === 0) continue;
        const errorMs = Math.abs(nowMs - (AHEAD_MS + trueMs));
        assert.ok(errorMs <= boundMs + ROUNDING_MS, `at ${trueMs}: wrong by ${errorMs}, bound ${boundMs}`);
        assert.equal(clock.epoch, 0);
      }
    }),
    RUNS,
  );
});

Deno.test("RelayClock never steps back, and once it has 8 samples never slews faster than 5 ms a second, unless it is proved wrong", () => {
  fc.assert(
    fc.property(anyWay, (way) => {
      let before: Frame | undefined;
      let caughtUp = false, countBefore = 0;
      for (const frame of play(way, 120_000)) {
        if (frame.clock.sampleCount === 0) continue;
        if (before !== undefined) {
          const tookMs = frame.localMs - before.localMs;
          const wentMs = frame.nowMs - before.nowMs;
          assert.ok(wentMs >= 0, `at ${frame.trueMs}: stepped back by ${-wentMs}`);
          // Delayed answers come together: between two looks there may have been the eighth, which corrects
          // at once.
          if (countBefore >= CLOCK_SAMPLES && before.boundMs <= MAX_SLEW_MS) {
            // The clock may still be standing still for what the first 8 samples corrected.
            caughtUp ||= wentMs >= tookMs * (1 - SLEW_RATE) - ROUNDING_MS;
            const least = caughtUp ? tookMs * (1 - SLEW_RATE) : 0;
            const most = tookMs * (1 + SLEW_RATE);
            assert.ok(
              wentMs >= least - ROUNDING_MS && wentMs <= most + ROUNDING_MS,
              `at ${frame.trueMs}: went ${wentMs} in ${tookMs}`,
            );
          }
        }
        before = frame;
        countBefore = frame.clock.sampleCount;
      }
    }),
    RUNS,
  );
});

Deno.test("RelayClock is wrong by half a round trip and one ping's drift at most at 100 ppm", () => {
  for (const driftPpm of [100, -100]) {
    const way: Way = {
      outMs: 0.2,
      backMs: 0.1,
      jitterMs: 0.1,
      spikeChance: 0,
      spikeMs: 0,
      driftPpm,
      pingMs: [5000, 5000],
      seed: 7,
    };
    let worstMs = 0;
    for (const { nowMs, trueMs, clock } of play(way, 600_000)) {
      if (clock.sampleCount > 0) worstMs = Math.max(worstMs, Math.abs(nowMs - (AHEAD_MS + trueMs)));
    }
    // A round trip takes 0.5 ms at most, so the newest sample is good to 0.25 ms, and to 0.5 ms more when the
    // next one comes. (Chosen by the round trip alone, a sample could be 40 s old, and 4 ms of drift off.)
    assert.ok(worstMs <= 0.25 + 0.5 + 0.01, `wrong by ${worstMs} ms`);
  }
});

/** By what two clients may be apart beside what their round trips say: drift, and what is left to correct. */
function agedMs(...frames: Frame[]): number {
  return frames.reduce((sum, { nowMs, localMs, ageMs, clock }) => {
    return sum + MAX_DRIFT * ageMs + Math.abs(nowMs - localMs - clock.offsetMs);
  }, 0);
}

Deno.test("RelayClock of two clients: half the sum of round trips apart, or half the difference", () => {
  let tight = 0, loose = 0;
  fc.assert(
    fc.property(anyWay, anyWay, (wayA, wayB) => {
      for (const [a, b] of playBoth(wayA, wayB, 60_000)) {
        const apartMs = Math.abs(a.nowMs - b.nowMs);
        const otherwiseMs = agedMs(a, b) + ROUNDING_MS;
        const sumMs = (a.clock.bestRttMs + b.clock.bestRttMs) / 2;
        assert.ok(apartMs <= sumMs + otherwiseMs, `at ${a.trueMs}: apart by ${apartMs}, sum ${sumMs}`);
        if ((a.outMs - b.outMs) * (a.backMs - b.backMs) < 0) {
          loose += 1;
          continue;
        }
        tight += 1;
        const differenceMs = Math.abs(a.clock.bestRttMs - b.clock.bestRttMs) / 2;
        assert.ok(
          apartMs <= differenceMs + otherwiseMs,
          `at ${a.trueMs}: apart by ${apartMs}, difference ${differenceMs}`,
        );
      }
    }),
    RUNS,
  );
  assert.ok(tight > 1000 && loose > 1000, `both cases are tested: ${tight}, ${loose}`);
});

Deno.test("RelayClock of two clients, one no slower both ways: worked numbers, drifting by less than 1 ms", () => {
  const lab: Way = {
    outMs: 3,
    backMs: 3,
    jitterMs: 0,
    spikeChance: 0.2,
    spikeMs: 300,
    driftPpm: 100,
    pingMs: [1000, 1000],
    seed: 1,
  };
  const others: [string, Partial<Way>, number][] = [
    ["the same way", {}, 0],
    ["symmetric, longer", { outMs: 40, backMs: 40 }, 0],
    ["a longer way out", { outMs: 43 }, 20],
    ["a longer way back", { backMs: 43 }, 20],
    ["both longer, one more", { outMs: 43, backMs: 13 }, 15],
  ];
  for (const [what, other, expectedMs] of others) {
    for (const driftPpm of [100, 0, -100]) {
      let frames = 0;
      for (const [a, b] of playBoth(lab, { ...lab, ...other, driftPpm, seed: 2 }, 120_000)) {
        if (a.trueMs < 20_000) continue;
        const apartMs = Math.abs(a.nowMs - b.nowMs);
        assertNear(apartMs, expectedMs, `${what}, ${driftPpm} ppm, at ${a.trueMs}`, 1);
        assert.ok(apartMs <= Math.abs(a.clock.bestRttMs - b.clock.bestRttMs) / 2 + 1, `${what}: ${apartMs}`);
        frames += 1;
      }
      assert.ok(frames > 2000);
    }
  }
});

Deno.test("RelayClock of two clients, slow in opposite directions: half the sum apart, not half the difference", () => {
  const still = {
    jitterMs: 0,
    spikeChance: 0,
    spikeMs: 0,
    driftPpm: 0,
    pingMs: [1000, 1000] as [number, number],
  };
  const a: Way = { ...still, outMs: 40, backMs: 0, seed: 1 };
  const b: Way = { ...still, outMs: 0, backMs: 40, seed: 2 };
  for (const [frameA, frameB] of playBoth(a, b, 20_000)) {
    assertNear(frameA.nowMs - frameB.nowMs, 40, "apart by (40 + 40) / 2");
    assertNear(frameA.clock.bestRttMs, frameB.clock.bestRttMs, "round trips");
  }
});
