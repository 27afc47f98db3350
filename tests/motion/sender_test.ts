import assert from "node:assert/strict";
import { DEFAULT_HEARTBEAT_MS, Sender, Track } from "../../motion.ts";

Deno.test("Sender sends an object that moves as foreseen once per heartbeat", () => {
  const sender = new Sender({ tolerance: 1 });
  const sent: number[] = [];
  for (let t = 0; t <= 5_000; t += 20) if (sender.due({ t, pos: [t / 10, 5], vel: [100, 0] })) sent.push(t);
  assert.deepEqual(sent, [0, 1, 2, 3, 4, 5].map((i) => i * DEFAULT_HEARTBEAT_MS));
});

Deno.test("Sender keeps a receiver with the same model within its tolerance", () => {
  for (const strategy of ["hold", "speed", "history"] as const) {
    const tolerance = 3;
    const sender = new Sender({ tolerance, strategy });
    const track = new Track({ strategy, maxExtrapolateMs: 2_000 });
    let sent = 0;
    for (let t = 0; t <= 10_000; t += 10) {
      const angle = t / 700;
      const pos = [80 * Math.cos(angle), 80 * Math.sin(angle)];
      const vel = [-80 / 0.7 * Math.sin(angle), 80 / 0.7 * Math.cos(angle)];
      if (sender.due({ t, pos, vel })) {
        track.push({ t, pos, vel }, t);
        sent++;
      }
      const drawn = track.at(t).pos;
      assert.ok(
        Math.hypot(drawn[0] - pos[0], drawn[1] - pos[1]) <= tolerance + 1e-9,
        `${strategy} at ${t} ms`,
      );
    }
    assert.ok(sent < 500, `${strategy} sent ${sent} of 1001`);
  }
});

Deno.test("Sender sends an object that stands once per heartbeat, at once when it goes", () => {
  const sender = new Sender({ tolerance: 2, heartbeatMs: 500 });
  assert.equal(sender.due({ t: 0, pos: [0], vel: [0] }), true);
  assert.equal(sender.due({ t: 100, pos: [0], vel: [0] }), false);
  assert.equal(sender.due({ t: 200, pos: [3], vel: [30] }), true);
  assert.equal(sender.due({ t: 690, pos: [17.7], vel: [30] }), false);
  assert.equal(sender.due({ t: 700, pos: [18], vel: [30] }), true);
});

Deno.test("Sender takes an angle that goes on past a whole turn for what it is", () => {
  const sender = new Sender({ tolerance: 0.1, angles: [0] });
  let sent = 0;
  for (let t = 0; t < 5_000; t += 20) {
    const angle = t / 1000 * 2;
    if (sender.due({ t, pos: [Math.atan2(Math.sin(angle), Math.cos(angle))], vel: [2] })) sent++;
  }
  assert.equal(sent, 5);
});

Deno.test("Sender waits minIntervalMs, but not with a teleport", () => {
  const sender = new Sender({ tolerance: 1, minIntervalMs: 100 });
  assert.equal(sender.due({ t: 0, pos: [0], vel: [0] }), true);
  assert.equal(sender.due({ t: 50, pos: [90], vel: [0] }), false);
  assert.equal(sender.due({ t: 60, pos: [90], vel: [0], teleport: true }), true);
});

Deno.test("Sender refuses what makes no sense", () => {
  assert.throws(() => new Sender({ tolerance: -1 }), { name: "RangeError", message: /tolerance is -1/ });
  assert.throws(() => new Sender({ tolerance: 1, heartbeatMs: NaN }), {
    name: "RangeError",
    message: /heartbeatMs is NaN/,
  });
  assert.throws(() => new Sender({ tolerance: 1 }).due({ pos: [0] }), { name: "TypeError", message: /no t/ });
});

