// Tests example/golden.ts: by itself, with a room that the test makes, and with members of a real relay whose
// host is ended.

import assert from "node:assert/strict";
import type { Relay } from "../../client.ts";
import {
  DROP_MS,
  Golden,
  goldOf,
  type GoldRelay,
  LATE_MS,
  pointsOf,
  STALE_MS,
} from "../../example/golden.ts";
import { NewRelay } from "../support/new_relay.ts";
import { connect } from "../support/relay_client.ts";
import { until } from "../support/deadline.ts";

/** A room of one, whose claims are decided at once. */
class Room implements GoldRelay {
  readonly id = "k1";
  readonly name = "ada";
  isHost = true;
  readonly state: Record<string, unknown> = Object.create(null);

  set(key: string, value: unknown): void {
    this.state[key] = value;
  }

  unset(key: string): void {
    delete this.state[key];
  }

  claim(key: string, value: unknown): Promise<boolean> {
    const isFree = !(key in this.state);
    if (isFree) this.state[key] = value;
    return Promise.resolve(isFree);
  }
}

function ball(x: number, y: number) {
  return { id: "b", x, y };
}

Deno.test("Golden drops a ball at once, and the next some seconds later, once that one is caught or lies there for too long", async () => {
  const room = new Room(), golden = new Golden(() => 0.5);
  golden.step(room, [], 1000);
  const first = goldOf(room.state)!;
  assert.deepEqual([first.n, first.t], [1, 1000]);
  golden.step(room, [ball(first.x + 1000, first.y)], 1000 + STALE_MS - 1);
  assert.deepEqual([goldOf(room.state)?.n, pointsOf(room.state)], [1, []]);
  golden.step(room, [], 1000 + STALE_MS);
  assert.equal(goldOf(room.state)?.n, 2);
  golden.step(room, [ball(first.x, first.y)], 1000 + STALE_MS + 1);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([goldOf(room.state), pointsOf(room.state)], [undefined, [{ name: "ada", points: 1 }]]);
  golden.step(room, [ball(first.x, first.y)], 1000 + STALE_MS + DROP_MS - 1);
  assert.equal(goldOf(room.state), undefined);
  golden.step(room, [], 1000 + STALE_MS + DROP_MS);
  assert.equal(goldOf(room.state)?.n, 3);
  golden.step(room, [], 1000 + 3 * STALE_MS);
  assert.deepEqual(
    Object.keys(room.state).filter((key) => key.startsWith("catch")),
    [],
    "old catches are cleared",
  );
});

Deno.test("Golden drops nothing as long as the host may do it, and believes nothing that can't be", () => {
  const room = new Room(), golden = new Golden(() => 0.5);
  room.isHost = false;
  golden.step(room, [ball(1, 1)], 1000);
  assert.deepEqual(Object.keys(room.state), []);
  for (
    const gold of [null, 5, "x", {}, { n: 1.5, x: 1, y: 1, t: 1 }, { n: 1, x: -1, y: 1, t: 1 }, {
      n: 1,
      x: 1,
      y: 1e9,
      t: 1,
    }]
  ) {
    room.state.gold = gold;
    assert.equal(goldOf(room.state), undefined, JSON.stringify(gold));
  }
  for (const points of [-1, 1.5, "9", null, 1e300]) {
    room.state["points eve"] = points;
    assert.deepEqual(pointsOf(room.state), []);
  }
  room.isHost = true;
  golden.step(room, [], 2000);
  assert.equal(goldOf(room.state)?.n, 1, "a host puts right what can't be");
});

