// Holds Roster against a map of peers through random histories, and its promise that what did not change is
// not written down anew.

import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { type Peer, Roster } from "../../../src/relay/room/roster.ts";
import { encodeControl } from "../../../src/wire/protocol.ts";
import { toBytes } from "../../support/bytes_of_text.ts";
import { StateTable } from "../../../src/relay/room/state_table.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";
import { heldBytes } from "../../support/heap.ts";

const LIMITS = { maxKeys: 100, maxValueBytes: 20_000, maxStateBytes: 1e8, memory: UNLIMITED_MEMORY };

const decoder = new TextDecoder();

function peer(n: number, name = `"${n}" ä`): Peer {
  const id = `k${n}`;
  return { id, name, joinLine: encodeControl("join", { id, name }) };
}

Deno.test("Roster describes who is here with what they have set, whatever happens", () => {
  const value = fc.oneof(fc.constant("1"), fc.constant(JSON.stringify("v".repeat(3000))));
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.nat(99) }) },
    { weight: 2, arbitrary: fc.record({ delete: fc.nat(99) }) },
    { weight: 3, arbitrary: fc.record({ set: fc.nat(99), key: fc.constantFrom("a", 'b"', "c"), value }) },
    { weight: 2, arbitrary: fc.record({ look: fc.nat(99) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const state = new StateTable(LIMITS), roster = new Roster(state);
      const truth = new Map<string, { peer: Peer; state: Record<string, unknown> }>();
      for (const [at, step] of [...steps, { look: 0 }, { look: 999 }].entries()) {
        if ("add" in step && !truth.has(`k${step.add}`)) {
          truth.set(`k${step.add}`, { peer: peer(step.add), state: {} });
          roster.add(truth.get(`k${step.add}`)!.peer, at);
          assert.equal(roster.since(`k${step.add}`), at);
        } else if ("delete" in step) {
          const gone = truth.get(`k${step.delete}`)?.peer;
          assert.equal(roster.delete(gone ?? peer(step.delete)), gone !== undefined);
          if (gone !== undefined) state.removeOwner(gone);
          truth.delete(`k${step.delete}`);
        } else if ("set" in step && truth.has(`k${step.set}`)) {
          const { peer, state: values } = truth.get(`k${step.set}`)!;
          state.set(peer, step.key, toBytes(step.value), peer.id);
          values[step.key] = JSON.parse(step.value);
          roster.touch(peer);
        } else if ("look" in step) {
          const others = [...truth.values()].filter(({ peer }) => peer.id !== `k${step.look}`);
          const seen = [...roster.describe(peer(step.look))];
          const members = seen.flatMap((group) =>
            group.members() === undefined
              ? others.filter(({ peer }) => group.lines.parts.includes(peer.joinLine)).map((
                { peer, state },
              ) => ({
                id: peer.id,
                name: peer.name,
                state,
              }))
              : JSON.parse(`[${decoder.decode(group.members())}]`)
          );
          const expected = others.map(({ peer, state }) => ({ id: peer.id, name: peer.name, state }));
          const byId = (a: { id: string }, b: { id: string }) => a.id < b.id ? -1 : 1;
          assert.deepEqual(members.sort(byId), expected.sort(byId));
          for (const { lines: { parts, count } } of seen) {
            const keys = parts.filter((part) => typeof part === "string").length;
            assert.equal(count, parts.filter((part) => part instanceof Uint8Array).length + keys);
            assert.equal(parts.length, count + keys, "an owner before each key");
          }
          assert.deepEqual(
            seen.flatMap(({ lines }) => lines.parts).filter((part) => part instanceof Uint8Array).map((
              join,
            ) => decoder.decode(join)).sort(),
            others.map(({ peer }) => decoder.decode(peer.joinLine)).sort(),
          );
          const line = JSON.parse(decoder.decode(roster.peersLine(peer(step.look))));
          assert.deepEqual(
            line.$peers.peers.map(({ id }: Peer) => id).sort(),
            others.map(({ peer }) => peer.id).sort(),
          );
        }
        assert.equal(roster.size, truth.size);
      }
    }),
    { numRuns: 300 },
  );
});

for (
  const [what, name, valueBytes] of [
    ["", undefined, 0],
    [", with the longest names", "😀".repeat(64), 0],
    [", with many values", undefined, 600],
    [", with more than a welcome has room for", undefined, 6000],
  ] as const
) {
  Deno.test(`Roster writes down for a newcomer what has changed, and no more, however many are here${what}`, () => {
    tellNewcomer(name, valueBytes);
  });
}

function tellNewcomer(name: string | undefined, valueBytes: number): void {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  const peers = Array.from({ length: 3000 }, (_, n) => peer(n, name));
  for (const [n, peer] of peers.entries()) {
    roster.add(peer, n);
    if (valueBytes > 0) state.set(peer, "v", toBytes(JSON.stringify("v".repeat(valueBytes))), peer.id!);
  }
  const first = [...roster.describe()];
  assert.equal(first.length, Math.ceil(3000 / 32));
  state.set(peers[100], "k", toBytes("1"), "k100");
  roster.touch(peers[100]);
  roster.delete(peers[2000]);
  roster.add(peer(3000, name), 0);
  const second = [...roster.describe(peers[500])];
  const fresh = second.filter((description, i) => description !== first[i]).length;
  assert.equal(fresh, 4, "a value, one that left, one that came, the one that asks");
  assert.deepEqual([...roster.describe()].filter((description) => second.includes(description)).length, 93);
  const lineBytes = roster.peersLine(peers[500]).length, { peersLineBytes } = roster;
  assert.ok(
    lineBytes <= peersLineBytes && peersLineBytes < 1.4 * lineBytes,
    `${lineBytes}, ${peersLineBytes}`,
  );
}

