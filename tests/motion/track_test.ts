import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { type Motion, type Strategy, Track, type TrackOptions } from "../../motion.ts";
import { near } from "../support/near.ts";

const STRATEGIES: Strategy[] = ["hold", "speed", "history", "blend", "interpolate"];
const FRAME_MS = 1000 / 60;

/**
 * Feeds a straight run of 100 units/s, ten samples a second that take 40 ms, and gives the track at the end.
 */
function straight(options: TrackOptions, untilMs = 2_000): Track {
  const track = new Track(options);
  for (let t = 0; t <= untilMs; t += 100) track.push({ t, pos: [t / 10, 7], vel: [100, 0] }, t + 40);
  return track;
}

Deno.test("Track draws a straight run by each strategy where it says it does", () => {
  for (const strategy of STRATEGIES) {
    const { pos, vel, age, delay } = straight({ strategy }).at(2_090);
    assert.equal(age, 90);
    near(pos[1], 7);
    if (strategy === "hold") assert.deepEqual([pos[0], vel[0], delay], [200, 0, 0]);
    else if (strategy === "interpolate") near(pos[0], (2_090 - delay) / 10);
    else assert.deepEqual([pos[0], vel[0], delay], [209, 100, 0]);
  }
});

Deno.test("Track goes by the age of a sample, not by when it arrived", () => {
  const track = new Track({ strategy: "speed" });
  track.push({ t: 0, pos: [0], vel: [100] }, 300);
  near(track.at(310).pos[0], 31);
});

Deno.test("Track knows nothing before its first sample and draws that one at once", () => {
  for (const strategy of STRATEGIES) {
    const track = new Track({ strategy });
    const { pos, age, starved } = track.at(5);
    assert.deepEqual([pos, age, starved], [[], Infinity, true]);
    assert.equal(track.push({ t: 0, pos: [3, 4, 5] }, 10), true);
    assert.deepEqual(track.at(10).pos, [3, 4, 5]);
  }
});

Deno.test("Track gives one object of its own, or writes into the caller's", () => {
  for (const strategy of STRATEGIES) {
    const track = straight({ strategy });
    const first = track.at(2_050);
    const { pos } = first;
    assert.equal(track.at(2_060), first);
    assert.equal(first.pos, pos);
    const out: Motion = { pos: [], vel: [], age: 0, delay: 0, starved: false };
    assert.equal(track.at(2_060, out), out);
    assert.notEqual(out.pos, pos);
    assert.deepEqual(out.pos, pos);
  }
});

Deno.test("Track keeps tracks of different dimensions apart, also in the caller's object", () => {
  for (const strategy of STRATEGIES) {
    const out: Motion = { pos: [], vel: [], age: 0, delay: 0, starved: false };
    const three = new Track({ strategy });
    const one = new Track({ strategy });
    for (let t = 0; t <= 300; t += 100) {
      three.push({ t, pos: [t, 2 * t, 3 * t] }, t + 10);
      one.push({ t, pos: [-t] }, t + 10);
      assert.equal(three.at(t + 20, out).pos.length, 3);
      assert.equal(one.at(t + 20, out).pos.length, 1);
      assert.equal(out.vel.length, 1);
      assert.equal(new Track({ strategy }).at(t, out).pos.length, 0);
    }
  }
});

Deno.test("Track keeps nothing of a sample", () => {
  const track = new Track();
  const pos = [1, 2];
  track.push({ t: 0, pos, vel: [0, 0] }, 0);
  pos[0] = 99;
  assert.deepEqual(track.at(1).pos, [1, 2]);
});

Deno.test("Track refuses broken samples and is none the worse", () => {
  const broken: unknown[] = [
    { t: 2_050, pos: [NaN, 0] },
    { t: 2_050, pos: [0, Infinity] },
    { t: 2_050, pos: [null, 0] },
    { t: 2_050, pos: [0] },
    { t: 2_050, pos: [0, 0, 0] },
    { t: 2_050, pos: "07" },
    { t: 2_050 },
    { t: NaN, pos: [0, 0] },
    { t: "2050", pos: [0, 0] },
    { t: 2_050, pos: [0, 0], vel: [NaN, 0] },
    { t: 2_050, pos: [0, 0], vel: [1] },
    { t: 2_050, pos: [0, 0], acc: [1, null] },
  ];
  for (const strategy of STRATEGIES) {
    const track = straight({ strategy });
    const untouched = straight({ strategy });
    for (const sample of broken) {
      assert.equal(track.push(sample as never, 2_090), false, JSON.stringify(sample));
    }
    assert.deepEqual(track.at(2_095), untouched.at(2_095));
  }
});