Deno.test("Sender is never silent for longer than its heartbeat when the clock steps, and floods nobody", () => {
  const frameMs = 16;
  for (const stepMs of [-3_600_000, -20_000, -1_500, -900, -150, -50, -1, 1, 500, 20_000, 3_600_000]) {
    for (const strategy of ["hold", "speed", "history", "blend"] as const) {
      const sender = new Sender({ tolerance: 2, strategy });
      const sent = [0, 0];
      let silentMs = 0;
      for (let ms = 0; ms < 10_000; ms += frameMs) {
        const half = ms < 5_000 ? 0 : 1;
        const t = 1e9 + ms + half * stepMs;
        const isDue = sender.due({ t, pos: [60 * Math.sin(ms / 400)], vel: [150 * Math.cos(ms / 400)] });
        silentMs = isDue ? 0 : silentMs + frameMs;
        if (isDue) sent[half]++;
        assert.ok(silentMs < DEFAULT_HEARTBEAT_MS + frameMs, `${strategy}, ${stepMs}: silent at ${ms} ms`);
      }
      // A step in the middle of a fit costs a few updates.
      assert.ok(sent[1] <= 2 * sent[0], `${strategy}, ${stepMs}: sent ${sent}`);
    }
  }
});

Deno.test("Sender sends a new clock's first moment and one more, which is when receivers believe it", () => {
  const sender = new Sender({ tolerance: 1, minIntervalMs: 50 });
  const receiver = new Track({ maxExtrapolateMs: 2_000 });
  const due: number[] = [];
  for (let ms = 0; ms < 6_000; ms += 10) {
    const t = 1e9 + (ms < 3_000 ? ms : ms - 20_000);
    const sample = { t, pos: [ms / 10], vel: [100] };
    if (sender.due(sample)) {
      due.push(ms);
      receiver.push(sample, t);
    }
    if (ms > 3_100) assert.ok(Math.abs(receiver.at(t).pos[0] - ms / 10) < 1.1, `at ${ms} ms`);
  }
  assert.deepEqual(due, [0, 1_000, 2_000, 3_000, 3_050, 4_050, 5_050]);
});

Deno.test("Sender waits for a clock that went back a little, but not with heartbeats and teleports", () => {
  const sender = new Sender({ tolerance: 1, heartbeatMs: 60 });
  assert.equal(sender.due({ t: 1_000, pos: [0], vel: [0] }), true);
  assert.equal(sender.due({ t: 920, pos: [50], vel: [0] }), false);
  assert.equal(sender.due({ t: 930, pos: [90], vel: [0], teleport: true }), true);
  assert.equal(sender.due({ t: 980, pos: [90], vel: [0] }), false);
  assert.equal(sender.due({ t: 990, pos: [90], vel: [0] }), true);
  assert.equal(sender.due({ t: 1_010, pos: [90], vel: [0] }), true);
});

Deno.test("Sender is never due with what no receiver takes, and goes on after it as if it hadn't been", () => {
  const broken: unknown[] = [
    { t: NaN, pos: [0] },
    { t: Infinity, pos: [0] },
    { t: -Infinity, pos: [0] },
    { t: 1e300, pos: [0] },
    { t: "1000", pos: [0] },
    { t: null, pos: [0] },
    { t: 5_000, pos: [NaN] },
    { t: 5_000, pos: [] },
    { t: 5_000, pos: "0" },
    { t: 5_000 },
    { t: 5_000, pos: [0], vel: [0, 0] },
    { t: 5_000, pos: [0], acc: [Infinity], teleport: true },
    null,
    undefined,
    "x",
  ];
  const sender = new Sender({ tolerance: 1 });
  for (const sample of broken) assert.equal(sender.due(sample as never), false);
  assert.equal(sender.due({ t: 1_000, pos: [0], vel: [100] }), true);
  for (const sample of broken) assert.equal(sender.due(sample as never), false);
  assert.equal(sender.due({ t: 1_100, pos: [10], vel: [100] }), false);
  assert.equal(sender.due({ t: 1_200, pos: [30], vel: [100] }), true);
});

Deno.test("Sender sends an object whose count of dimensions changed until receivers believe it", () => {
  const sender = new Sender({ tolerance: 1 });
  const receiver = new Track();
  assert.equal(receiver.push({ t: 0, pos: [0, 0] }, 0) && sender.due({ t: 0, pos: [0, 0] }), true);
  const taken: boolean[] = [];
  for (let t = 10; t <= 200; t += 10) {
    const sample = { t, pos: [5, 5, 5], vel: [0, 0, 0] };
    if (sender.due(sample)) taken.push(receiver.push(sample, t));
  }
  assert.deepEqual(taken, [false, false, true]);
});