Deno.test("Roster describes who comes with keys that are far longer as JSON than as text", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  const [ada, bo] = [peer(1), peer(2)];
  roster.add(ada, 0);
  assert.deepEqual(Array.from(roster.describe(), (group) => group.members()?.length !== undefined), [true]);
  for (let n = 0; n < 60; n++) {
    const key = `${"\u0001".repeat(126)}${String.fromCharCode(65 + n)}`;
    assert.equal(state.set(bo, key, toBytes("1"), bo.id), undefined);
  }
  roster.add(bo, 0); // as one does who comes back
  const [both] = roster.describe();
  assert.equal(both.members(), undefined);
  assert.equal(both.lines.count, 2 + 60);
  assert.deepEqual(both.each().map((one) => one.members() !== undefined), [true, false]);
});

Deno.test("Roster describes each of a group alone, also after others have joined it, and as they are now", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  const alone = () =>
    [...roster.describe()].flatMap((group) => group.each()).map(({ names }) => decoder.decode(names));
  const expected: string[] = [];
  for (let n = 0; n < 70; n++) {
    const newcomer = peer(n);
    roster.add(newcomer, 0);
    expected.push(JSON.stringify({ id: newcomer.id, name: newcomer.name }));
    if (n % 3 === 0) assert.deepEqual(alone(), expected); // others are only described with the rest
    else assert.equal([...roster.describe()].length, Math.ceil((n + 1) / 32));
  }
  assert.equal([...roster.describe()][0].each(), [...roster.describe()][0].each(), "once for all who ask");
  state.set(roster.find("k5")!, "k", toBytes("1"), "k5");
  roster.touch(peer(5));
  const [first] = roster.describe();
  assert.match(decoder.decode(first.each()[5].members()), /"state":\{"k":1\}/);
});

Deno.test("Roster lets go of what it has written down of a group when another one has joined it", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  const peers = Array.from({ length: 3200 }, (_, n) => peer(n));
  const before = heldBytes();
  for (const newcomer of peers) {
    roster.add(newcomer, 0);
    for (const group of roster.describe(newcomer)) assert.ok(group.members());
  }
  const bytes = (heldBytes() - before) / peers.length;
  assert.ok(bytes < 1000, `${bytes} bytes for each who came`);
  assert.equal(roster.size, peers.length);
});

Deno.test("Roster writes down values anew that have changed, and what stays the same not", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  const peers = Array.from({ length: 5 }, (_, n) => peer(n));
  const set = (n: number, key: string, json: string | undefined) => {
    state.set(peers[n], key, toBytes(json), peers[n].id!);
    roster.touch(peers[n]);
  };
  const look = () => {
    const [group] = roster.describe();
    return { lines: group.lines, text: decoder.decode(group.members()), alone: group.each()[2].members() };
  };
  for (const [n, peer] of peers.entries()) roster.add(peer, n);
  for (let n = 0; n < 5; n++) set(n, "k", "1");
  const first = look();
  set(2, "k", "22");
  const second = look();
  assert.equal(
    second.text,
    first.text.replace('"k2","name":"\\"2\\" ä","state":{"k":1}', '"k2","name":"\\"2\\" ä","state":{"k":22}'),
  );
  assert.match(decoder.decode(second.alone), /"k":22/);
  assert.equal(second.lines, first.lines, "the same object");
  for (const change of [() => set(1, "l", "1"), () => set(1, "l", undefined), () => set(4, "k", undefined)]) {
    const before = look();
    change();
    assert.notDeepEqual(look().lines, before.lines);
  }
  set(0, "k", "2");
  roster.add(peers[3], 0);
  assert.match(
    look().text,
    /^\{"id":"k0","name":"\\"0\\" ä","state":\{"k":2\}\}.*"id":"k3"[^}]*\{"k":1\}\}$/,
  );
});

Deno.test("Roster keeps no copy of keys that are long as JSON, and knows then how long it is", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state), owner = peer(0);
  roster.add(owner, 0);
  const fill = (keys: number) => {
    for (let n = 0; n < keys; n++) state.set(owner, "\u0001".repeat(100) + n, toBytes("1"), owner.id);
    roster.touch(owner);
    return roster.describe().next().value!;
  };
  const few = fill(10);
  assert.equal(few.members(), few.members(), "kept");
  const some = fill(30);
  assert.notEqual(some.members(), some.members());
  assert.ok(some.members()!.length > 18_000);
  state.valuesOf = () => assert.fail("it is known to be too long");
  assert.equal(some.members(18_000), undefined);
});

Deno.test("Roster keeps no copy of large values", () => {
  const state = new StateTable(LIMITS), roster = new Roster(state);
  for (let n = 0; n < 64; n++) {
    const owner = peer(n);
    roster.add(owner, 0);
    state.set(owner, "k", toBytes(JSON.stringify("v".repeat(n < 32 ? 400 : 15_000))), owner.id);
  }
  const [small, large] = roster.describe();
  const members = small.members()!;
  assert.ok(members.length > 32 * 400);
  assert.deepEqual(small.members(), members);
  assert.notEqual(small.members(), members, "written anew");
  assert.deepEqual(small.members(members.length), members);
  assert.equal(small.members(members.length - 1), undefined);
  assert.equal(large.members(), undefined);
});
