// Tests src/client/session/roster.ts: what changes, what is told, and in which order.

import assert from "node:assert/strict";
import { Roster, selfPeer } from "../../../src/client/session/roster.ts";

function watched() {
  const told: unknown[][] = [];
  const roster = new Roster({
    onJoin: (peer) => told.push(["join", peer.id, roster.peers.has(peer.id)]),
    onLeave: (peer, reason) =>
      told.push(["leave", peer.id, reason, roster.peers.has(peer.id), { ...peer.state }]),
    onState: (peer, key, value) => told.push(["state", peer?.id ?? null, key, value]),
  });
  return { roster, told };
}

Deno.test("Roster is changed before it tells, and a peer that left keeps its state for whoever is told", () => {
  const { roster, told } = watched();
  roster.join("k1", "bo");
  roster.join("k1", "again");
  roster.set("k1", "a", 1);
  roster.set("k1", "b", 2);
  roster.set("k1", "b", undefined);
  roster.set(null, "score", 3);
  roster.set("k9", "a", "of nobody");
  const peer = roster.peers.get("k1")!;
  roster.leave("k1", "closed");
  roster.leave("k1", "closed");
  assert.deepEqual(told, [
    ["join", "k1", true],
    ["state", "k1", "a", 1],
    ["state", "k1", "b", 2],
    ["state", "k1", "b", undefined],
    ["state", null, "score", 3],
    ["leave", "k1", "closed", false, { a: 1 }],
  ]);
  assert.deepEqual([peer.name, { ...roster.state }], ["bo", { score: 3 }]);
});

Deno.test("Roster takes any key as a key", () => {
  const { roster } = watched();
  roster.join("k1", "");
  for (const key of ["__proto__", "constructor", "toString"]) {
    assert.equal(roster.peers.get("k1")!.state[key], undefined);
    roster.set("k1", key, { own: key });
    assert.deepEqual(roster.peers.get("k1")!.state[key], { own: key });
  }
  assert.equal(({} as { own?: unknown }).own, undefined);
});

Deno.test("Roster.become keeps its map and its objects and tells what differs", () => {
  const { roster, told } = watched();
  const { peers } = roster;
  for (const id of ["k1", "k2"]) roster.join(id, "");
  roster.set("k2", "same", { a: [1] });
  roster.set("k2", "gone", 1);
  const kept = peers.get("k2");
  told.length = 0;
  const next = new Roster();
  for (const id of ["k2", "k3"]) next.join(id, "");
  next.set("k2", "same", { a: [1] });
  next.set("k3", "new", 1);
  next.set(null, "score", 1);
  roster.become(next);
  assert.deepEqual(told, [
    ["leave", "k1", "lost", false, {}],
    ["join", "k3", true],
    ["state", "k2", "gone", undefined],
    ["state", "k3", "new", 1],
    ["state", null, "score", 1],
  ]);
  assert.equal(roster.peers, peers);
  assert.equal(peers.get("k2"), kept);
});

Deno.test("Roster holds no more than 64 Mi characters of members and values, and what leaves makes room", () => {
  const { roster } = watched();
  const value = "x".repeat(1_000_000);
  const fill = (id: string | null) => {
    for (let n = 0; n < 200; n++) roster.set(id, `${n}`, value, value.length);
  };
  assert.throws(() => fill(null), { name: "RangeError", message: /more than 67108864 characters/ });
  for (const key of Object.keys(roster.state)) roster.set(null, key, undefined);
  roster.join("k1", "");
  assert.throws(() => fill("k1"), RangeError);
  roster.leave("k1", "closed");
  for (let n = 0; n < 1000; n++) roster.set(null, "same", value, value.length);
  assert.throws(() => {
    for (let n = 0;; n++) roster.join(`${n}`, value);
  }, RangeError);
  assert.ok(roster.peers.size > 60);
  roster.compare([]);
  roster.join("k2", value);
});

Deno.test("Roster.become bears values that are nested too deeply to be compared", () => {
  const { roster } = watched();
  const deep = () => JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
  roster.set(null, "deep", deep());
  const next = new Roster();
  next.set(null, "deep", deep());
  roster.become(next);
  assert.ok(Array.isArray(roster.state.deep));
});

Deno.test("Roster.find and host know this member itself, those who left, and somebody where nothing is known", () => {
  const roster = new Roster();
  const values = { a: 1 };
  roster.self = selfPeer("me", "ada", () => ({ ...values }));
  roster.join("k1", "eve");
  const eve = roster.peers.get("k1");
  roster.leave("k1", "closed");
  assert.equal(roster.find("me"), roster.self);
  assert.equal(roster.find("k1"), eve);
  assert.deepEqual([roster.find("k9").id, roster.find("k9").name], ["k9", ""]);
  values.a = 2;
  assert.deepEqual(roster.self.state, { a: 2 }, "what holds by now");
  assert.equal(roster.host, undefined);
  roster.hostId = "me";
  assert.equal(roster.host, roster.self);
  assert.deepEqual([...roster.peers.keys()], [], "it is no peer of its own");
});

Deno.test("Roster remembers the 256 who left last", () => {
  const roster = new Roster();
  for (let i = 0; i < 300; i++) {
    roster.join(`k${i}`, `name ${i}`);
    roster.leave(`k${i}`, "closed");
  }
  assert.deepEqual(["k43", "k44", "k299"].map((id) => roster.find(id).name), ["", "name 44", "name 299"]);
});
