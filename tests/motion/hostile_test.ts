// What no sequence of samples, times and options may do to a Track or a Sender: throw, draw a number that is
// none, or keep it from following good samples afterwards. The random tests print their seed when they fail.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import {
  LEAP_SECONDS,
  Sender,
  type SenderOptions,
  type Strategy,
  Track,
  type TrackOptions,
} from "../../motion.ts";

const STRATEGIES: Strategy[] = ["hold", "speed", "history", "blend", "interpolate"];
const FRAME_MS = 16;

const number = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: -1000, max: 1000, noNaN: true }) },
  fc.double(),
  fc.constantFrom<unknown[]>(null, "1", 1n, NaN, Infinity, 1e308, -1e308, -9e15, 1e15, 1e9, 1e6, 0, 1e-320),
);
const numbers = fc.oneof(
  { weight: 8, arbitrary: fc.array(number, { minLength: 2, maxLength: 2 }) },
  fc.array(number, { maxLength: 4 }),
  fc.anything(),
);
/**
 * How much later than the step before a step is, in milliseconds; what gives no time leaves the clock as it
 * was.
 */
const wait = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.constantFrom<number[]>(0, 1e-9, NaN, Infinity, 1e15, -1e15, 1e308),
);
const age = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
  fc.integer({ min: -2_000, max: 20_000 }),
  fc.constantFrom<unknown[]>(0, 1e-9, undefined, null, NaN, Infinity, 1e15, -1e15, 1e308, "x", 1n),
);
const optional = fc.option(numbers, { nil: undefined });
const sample = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ age, pos: numbers, vel: optional, acc: optional, teleport: fc.anything() }, {
      requiredKeys: [],
    }),
  },
  fc.anything(),
);
const steps = fc.array(fc.record({ wait, sample, draw: fc.boolean() }), { maxLength: 30 });

const ms = fc.oneof(
  fc.integer({ min: 0, max: 2_000 }),
  fc.constantFrom(0, 1e-300, 1e6, Number.MAX_SAFE_INTEGER),
);
const limit = fc.oneof(ms, fc.constantFrom(Infinity, 1e308));
const model = {
  strategy: fc.constantFrom(...STRATEGIES),
  filter: fc.constantFrom<("fit" | "alpha-beta")[]>("fit", "alpha-beta"),
  order: fc.constantFrom<(1 | 2)[]>(1, 2),
  angles: fc.constantFrom<number[][]>([], [0], [1, 7], [0, 0, 1]),
  advance: fc.constantFrom(
    undefined,
    (pos: number[]) => void (pos[0] = NaN),
    (pos: number[], vel: number[]) => void (pos.length = vel.push(3)),
    (pos: number[], vel: number[], seconds: number) => void (pos[0] += vel[0] * seconds),
  ),
};
const trackOptions = fc.record({
  ...model,
  clock: fc.constantFrom<("shared" | "sender")[]>("shared", "sender"),
  teleportDistance: limit,
  maxExtrapolateMs: limit,
  hurry: limit,
  blendMs: ms,
  delayMs: ms,
}, { requiredKeys: ["strategy"] });
const senderOptions = fc.record({ ...model, tolerance: limit, heartbeatMs: limit, minIntervalMs: limit }, {
  requiredKeys: ["tolerance"],
});

interface Step {
  wait: number;
  sample: unknown;
  draw: boolean;
}

/** Visits each step with the sample as it would be pushed then, and gives the time at the end. */
function play(steps: readonly Step[], visit: (sample: never, nowMs: number, draw: boolean) => void): number {
  let now = 1e9;
  for (const { wait, sample, draw } of steps) {
    const at = now + wait;
    if (Number.isFinite(at)) now = at;
    const timed = typeof sample === "object" && sample !== null && "age" in sample
      ? { ...sample, t: typeof sample.age === "number" ? at - sample.age : sample.age }
      : sample;
    visit(timed as never, at, draw);
  }
  return now;
}

function assertFinite(track: Track, nowMs: number): void {
  const { pos, vel, age, delay } = track.at(nowMs);
  assert.ok(Array.isArray(pos) && Array.isArray(vel) && pos.length === vel.length);
  assert.ok([...pos, ...vel, delay].every(Number.isFinite), `drawn at ${pos} with ${vel}, delay ${delay}`);
  // Nothing is known before the first sample.
  assert.ok(Number.isFinite(age) || (age === Infinity && pos.length === 0), `age ${age}`);
}