Deno.test("Track takes another count of numbers for what the object has now with the third such sample in a row", () => {
  const track = straight({ strategy: "speed" });
  const push = (dims: number, t: number) => track.push({ t, pos: Array(dims).fill(7) }, t + 40);
  const taken = [3, 3, 4, 4, 2, 4, 4].map((dims, i) => push(dims, 2050 + 50 * i));
  assert.deepEqual(taken, [false, false, false, false, true, false, false]);
  assert.equal(push(4, 2450), true);
  assert.equal(track.at(2490).pos.length, 4);
});

Deno.test("Track takes a doubled sample once", () => {
  for (const strategy of STRATEGIES) {
    const track = straight({ strategy });
    const untouched = straight({ strategy });
    assert.equal(track.push({ t: 2_000, pos: [200, 7], vel: [100, 0] }, 2_045), false);
    assert.equal(track.push({ t: 1_500, pos: [150, 7], vel: [100, 0] }, 2_045), false);
    assert.deepEqual(track.at(2_050), untouched.at(2_050));
  }
});

Deno.test("Track is not turned back by a late sample", () => {
  for (const strategy of STRATEGIES) {
    const track = straight({ strategy });
    const before = [...track.at(2_040).pos];
    assert.equal(track.push({ t: 1_950, pos: [195, 7], vel: [100, 0] }, 2_040), true);
    track.at(2_040).pos.forEach((p, d) => near(p, before[d]));
  }
});

Deno.test("Track draws reordered samples as it would have drawn them in order", () => {
  for (const strategy of ["hold", "speed", "interpolate"] as Strategy[]) {
    const order = [0, 100, 200, 400, 300, 500, 700, 600, 800];
    const shuffled = new Track({ strategy, delayMs: 150 });
    const sorted = new Track({ strategy, delayMs: 150 });
    const sample = (t: number) => ({ t, pos: [Math.sin(t / 300) * 100] });
    for (const t of order) assert.ok(shuffled.push(sample(t), 900));
    for (const t of order.toSorted((a, b) => a - b)) sorted.push(sample(t), 900);
    near(shuffled.at(1_500).pos[0], sorted.at(1_500).pos[0]);
  }
});

