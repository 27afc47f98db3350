import assert from "node:assert/strict";
import { MAX_LAG_MS, MAX_STARVED_MS, MAX_TIME_BEND, Playout } from "../../src/motion/playout.ts";
import { near } from "../support/near.ts";

const FRAME_MS = 1000 / 60;

/** Runs a playout over samples (time, arrival) and visits each frame. */
function play(
  playout: Playout,
  samples: [number, number][],
  untilMs: number,
  visit: (nowMs: number, playMs: number, passedMs: number, newestMs: number) => void,
): void {
  let next = 0, last = NaN, newest = NaN;
  for (let now = samples[0][1]; now <= untilMs; now += FRAME_MS) {
    for (; next < samples.length && samples[next][1] <= now; next++) {
      newest = samples[next][0];
      playout.arrived(newest, now);
    }
    const at = playout.advance(now);
    if (!Number.isNaN(last)) visit(now, at, at - last, newest);
    last = at;
  }
}

/** Samples ten times a second, each with its delay. */
function tenHz(count: number, delayMs: (i: number) => number): [number, number][] {
  return Array.from({ length: count }, (_, i) => [i * 100, i * 100 + delayMs(i)]);
}

Deno.test("Playout waits one interval and the network's delay", () => {
  const playout = new Playout();
  play(playout, tenHz(100, () => 40), 9_900, () => {});
  assert.ok(Math.abs(playout.delayMs - 140) <= FRAME_MS, `${playout.delayMs} ms`);
});

Deno.test("Playout waits for the 95th percentile of the jitter", () => {
  const playout = new Playout();
  play(playout, tenHz(200, (i) => i % 10 === 0 ? 90 : 40), 19_900, () => {});
  assert.ok(Math.abs(playout.delayMs - 190) <= FRAME_MS, `${playout.delayMs} ms`);
});

Deno.test("Playout is not pulled up by a rare spike, whose samples arrive together", () => {
  const playout = new Playout();
  const samples = tenHz(200, () => 40);
  for (let i = 150; i < 160; i++) samples[i][1] = 16_000;
  play(playout, samples, 19_900, () => {});
  assert.ok(playout.delayMs <= 140 + FRAME_MS, `${playout.delayMs} ms`);
});

Deno.test("Playout runs time within its bend and never back, through a spike and after it", () => {
  const playout = new Playout();
  const samples = tenHz(300, (i) => 40 + (i * 7919) % 30);
  for (let i = 100; i < 110; i++) samples[i][1] = 11_000;
  let off = Infinity;
  play(playout, samples, 29_000, (now, at, passed, newest) => {
    assert.ok(passed >= 0, `back by ${passed} ms at ${now} ms`);
    assert.ok(passed <= FRAME_MS * (1 + MAX_TIME_BEND) + 1e-6, `${passed} ms in a frame at ${now} ms`);
    assert.ok(at <= newest + MAX_STARVED_MS, `beyond the newest sample at ${now} ms`);
    off = Math.abs(now - at - playout.delayMs);
  });
  assert.ok(off < 10, `still ${off} ms off`);
});

Deno.test("Playout takes time up anew where it is off by more than it could bend away", () => {
  const playout = new Playout();
  play(playout, tenHz(50, () => 40), 4_900, () => {});
  const now = 4_900 + MAX_LAG_MS + 1_000;
  playout.arrived(now - 40, now);
  assert.ok(playout.advance(now) >= now - 40 - 200);
});

Deno.test("Playout shows what is new at once to a program that was away", () => {
  const playout = new Playout();
  play(playout, tenHz(50, () => 40), 4_900, () => {});
  const now = 4_900 + 3_000;
  assert.ok(playout.advance(now) <= 4_900);
  for (let t = 5_000; t <= now - 40; t += 100) playout.arrived(t, now);
  const at = playout.advance(now);
  assert.ok(Math.abs(now - at - playout.delayMs) < 1e-6, `${now - at} ms behind`);
  assert.ok(playout.delayMs < 200, `${playout.delayMs} ms`);
});

Deno.test("Playout keeps a fixed delay", () => {
  const playout = new Playout(250);
  let lag = 0;
  play(playout, tenHz(100, (i) => i % 2 * 60), 9_900, (now, at) => lag = now - at);
  assert.ok(Math.abs(lag - 250) < 1);
});

Deno.test("Playout gives the same moment when asked twice", () => {
  const playout = new Playout();
  playout.arrived(0, 40);
  playout.advance(40);
  assert.equal(playout.advance(60), playout.advance(60));
});

Deno.test("Playout goes on after its clock went back, and keeps its delay when the clock is only read otherwise", () => {
  const playout = new Playout();
  const samples = tenHz(100, () => 40);
  play(playout, samples.slice(0, 50), 4_900, () => {});
  const { delayMs } = playout;
  const before = playout.advance(5_000);
  playout.shift(-20_000);
  assert.ok(Math.abs(playout.delayMs - (delayMs - 20_000)) < 1e-6);
  assert.equal(playout.advance(-15_000), before);

  const back = new Playout();
  play(back, samples, 9_900, () => {});
  back.restart();
  let last = NaN;
  play(
    back,
    samples.map(([t, arrival]) => [t - 20_000, arrival - 20_000]),
    -10_100,
    (now, at) => last = now - at,
  );
  assert.ok(Math.abs(last - 140) <= FRAME_MS, `${last} ms behind`);
});

Deno.test("Playout whose clock is read otherwise draws what it would have drawn by the old reading", () => {
  for (const shiftMs of [-20_000, 30]) {
    const shifted = new Playout(), other = new Playout();
    let byMs = 0;
    for (let i = 0; i < 300; i++) {
      const t = 100 * i, atMs = t + 40 + (i * 37) % (i < 99 ? 80 : 20); // calmer from then on
      const draw = (nowMs: number) => near(shifted.advance(nowMs + byMs), other.advance(nowMs), 1e-6);
      if (i > 0 && i % 3 === 0) draw(atMs); // the frame comes before the sample
      if (i === 99) shifted.shift(byMs = shiftMs);
      shifted.arrived(t, atMs + byMs);
      other.arrived(t, atMs);
      near(shifted.delayMs - byMs, other.delayMs, 1e-6);
      for (let frame = 0; frame < 5; frame++) draw(atMs + 4 * frame);
    }
  }
});

Deno.test("Playout is not told to wait by a pause of the sender", () => {
  const playout = new Playout();
  play(playout, tenHz(10, () => 40), 1_000, () => {});
  const { delayMs } = playout;
  for (let minute = 1; minute <= 20; minute++) {
    playout.arrived(1000 + minute * 60_000, 1040 + minute * 60_000);
    assert.equal(playout.delayMs, delayMs);
  }
});
