// The world of the example: walls, time, and the balls of others, without a relay or a terminal.

import assert from "node:assert/strict";
import { asBallEvent, ballEvent, MAX_ID_LENGTH } from "../../example/ball_event.ts";
import { MAX_REMOTE_BALLS, SILENCE_MS, STRATEGIES } from "../../example/remote_balls.ts";
import { bounce, HEIGHT, RADIUS, WIDTH } from "../../example/walls.ts";
import { seededRandom } from "../../motion.ts";
import { World, type WorldOptions } from "../../example/world.ts";

const ADA = { id: "ada-1", pos: [100, 100], vel: [50, -20] };

function worldOf(options: Partial<WorldOptions> = {}): World {
  return new World({ prefix: "me", random: seededRandom(1), ...options });
}

function positions(world: World): [id: string, x: number, y: number][] {
  return [...world.remote].map(({ id, x, y }) => [id, x, y]);
}

Deno.test("bounce turns a ball round at either wall, and keeps it a radius away", () => {
  const cases: [at: number, speed: number, seconds: number, want: [number, number]][] = [
    [100, 50, 1, [150, 50]], // free
    [100, -50, 1, [50, -50]],
    [20, -30, 1, [30, 30]], // 10 to the wall, 20 back
    [620, 30, 1, [610, -30]],
    [RADIUS, -30, 1, [40, 30]], // starts at the wall
    [10, 620, 3, [630, 620]], // across, back, across
    [10, 620, 4, [10, 620]],
    [300, 0, 1000, [300, 0]],
    [300, 40, 0, [300, 40]],
    [9.5, -30, 1, [40.5, 30]], // rounded, or estimated, half a unit into the wall
    [9.5, 30, 1, [39.5, 30]],
    [630.5, 30, 1, [599.5, -30]],
    [-50, 30, 1, [-20, 30]], // outside: no wall there
    [1000, 30, 1, [1030, 30]],
  ];
  for (const [at, speed, seconds, want] of cases) {
    const [gotAt, gotSpeed] = bounce(at, speed, seconds, WIDTH);
    assert.equal(gotAt, want[0], `bounce(${at}, ${speed}, ${seconds})`);
    // Exactly at a wall, either direction is right.
    if (want[0] !== RADIUS && want[0] !== WIDTH - RADIUS) assert.equal(gotSpeed, want[1]);
  }
});

Deno.test("bounce in one long step arrives where many short ones do", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const random = seededRandom(seed);
  for (let i = 0; i < 200; i++) {
    const start = RADIUS + random() * (WIDTH - 2 * RADIUS), speed = (random() - 0.5) * 400;
    let at = start, v = speed;
    for (let step = 0; step < 300; step++) [at, v] = bounce(at, v, 1 / 30, WIDTH);
    const [want] = bounce(start, speed, 10, WIDTH);
    assert.ok(
      Math.abs(at - want) < 1e-6,
      `seed ${seed}: from ${start} at ${speed}: ${at}, in one step ${want}`,
    );
  }
});

Deno.test("World keeps its own balls between the walls, whatever time a step takes", () => {
  const world = worldOf({ balls: 50 });
  for (const seconds of [0, 0.01, 1 / 30, 1, 7, 3600]) {
    world.step(seconds, 0);
    for (const { id, x, y } of world.local) {
      assert.ok(
        x >= RADIUS && x <= WIDTH - RADIUS && y >= RADIUS && y <= HEIGHT - RADIUS,
        `${id} at ${x},${y}`,
      );
    }
  }
});

Deno.test("World has ten balls unless told otherwise, all moving, with ids of their own", () => {
  const world = worldOf();
  assert.equal(world.local.length, 10);
  assert.equal(new Set(world.local.map((ball) => ball.id)).size, 10);
  assert.ok(world.local.every((ball) => ball.id.startsWith("me-") && Math.hypot(ball.vx, ball.vy) >= 40));
  assert.equal(worldOf({ balls: 0 }).local.length, 0);
});

Deno.test("World starts the same for the same seed, and differently for another", () => {
  const start = (seed: number) => worldOf({ random: seededRandom(seed) }).local.map(({ x, y }) => [x, y]);
  assert.deepEqual(start(7), start(7));
  assert.notDeepEqual(start(7), start(8));
});