Deno.test("Golden is dropped by a player, once, where the host is a program that does not play", async () => {
  await using server = new NewRelay();
  const stranger = await connect(`${server.target}/gold`);
  const players: { relay: Relay; golden: Golden }[] = [];
  for (const name of ["ada", "bo", "cy"]) {
    players.push({ relay: await connect(`${server.target}/gold`, { name }), golden: new Golden() });
  }
  let nowMs = 1e6;
  const drops: unknown[] = [];
  const watcher = await connect(`${server.target}/gold`, {
    onState: (peer, key, value) => void (peer === null && key === "gold" && drops.push(value)),
  });
  for (const n of [1, 2]) {
    const dueMs = nowMs;
    await until(() => {
      nowMs += LATE_MS / 20;
      for (const { relay, golden } of players) golden.step(relay, [], nowMs);
      return players.every(({ relay }) => goldOf(relay.state)?.n === n);
    }, `ball ${n} is dropped: ${JSON.stringify(drops)}`);
    assert.ok(goldOf(players[0].relay.state)!.t >= dueMs + LATE_MS, "the host had time to do it");
    nowMs += STALE_MS;
    if (n === 1) await players.shift()!.relay.close();
  }
  assert.ok(stranger.isHost);
  await until(() => drops.length >= 2, "the watcher saw both ");
  assert.equal(drops.length, 2, "each was dropped once");
  await until(() => Object.keys(stranger.state).every((key) => key === "gold"), "no claim is left over");
  for (const { relay } of [...players, { relay: stranger }, { relay: watcher }]) await relay.close();
});

Deno.test("the golden ball goes on when the process of the host is killed", async () => {
  await using server = new NewRelay();
  await using watcher = await connect(`${server.target}/gold`, { canHost: false });
  const main = new URL("../../example/main.ts", import.meta.url).pathname;
  const play = (name: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", main, `${server.target}/gold`, "--name", name],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  const ada = play("ada");
  await until(() => watcher.host?.name === "ada" && goldOf(watcher.state) !== undefined, "ada drops one");
  const bo = play("bo");
  try {
    await until(() => watcher.peers.size === 2, "bo plays, too");
    ada.kill("SIGKILL");
    await ada.status;
    await until(() => watcher.host?.name === "bo", "bo leads");
    const { n, x, y } = watcher.state.gold as { n: number; x: number; y: number };
    watcher.set("gold", { n, x, y, t: watcher.now() - STALE_MS }, { room: true }); // nobody has caught it
    await until(() => (goldOf(watcher.state)?.n ?? 0) > n, "bo drops the next one");
    assert.deepEqual(Array.from(watcher.peers.values(), ({ name }) => name), ["bo"]);
  } finally {
    for (const player of [ada, bo]) {
      try {
        player.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await player.status;
    }
  }
});

Deno.test("Golden is caught by one of all who touch it, and another host goes on when the first is gone", async () => {
  await using server = new NewRelay();
  const players: { relay: Relay; golden: Golden }[] = [];
  for (const name of ["ada", "bo", "cy"]) {
    players.push({ relay: await connect(`${server.target}/gold`, { name }), golden: new Golden() });
  }
  let nowMs = 1e6;
  const total = () =>
    players.map(({ relay }) => pointsOf(relay.state).reduce((sum, { points }) => sum + points, 0));
  /** Lets everybody touch the ball at once, until it is caught. */
  const play = async (round: number) => {
    await until(() => {
      nowMs += DROP_MS / 20;
      for (const { relay, golden } of players) {
        golden.step(relay, [goldOf(relay.state) ?? ball(-1e6, 0)], nowMs);
      }
      return total().every((caught) => caught >= round);
    }, `${round} are caught, each once: ${total()}`);
  };
  for (let round = 1; round <= 5; round++) await play(round);
  assert.ok(players[0].relay.isHost);
  await players.shift()!.relay.close();
  await until(() => players[0].relay.isHost, "bo goes on");
  for (let round = 6; round <= 10; round++) await play(round);
  await until(() => new Set(total()).size === 1, "all know the same");
  const balls = players[0].relay.state.gold as { n: number };
  assert.ok(total()[0] <= balls.n, "no ball is caught twice");
  const late = await connect(`${server.target}/gold`);
  assert.deepEqual(pointsOf(late.state), pointsOf(players[0].relay.state), "a newcomer knows the points");
  for (const { relay } of players) await relay.close();
  await late.close();
});