Deno.test("Track neither throws nor draws a number that is none, whatever samples, times and options it gets", () => {
  fc.assert(
    fc.property(trackOptions, steps, (options: TrackOptions, steps) => {
      const track = new Track(options);
      play(steps, (sample, now, draw) => {
        assert.equal(typeof track.push(sample, now), "boolean");
        if (!draw) return;
        assertFinite(track, now);
        assertFinite(track, now + FRAME_MS);
      });
      assertFinite(track, NaN);
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("Sender says yes or no, whatever samples, times and options it gets", () => {
  fc.assert(
    fc.property(senderOptions, steps, (options: SenderOptions, steps) => {
      const sender = new Sender(options);
      play(steps, (sample, now) => {
        const timed = typeof sample === "object" && sample !== null
          ? { t: now, ...(sample as object) }
          : sample;
        // A missing time is the program's own mistake, and the only one that throws.
        if ((timed as { t?: unknown } | null)?.t !== undefined) {
          assert.equal(typeof sender.due(timed as never), "boolean");
        }
      });
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("Track follows two seconds of good samples after whatever came before", () => {
  const jump = fc.constantFrom(-1e8, -20_000, -5_000, -500, 0, 500, 5_000, 20_000, 1e8);
  fc.assert(
    fc.property(trackOptions, steps, jump, fc.boolean(), (made: TrackOptions, steps, jump, withVel) => {
      // Without options that ask for something else than to follow.
      const { strategy, filter, clock, order } = made;
      const track = new Track({ strategy, filter, clock, order, angles: [1] });
      const before = play(steps, (sample, now, draw) => {
        track.push(sample, now);
        if (draw) track.at(now);
      });
      const start = (Math.abs(before) > 1e12 ? 1e9 : before) + jump;
      let drawn = track.at(start), next = 0, elapsed = 0;
      for (; elapsed <= 2_000; elapsed += FRAME_MS) {
        for (; next + 40 <= elapsed; next += 100) {
          const turned = next / 500;
          const pos = [next / 10, Math.atan2(Math.sin(turned), Math.cos(turned))];
          track.push({ t: start + next, pos, vel: withVel ? [100, 2] : undefined }, start + elapsed);
        }
        drawn = track.at(start + elapsed);
      }
      assert.equal(drawn.pos.length, 2);
      const shownMs = strategy === "hold" ? next - 100 : elapsed - FRAME_MS - drawn.delay;
      const off = Math.abs(drawn.pos[0] - shownMs / 10);
      // A sender's clock is known to half a second, in which the object goes 50 units; a glide began no
      // further away than LEAP_SECONDS lead. The past is drawn the later the longer samples took.
      const glides = strategy === "blend" || strategy === "interpolate";
      assert.ok(drawn.delay <= 11_000, `drawn ${drawn.delay} ms late`);
      if (strategy === "interpolate" && shownMs < 0) return;
      assert.ok(off <= (glides ? 100 * LEAP_SECONDS : 51), `${off} units off, age ${drawn.age}`);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("Track refuses what is no sample with false", () => {
  const none: unknown[] = [
    null,
    undefined,
    0,
    NaN,
    "x",
    "",
    true,
    1n,
    Symbol("s"),
    [],
    {},
    () => {},
    new Map(),
  ];
  const getter = Object.defineProperty({ t: 1_000 }, "pos", { get: () => undefined });
  const bare = Object.create(null);
  const huge = Array.from({ length: 100_000 }, () => 0);
  const broken: unknown[] = [
    getter,
    bare,
    { pos: [] },
    { pos: huge },
    { pos: new Float64Array(2) },
    { pos: { length: 2, 0: 1, 1: 2 } },
    { pos: [1, , 3] },
    { pos: [1e308, 0] },
    { pos: [0, 0], vel: [1e308, 0] },
    { pos: [0, 0], vel: [] },
    { pos: [0, 0], vel: "12" },
    { pos: [0, 0], acc: [0, 0, 0] },
    { pos: [0, 0], t: 1e300 },
    { pos: [0, 0], t: "1000" },
    { pos: [0, 0], t: {} },
  ];
  for (const strategy of STRATEGIES) {
    for (const clock of ["shared", "sender"] as const) {
      const track = new Track({ strategy, clock });
      for (const sample of [...none, ...broken]) {
        for (let i = 0; i < 5; i++) assert.equal(track.push(sample as never, 1_000), false);
        assert.deepEqual(track.at(1_000).pos, []);
      }
      for (const now of [NaN, Infinity, 1e300, undefined, "1000", 1n]) {
        assert.equal(track.push({ t: 1_000, pos: [1, 2] }, now as never), false);
      }
      assert.equal(track.push({ t: 1_000, pos: [1, 2] }, 1_000), true);
      assert.deepEqual(track.at(NaN).pos, [1, 2]);
    }
  }
});

Deno.test("Track takes another count of dimensions for the object's own from the third in a row on", () => {
  for (const strategy of STRATEGIES) {
    const track = new Track({ strategy });
    assert.equal(track.push({ t: 1_000, pos: [5, 5, 5], vel: [1, 1, 1] }, 1_000), true);
    track.at(1_000);
    const taken: boolean[] = [];
    for (let t = 1_100; t <= 1_600; t += 100) {
      taken.push(track.push({ t, pos: [t, 7] }, t));
      assert.equal(track.at(t).pos.length, taken.includes(true) ? 2 : 3);
    }
    assert.deepEqual(taken, [false, false, true, true, true, true], strategy);
    assert.ok(track.at(1_600).pos[0] > 1_300, strategy);

    // One of another kind now and then is refused and counts for nothing.
    for (let t = 1_700; t <= 2_600; t += 100) {
      assert.equal(track.push({ t, pos: [t, 7] }, t), true);
      assert.equal(track.push({ t: t + 50, pos: [1, 2, 3] }, t + 50), false);
      assert.equal(track.push({ t: t + 60, pos: [1] }, t + 60), false);
    }
  }
});

Deno.test("Track with blendMs draws numbers from its first frame on, and after a teleport", () => {
  const track = new Track({ blendMs: 200 });
  track.push({ t: 1_000, pos: [1, 2], vel: [3, 4] }, 1_010);
  assert.ok(Math.abs(track.at(1_016).pos[0] - 1.048) < 1e-9);
  assert.ok(Math.abs(track.at(1_033).pos[0] - 1.099) < 1e-9);
  track.push({ t: 3_010, pos: [50, 3], vel: [3, 4], teleport: true }, 3_011);
  assert.ok(Math.abs(track.at(3_016).pos[0] - 50.018) < 1e-9);
  assert.ok(Math.abs(track.at(3_033).pos[0] - 50.069) < 1e-9);
});

Deno.test("Track goes on within a second when the clock that all share steps, for good", () => {
  for (const strategy of STRATEGIES) {
    for (const clock of ["shared", "sender"] as const) {
      for (const stepMs of [-3_600_000, -20_000, -5_000, -900, 900, 5_000, 20_000, 3_600_000]) {
        const track = new Track({ strategy, clock });
        const x = (ms: number) => ms / 10;
        for (let ms = 0; ms <= 6_000; ms += 20) {
          const step = ms >= 3_000 ? stepMs : 0;
          const t = 1e9 + ms - 40;
          if (ms % 100 === 40) track.push({ t: t + step, pos: [x(ms - 40)], vel: [100] }, 1e9 + ms + step);
          const { pos, delay } = track.at(1e9 + ms + step);
          if (ms < 4_200) continue;
          const shown = strategy === "hold" ? ms - 120 : ms - delay - 60;
          assert.ok(
            Math.abs(pos[0] - x(shown)) <= 12,
            `${strategy}, ${clock}, ${stepMs}: ${pos[0]} at ${ms} ms`,
          );
        }
      }
    }
  }
});

Deno.test("Track goes on when its own clock steps and its samples' does so only later, and shares it again", () => {
  for (const stepMs of [-20_000, 20_000]) {
    const track = new Track({ strategy: "speed" });
    for (let ms = 0; ms <= 6_000; ms += 20) {
      const ours = 1e9 + ms + (ms >= 2_000 ? stepMs : 0);
      const theirs = 1e9 + ms + (ms >= 3_000 ? stepMs : 0);
      if (ms % 100 === 40) track.push({ t: theirs - 40, pos: [(ms - 40) / 10], vel: [100] }, ours);
      const { pos } = track.at(ours);
      if (ms >= 4_000) assert.ok(Math.abs(pos[0] - ms / 10) < 1e-6, `${stepMs}: ${pos[0]} at ${ms} ms`);
    }
  }
});

Deno.test("Track draws the straight line where the program's model gives no number, and throws what that throws", () => {
  for (const strategy of ["speed", "history", "blend"] as Strategy[]) {
    const advance = (pos: number[], vel: number[]) => {
      pos[0] = NaN;
      vel.length = 0;
    };
    const track = new Track({ strategy, advance });
    track.push({ t: 1_000, pos: [10, 5], vel: [100, 0] }, 1_000);
    assert.deepEqual(track.at(1_100).pos, [20, 5]);
    const throwing = new Track({
      strategy,
      advance: () => {
        throw new Error("wall");
      },
    });
    throwing.push({ t: 1_000, pos: [10], vel: [100] }, 1_000);
    assert.throws(() => throwing.at(1_100), { message: "wall" });
  }
});

/** Values of each option that are refused, with the error's class. */
const BAD_NUMBERS: [unknown, string][] = [
  [NaN, "RangeError"],
  [-1, "RangeError"],
  [-1e-9, "RangeError"],
  [-Infinity, "RangeError"],
  ["5", "TypeError"],
  [null, "TypeError"],
  [5n, "TypeError"],
  [[5], "TypeError"],
  [{}, "TypeError"],
  [true, "TypeError"],
];
const BAD_OPTIONS: [string, unknown, string][] = [
  ...["teleportDistance", "maxExtrapolateMs", "hurry", "blendMs", "delayMs"].flatMap((name) =>
    BAD_NUMBERS.map(([value, error]): [string, unknown, string] => [name, value, error])
  ),
  ["blendMs", Infinity, "RangeError"],
  ["delayMs", Infinity, "RangeError"],
  ["strategy", "guess", "RangeError"],
  ["strategy", 5, "TypeError"],
  ["order", 3, "RangeError"],
  ["order", "2", "TypeError"],
  ["filter", "kalman", "RangeError"],
  ["filter", null, "TypeError"],
  ["clock", "relay", "RangeError"],
  ["clock", Symbol("s"), "TypeError"],
  ["angles", 2, "TypeError"],
  ["angles", [1.5], "RangeError"],
  ["angles", [-1], "RangeError"],
  ["angles", ["1"], "TypeError"],
  ["angles", [0, , 1], "TypeError"],
  ["advance", "bounce", "TypeError"],
  ["advance", null, "TypeError"],
  ["delay", 100, "TypeError"],
  ["blendMS", 100, "TypeError"],
];

Deno.test("Track refuses each option that makes no sense and names it", () => {
  for (const [option, value, name] of BAD_OPTIONS) {
    const message = new RegExp(`^Cannot make track: "?${option}"? (is|has) .+, .+ (allowed|are)`);
    assert.throws(() => new Track({ [option]: value }), { name, message }, `${option} ${String(value)}`);
  }
  for (const options of [null, 5, "blend", [], new Map(), new Date(), new Track(), Object.create({})]) {
    assert.throws(() => new Track(options as never), {
      name: "TypeError",
      message: /^Cannot make track: options is .*, a plain object is allowed$/,
    });
  }
  // What is undefined is missing.
  new Track({ strategy: undefined, hurry: undefined, angles: undefined, advance: undefined });
  new Track({
    teleportDistance: Infinity,
    maxExtrapolateMs: Infinity,
    hurry: Infinity,
    blendMs: 0,
    delayMs: 0,
  });
});

Deno.test("Sender refuses each option that makes no sense and names it", () => {
  for (const option of ["tolerance", "heartbeatMs", "minIntervalMs"]) {
    for (const [value, name] of BAD_NUMBERS) {
      const message = new RegExp(`^Cannot make sender: ${option} is `);
      assert.throws(() => new Sender({ tolerance: 1, [option]: value }), { name, message });
    }
  }
  const others = ["strategy", "order", "filter", "angles", "advance", "delay"];
  for (const [option, value, name] of BAD_OPTIONS.filter(([option]) => others.includes(option))) {
    const message = new RegExp(`^Cannot make sender: "?${option}"? (is|has) `);
    assert.throws(() => new Sender({ tolerance: 1, [option]: value }), { name, message });
  }
  assert.throws(() => new Sender({} as never), { name: "TypeError", message: /tolerance is missing/ });
  assert.throws(() => new Sender(undefined as never), { name: "TypeError", message: /options is undefined/ });
});