Deno.test("World shows a remote ball where its event said, under `hold`", () => {
  const world = worldOf({ drawing: { strategy: "hold", walls: true } });
  world.receive(ADA, 1000);
  world.step(0.5, 1500);
  assert.deepEqual(positions(world), [["ada-1", 100, 100]]);
  world.receive({ ...ADA, pos: [200, 50] }, 1600);
  world.step(0.1, 1600);
  assert.deepEqual(positions(world), [["ada-1", 200, 50]]);
});

Deno.test("World moves a remote ball on at its speed, and off the walls if it knows them", () => {
  for (const strategy of ["speed", "history", "blend"] as const) {
    for (const walls of [true, false]) {
      const world = worldOf({ drawing: { strategy, walls } });
      world.receive(ADA, 1000);
      world.receive({ id: "bo-1", pos: [625, 240], vel: [30, 0] }, 1000);
      world.step(0.5, 1500);
      assert.deepEqual(positions(world), [["ada-1", 125, 90], ["bo-1", walls ? 620 : 640, 240]], strategy);
    }
  }
});

Deno.test("World goes by the time that events carry: what was long under way is drawn where it is now", () => {
  const world = worldOf({ drawing: { strategy: "speed", walls: true } });
  world.receive({ ...ADA, t: 1000 }, 1300);
  world.step(0.2, 1500);
  assert.deepEqual(positions(world), [["ada-1", 125, 90]]);
});

Deno.test("World takes the time of a clock of the sender's own for what it is", () => {
  const world = worldOf({ drawing: { strategy: "speed", walls: true }, clock: "sender" });
  world.receive({ ...ADA, t: 86_400_000 }, 1000); // another day there
  world.receive({ ...ADA, t: 86_400_100, pos: [105, 98] }, 1400); // 300 ms longer under way
  world.step(0.1, 1400);
  assert.deepEqual(positions(world), [["ada-1", 120, 92]]);
});

Deno.test("World lets a ball stand still once its owner is silent for too long to guess", () => {
  const world = worldOf();
  world.receive(ADA, 0);
  world.step(1, 3000);
  const there = positions(world);
  world.step(1, 9000);
  assert.deepEqual(positions(world), there);
});

Deno.test("World can change how balls are drawn while the game runs, from their last event on", () => {
  const world = worldOf();
  world.receive(ADA, 0);
  world.step(0.5, 500);
  world.drawing = { strategy: "hold", walls: true };
  world.step(0, 500);
  assert.deepEqual(positions(world), [["ada-1", 100, 100]]);
  for (const strategy of STRATEGIES) {
    world.drawing = { strategy, walls: false };
    world.step(0.01, 510);
    const [[, x]] = positions(world);
    assert.ok(x >= 100 && x <= 126, `${strategy}: ${x}`);
  }
});

Deno.test("World keeps where the last event put a ball as its ghost", () => {
  const world = worldOf();
  world.receive(ADA, 0);
  world.step(0.5, 500);
  const [ball] = world.remote;
  assert.deepEqual(ball.ghost, { id: "ada-1", x: 100, y: 100 });
  assert.equal(ball.x, 125);
});

Deno.test("World forgets a remote ball after ten seconds of silence, not before", () => {
  const world = worldOf();
  world.receive(ADA, 0);
  world.step(0.001, 1);
  world.receive({ ...ADA, id: "bo-1" }, 1);
  world.step((SILENCE_MS - 2) / 1000, SILENCE_MS - 1);
  assert.equal(world.remoteCount, 2);
  world.step(0.001, SILENCE_MS);
  assert.deepEqual(positions(world).map(([id]) => id), ["bo-1"]);
  world.receive(ADA, SILENCE_MS + 5);
  assert.equal(world.remoteCount, 2, "it may come back");
});

Deno.test("World forgets the balls of a member at once when it is gone, and its last words with them", () => {
  const world = worldOf();
  const members = new Set(["k1", "k2"]);
  world.members = members;
  world.receive({ ...ADA, owner: "k1" }, 0);
  world.receive({ ...ADA, id: "bo-1", owner: "k2" }, 0);
  world.receive({ ...ADA, id: "plain-1" }, 0);
  world.step(0.1, 100);
  assert.equal(world.remoteCount, 3);
  members.delete("k1");
  world.receive({ ...ADA, owner: "k1" }, 200); // it was in the inbox when the owner left
  world.step(0.1, 200);
  assert.deepEqual(positions(world).map(([id]) => id), ["bo-1", "plain-1"]);
  world.receive({ ...ADA, owner: "k1" }, 300);
  assert.equal(world.remoteCount, 2);
  assert.equal(world.ignored, 0);
  members.add("k3");
  world.receive({ ...ADA, owner: "k3" }, 400);
  world.step(0.1, 400);
  assert.equal(world.remoteCount, 3, "the same ball with another owner: its session began anew");
});