Deno.test("Track never gives a number that is none, whatever comes in", () => {
  const number = fc.oneof(fc.double(), fc.double({ min: -1000, max: 1000, noNaN: true }), fc.constant(null));
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 3_000 }),
    age: fc.oneof(
      fc.integer({ min: -2_000, max: 20_000 }),
      fc.integer({ min: 0, max: 200 }),
      fc.constant(undefined),
    ),
    pos: fc.array(number, { minLength: 1, maxLength: 3 }),
    vel: fc.option(fc.array(number, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    teleport: fc.boolean(),
  });
  const options = fc.record({
    strategy: fc.constantFrom(...STRATEGIES),
    filter: fc.constantFrom<("fit" | "alpha-beta")[]>("fit", "alpha-beta"),
    clock: fc.constantFrom<("shared" | "sender")[]>("shared", "sender"),
    order: fc.constantFrom<(1 | 2)[]>(1, 2),
    angles: fc.constantFrom([], [0]),
  });
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 30 }), (made, steps) => {
      const track = new Track(made);
      let now = 1_000_000;
      for (const { wait, age, pos, vel, teleport } of steps) {
        now += wait;
        // Numbers beyond 1e100 are finite, but their squares are not: no world is that large.
        const sane = [...pos, ...(vel ?? [])].every((n) => n === null || !(Math.abs(n) > 1e100));
        if (!sane) continue;
        const t = age === undefined ? undefined : now - age;
        track.push({ t, pos, vel, teleport } as never, now);
        const drawn = track.at(now + 5);
        assert.ok([...drawn.pos, ...drawn.vel, drawn.delay].every(Number.isFinite), JSON.stringify(drawn));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("Track with blend does not jump when an update corrects it, history does", () => {
  const longest: Record<string, number> = {};
  for (const strategy of ["history", "blend"] as Strategy[]) {
    const track = new Track({ strategy });
    let last = NaN, worst = 0, next = 0;
    for (let now = 40; now < 4_000; now += FRAME_MS) {
      for (; next + 40 <= now; next += 100) {
        // Back and forth between walls at 0 and 100, at 200 units/s.
        const way = next / 1000 * 200 % 200;
        track.push({ t: next, pos: [way < 100 ? way : 200 - way], vel: [way < 100 ? 200 : -200] }, now);
      }
      const { pos } = track.at(now);
      if (now > 500) worst = Math.max(worst, Math.abs(pos[0] - last));
      last = pos[0];
    }
    longest[strategy] = worst;
  }
  const frame = 200 * FRAME_MS / 1000;
  assert.ok(longest.blend <= frame * 1.5 + 1e-6, `${longest.blend} units in a frame`);
  assert.ok(longest.history > frame * 3, `${longest.history} units in a frame`);
});

Deno.test("Track takes an error back no faster than hurry allows, or within blendMs", () => {
  // Seen at 100 units/s, then standing 30 units from where it is drawn.
  const afterFrame = (options: TrackOptions, frames: number): number => {
    const track = straight(options);
    track.at(2_100);
    track.push({ t: 2_100, pos: [180, 7], vel: [0, 0] }, 2_100);
    for (let i = 1; i < frames; i++) track.at(2_100 + i * FRAME_MS);
    return track.at(2_100 + frames * FRAME_MS).pos[0];
  };
  const frame = 100 * FRAME_MS / 1000;
  near(afterFrame({}, 1), 210 - frame * 1.5, 0.1);
  near(afterFrame({ hurry: 0 }, 1), 210 - frame, 0.1);
  near(afterFrame({ hurry: 2 }, 2), 210 - 2 * frame * 3, 0.1);
  assert.ok(afterFrame({ hurry: Infinity }, 15) < 180.1);
  assert.ok(afterFrame({ blendMs: 100 }, 5) > 180.5);
  near(afterFrame({ blendMs: 100 }, 6), 180);
  near(afterFrame({ blendMs: 100 }, 20), 180);
});

Deno.test("Track takes errors back as gently as before, seconds after a sample with an absurd velocity", () => {
  const track = new Track({ strategy: "blend" });
  let last = 0, longest = 0, next = 0;
  for (let now = 0; now < 14_000; now += FRAME_MS) {
    // Away and back at 100 units/s; nothing comes while the object turns.
    for (; next <= now && (now < 11_900 || now > 12_400); next += 100) {
      const isBack = next >= 12_000;
      const vel = next === 5_000 ? 1e9 : isBack ? -100 : 100;
      track.push({ t: next, pos: [(isBack ? 24_000 - next : next) / 10], vel: [vel] }, now);
    }
    const [x] = track.at(now).pos;
    if (now > 8_000) longest = Math.max(longest, Math.abs(x - last));
    last = x;
  }
  assert.ok(longest <= 150 * FRAME_MS / 1000 + 1e-6, `${longest} units in a frame`);
});

Deno.test("Track corrects several samples that arrive in one frame as gently as one", () => {
  const track = straight({ strategy: "blend" });
  const before = track.at(3_000).pos[0];
  // A second of silence, then everything at once; meanwhile the object had turned back.
  for (let t = 2_100; t <= 3_000; t += 100) {
    track.push({ t, pos: [200 - (t - 2_000) / 10, 7], vel: [-100, 0] }, 3_000 + FRAME_MS);
  }
  const after = track.at(3_000 + FRAME_MS).pos[0];
  assert.ok(Math.abs(after - before) <= 150 * FRAME_MS / 1000 + 1e-6, `${after - before} units in a frame`);
});

Deno.test("Track snaps at a teleport instead of gliding", () => {
  for (const strategy of ["hold", "speed", "history", "blend"] as Strategy[]) {
    const track = straight({ strategy });
    track.at(2_090);
    track.push({ t: 2_100, pos: [-500, 0], vel: [0, 0], teleport: true }, 2_100);
    assert.deepEqual(track.at(2_100).pos, [-500, 0]);
  }
});

Deno.test("Track takes a sample beyond teleportDistance for a teleport and one within it for a move", () => {
  const track = straight({ teleportDistance: 50 });
  track.at(2_090);
  track.push({ t: 2_100, pos: [230, 7], vel: [100, 0] }, 2_100);
  assert.notEqual(track.at(2_100).pos[0], 230);
  track.push({ t: 2_200, pos: [400, 7], vel: [100, 0] }, 2_200);
  assert.equal(track.at(2_200).pos[0], 400);
});

Deno.test("Track with interpolate shows a teleport at its time, without anything in between", () => {
  const track = new Track({ strategy: "interpolate" });
  const x = (t: number) => t < 1_950 ? t / 10 : 5_000 + t / 10;
  let next = 0;
  for (let now = 40; now < 3_000; now += FRAME_MS) {
    for (; next + 40 <= now; next += 100) {
      track.push({ t: next, pos: [x(next)], vel: [100], teleport: next === 2_000 }, now);
    }
    const { pos } = track.at(now);
    assert.ok(pos[0] < 211 || pos[0] >= 5_200, `${pos[0]} at ${now} ms`);
  }
  assert.ok(track.at(3_000).pos[0] > 5_200);
});

Deno.test("Track stops gently when nothing more is heard, and says that it is starved", () => {
  for (const strategy of ["speed", "history", "blend", "interpolate"] as Strategy[]) {
    const track = straight({ strategy, maxExtrapolateMs: 300 });
    let last = track.at(2_040).pos[0];
    let step = Infinity;
    for (let now = 2_040 + FRAME_MS; now < 4_000; now += FRAME_MS) {
      const { pos } = track.at(now);
      assert.ok(pos[0] - last >= -1e-9, `back at ${now} ms`);
      assert.ok(pos[0] - last <= step + 0.2, `faster at ${now} ms`);
      step = pos[0] - last;
      last = pos[0];
    }
    near(step, 0, 0.01);
    assert.equal(track.at(4_000).starved, true);
    assert.ok(last < 260, `it went on to ${last}`);
  }
});

Deno.test("Track turns angles the short way round, forwards and backwards", () => {
  for (const strategy of STRATEGIES) {
    for (const direction of [1, -1]) {
      const track = new Track({ strategy, angles: [1] });
      const angle = (t: number) => direction * t / 1000 * 3;
      let next = 0;
      for (let now = 30; now < 5_000; now += FRAME_MS) {
        for (; next + 30 <= now; next += 100) {
          const turned = Math.atan2(Math.sin(angle(next)), Math.cos(angle(next)));
          track.push({ t: next, pos: [0, turned], vel: [0, direction * 3] }, now);
        }
        const { pos, delay, age } = track.at(now);
        assert.ok(pos[1] > -Math.PI - 1e-9 && pos[1] <= Math.PI);
        if (now < 1_000) continue;
        const off = pos[1] - angle(now - (strategy === "hold" ? age : delay));
        near(Math.cos(off), 1, 1e-3);
      }
    }
  }
});

Deno.test("Track goes to the angles that come, also where its velocity led elsewhere", () => {
  for (const strategy of STRATEGIES) {
    const track = new Track({ strategy, angles: [0] });
    for (const [i, angle] of [3, -3, -2, 3, 2.5].entries()) {
      track.push({ t: 100 * i, pos: [angle], vel: [0] }, 100 * i);
    }
    for (let now = 400; now < 3_000; now += FRAME_MS) track.at(now);
    near(track.at(3_000).pos[0], 2.5, 1e-3);
  }
});

Deno.test("Track without velocities works them out", () => {
  for (const strategy of ["speed", "history", "blend"] as Strategy[]) {
    const track = new Track({ strategy });
    for (let t = 0; t <= 1_000; t += 100) track.push({ t, pos: [t / 5] }, t + 20);
    near(track.at(1_050).pos[0], 210);
  }
});

Deno.test("Track takes the arrival for the time of a sample without one", () => {
  const track = new Track({ strategy: "speed" });
  for (let now = 0; now <= 1_000; now += 100) track.push({ pos: [now / 5] }, now);
  near(track.at(1_050).pos[0], 210);
});

Deno.test("Track finds out a sender's own clock, less the quickest delivery", () => {
  const offset = -123_456_789;
  const track = new Track({ strategy: "speed", clock: "sender" });
  for (let t = 0; t <= 3_000; t += 100) {
    const delay = 20 + (t * 7919) % 60;
    assert.ok(track.push({ t: t + offset, pos: [t / 10], vel: [100] }, t + delay));
  }
  near(track.at(3_100).pos[0], 310 - 2);
});

Deno.test("Track with interpolate goes on evenly when a quicker delivery shows how the sender's clock really is", () => {
  for (const quicker of [1, 5, 40, 80]) {
    const track = new Track({ strategy: "interpolate", clock: "sender" });
    const samples = Array.from({ length: 60 }, (_, i) => i * 100);
    let before: number | undefined;
    for (let nowMs = 5_000; nowMs < 10_900; nowMs += 10) {
      while (samples[0] + 5_000 + (samples[0] < 3_000 ? 100 : 100 - quicker) <= nowMs) {
        const t = samples.shift()!;
        track.push({ t, pos: [t / 10], vel: [100] }, nowMs);
      }
      const [x] = track.at(nowMs).pos;
      if (nowMs > 7_500) near(x - before!, 1, 0.01);
      before = x;
    }
  }
});

Deno.test("Track takes over times that can't be shared as the sender's own", () => {
  for (const offset of [50_000, -50_000, 2e9]) {
    const track = new Track({ strategy: "speed" });
    const taken: boolean[] = [];
    for (let t = 0; t <= 500; t += 100) {
      taken.push(track.push({ t: t + offset, pos: [t], vel: [1000] }, 1e6 + t + 30));
    }
    assert.deepEqual(taken, [false, true, true, true, true, true]);
    near(track.at(1e6 + 580).pos[0], 550);
  }
});

Deno.test("Track follows a step of the sender's clock and is not led astray by one absurd time", () => {
  for (const clock of ["shared", "sender"] as const) {
    for (const step of [-5_000, 5_000]) {
      const track = new Track({ strategy: "blend", clock });
      let refused = 0, last = NaN, worst = 0;
      for (let t = 0; t <= 4_000; t += 50) {
        if (t % 100 === 0) {
          const stamp = t === 1_000 ? t - 7_000 : t > 2_000 ? t + step : t;
          if (!track.push({ t: stamp, pos: [t / 10], vel: [100] }, t + 5)) refused++;
        }
        const { pos } = track.at(t + 5);
        if (t > 200) worst = Math.max(worst, Math.abs(pos[0] - last));
        last = pos[0];
      }
      assert.equal(refused, 2, `${clock} ${step}`);
      near(track.at(4_050).pos[0], 405, 1);
      assert.ok(worst < 5 * 1.51, `${worst} units in a frame of 5`);
    }
  }
});

Deno.test("Track doesn't spin an angle back when the sender's clock steps after several turns", () => {
  for (const strategy of ["blend", "interpolate"] as Strategy[]) {
    const track = new Track({ strategy, angles: [0] });
    const angle = (t: number) => t / 1000 * 3;
    let last = NaN;
    for (let t = 0; t <= 12_000; t += 20) {
      if (t % 100 === 0) {
        const turned = Math.atan2(Math.sin(angle(t)), Math.cos(angle(t)));
        track.push({ t: t > 9_000 ? t - 5_000 : t, pos: [turned], vel: [3] }, t + 5);
      }
      const drawn = track.at(t + 5).pos[0];
      const step = Math.abs(Math.atan2(Math.sin(drawn - last), Math.cos(drawn - last)));
      // 3 rad/s and half as much again, in a frame of 20 ms.
      assert.ok(!(step > 0.091), `${strategy}: ${step} rad in a frame at ${t} ms`);
      last = drawn;
    }
  }
});

Deno.test("Track bounces off walls that the program knows", () => {
  const advance = (pos: number[], vel: number[], seconds: number) => {
    pos[0] += vel[0] * seconds;
    if (pos[0] > 100) {
      pos[0] = 200 - pos[0];
      vel[0] = -vel[0];
    }
  };
  const track = new Track({ advance });
  track.push({ t: 0, pos: [90], vel: [100] }, 10);
  const { pos, vel } = track.at(200);
  near(pos[0], 90);
  assert.equal(vel[0], -100);
});

Deno.test("Track refuses options that make no sense", () => {
  assert.throws(() => new Track({ strategy: "guess" as Strategy }), {
    name: "RangeError",
    message: /strategy is "guess"/,
  });
  assert.throws(() => new Track({ maxExtrapolateMs: -1 }), {
    name: "RangeError",
    message: /maxExtrapolateMs is -1/,
  });
  assert.throws(() => new Track({ delayMs: NaN }), { name: "RangeError", message: /delayMs is NaN/ });
  assert.throws(() => new Track({ angles: [0.5] }), { name: "RangeError", message: /angles has 0.5/ });
});

Deno.test("Track.at refuses an out that is no motion", () => {
  for (const track of [new Track(), tracked()]) {
    for (const out of [null, 5, {}, [], { pos: [] }, { pos: {}, vel: [] }] as unknown as Motion[]) {
      assert.throws(() => track.at(1, out), {
        name: "TypeError",
        message: "Cannot draw track: out has no lists pos and vel, a motion is allowed",
      });
    }
  }
});

function tracked(): Track {
  const track = new Track();
  track.push({ t: 0, pos: [1] }, 0);
  return track;
}
