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