Deno.test("World keeps balls with an owner while nobody knows who is there", () => {
  const world = worldOf();
  world.receive({ ...ADA, owner: "k1" }, 0);
  world.step(0.1, 100);
  assert.equal(world.remoteCount, 1);
});

Deno.test("World counts and ignores whatever is not a ball of somebody else", () => {
  const events: unknown[] = [
    null,
    1,
    "ball",
    true,
    [],
    [ADA],
    {},
    { ...ADA, id: 7 },
    { ...ADA, id: "" },
    { ...ADA, id: "x".repeat(MAX_ID_LENGTH + 1) },
    { ...ADA, pos: [1] },
    { ...ADA, pos: [1, 2, 3] },
    { ...ADA, pos: ["1", "2"] },
    { ...ADA, pos: { x: 1, y: 2 } },
    { ...ADA, vel: undefined },
    { ...ADA, vel: [null, 0] },
    JSON.parse(`{"id":"ada-1","pos":[1e999,0],"vel":[0,0]}`),
    JSON.parse(`{"__proto__":{"id":"ada-1","pos":[1,1],"vel":[0,0]}}`),
    { kind: "chess", from: "e2", to: "e4" },
    { ...ADA, id: "me-1" }, // somebody takes our name
  ];
  const world = worldOf();
  for (const event of events) world.receive(event, 0);
  assert.equal(world.ignored, events.length);
  assert.equal(world.remoteCount, 0);
});

Deno.test("World survives numbers at the edge of what a number is", () => {
  for (const strategy of STRATEGIES) {
    const world = worldOf({ drawing: { strategy, walls: true } });
    for (const t of [undefined, 0, 1e300, -1e300]) {
      for (const sign of [1, -1]) {
        world.receive({ id: "far", pos: [sign * 1.7e308, -1.7e308], vel: [1.7e308, 1.7e308], t }, 0);
        world.receive({ id: "fast", pos: [320, 240], vel: [sign * 1.7e308, -1.7e308], t }, 0);
        world.receive({ id: "absurd", pos: [320, 240], vel: [0, 0], t: 1e300 }, 0);
        world.step(1, 1000);
      }
    }
    assert.equal(world.remoteCount, 3);
    const absurd = [...world.remote].find(({ id }) => id === "absurd")!;
    assert.ok(Math.abs(absurd.x - 320) < 1, `${strategy}: ${absurd.x}`);
  }
});

Deno.test("World keeps no more remote balls than its limit, and goes on hearing of those it has", () => {
  const world = worldOf({ drawing: { strategy: "hold", walls: true } });
  for (let i = 0; i < MAX_REMOTE_BALLS; i++) world.receive({ ...ADA, id: `b${i}` }, 0);
  world.receive({ ...ADA, id: "one too many" }, 0);
  assert.equal(world.remoteCount, MAX_REMOTE_BALLS);
  assert.equal(world.ignored, 1);
  world.receive({ ...ADA, id: "b0", pos: [5, 6] }, 0);
  world.step(0, 0);
  const [, x, y] = positions(world).find(([id]) => id === "b0")!;
  assert.deepEqual([x, y], [5, 6]);
});

Deno.test("ballEvent goes through JSON to asBallEvent, in few digits", () => {
  const event = ballEvent("ada-3", [123.456789, 1 / 3], [-0.04, -17.25]);
  assert.equal(JSON.stringify(event), `{"id":"ada-3","pos":[123.5,0.3],"vel":[0,-17.3]}`);
  assert.deepEqual(asBallEvent(JSON.parse(JSON.stringify(event))), event);
  assert.deepEqual(asBallEvent({ ...event, colour: "red" }), event, "more members are fine");
  const stamped = ballEvent("ada-3", [1, 2], [3, 4], { t: 1234567.8901, owner: "k3" });
  assert.equal(
    JSON.stringify(stamped),
    `{"id":"ada-3","pos":[1,2],"vel":[3,4],"t":1234567.9,"owner":"k3"}`,
  );
  assert.deepEqual(asBallEvent(JSON.parse(JSON.stringify(stamped))), stamped);
  const strange = { ...event, t: "now", owner: 7 };
  assert.deepEqual(asBallEvent(strange), event, "a strange time or owner is none");
});
