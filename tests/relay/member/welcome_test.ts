// Holds writeWelcome against what it describes: the line and what follows it are together all there is, each
// thing once, within their limits.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { RELAY_DEFAULTS } from "../../../src/relay/options.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { MAX_WELCOME_BYTES, type WelcomeRest, writeWelcome } from "../../../src/relay/member/welcome.ts";
import { type Description, type Peer, Roster } from "../../../src/relay/room/roster.ts";
import { toBytes } from "../../support/bytes_of_text.ts";
import { StateTable } from "../../../src/relay/room/state_table.ts";
import { encodeControl } from "../../../src/wire/protocol.ts";

const ROOM = {};
const decoder = new TextDecoder();

function peer(id: string, name: string): Peer {
  return { id, name, joinLine: encodeControl("join", { id, name }) };
}

function describe(peers: readonly Peer[], table: StateTable): Iterable<Description> {
  const roster = new Roster(table);
  for (const peer of peers) roster.add(peer, 0);
  return roster.describe();
}

function makeTable(): StateTable {
  return new StateTable({ ...RELAY_DEFAULTS, memory: new MemoryBudget() });
}

/**
 * Reads a welcome and what follows it as a client does: who is there with which state, under "" the room's.
 */
function read(line: Uint8Array, rest: Uint8Array[]): Record<string, unknown> {
  const { peers, state } = JSON.parse(decoder.decode(line)).$welcome;
  const known: Record<string, { name?: string; state: Record<string, unknown> }> = { "": { state } };
  for (const { id, ...about } of peers) known[id] = about;
  for (const text of rest.flatMap((bytes) => decoder.decode(bytes).split("\n").slice(0, -1))) {
    const { $join, $set } = JSON.parse(text);
    if ($join !== undefined) {
      assert.equal(known[$join.id], undefined, "nobody comes twice");
      known[$join.id] = { name: $join.name, state: {} };
    } else {
      const { state } = known[$set.room ? "" : $set.from];
      if ("value" in $set) state[$set.key] = $set.value;
      else delete state[$set.key];
    }
  }
  return known;
}

Deno.test("writeWelcome tells all of any room, in a line of 32 KiB at most and as many further ones as it says", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  const value = fc.oneof(
    fc.json({ maxDepth: 2 }),
    fc.nat(16_000).map((count) => JSON.stringify("ä€"[count % 2].repeat(count / 3))),
  );
  const values = fc.dictionary(text.filter((key) => key !== "" && key !== "__proto__"), value, {
    maxKeys: 6,
  });
  const count = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(600));
  fc.assert(
    fc.property(
      values,
      fc.array(fc.record({ name: text, values }), { maxLength: 12 }),
      count,
      fc.constantFrom(4 * 1024, 64 * 1024),
      (room, members, plain, maxBytes) => {
        const table = makeTable();
        const expected: Record<string, unknown> = {};
        const tell = (owner: object, id: string, about: object, own: Record<string, string>) => {
          const state: Record<string, unknown> = {};
          for (const [key, json] of Object.entries(own)) {
            if (table.set(owner, key, toBytes(json), id || "k1") === undefined) state[key] = JSON.parse(json);
          }
          expected[id] = { ...about, state };
        };
        tell(ROOM, "", {}, room);
        const peers = members.map(({ name }, i) => peer(`k${i}`, name));
        members.forEach(({ name, values }, i) => tell(peers[i], `k${i}`, { name }, values));
        for (let i = 0; i < plain; i++) {
          peers.push(peer(`p${i}`, "x".repeat(i % 64)));
          expected[`p${i}`] = { name: "x".repeat(i % 64), state: {} };
        }
        const others = describe(peers, table);
        const { line, rest } = writeWelcome({ version: 1, more: 0 }, others, table, ROOM, maxBytes);
        assert.ok(line.length <= Math.min(MAX_WELCOME_BYTES, maxBytes));
        const { more } = JSON.parse(decoder.decode(line)).$welcome;
        const chunks: Uint8Array[] = [];
        for (let chunk; (chunk = rest.take(maxBytes)) !== undefined;) chunks.push(chunk);
        for (const chunk of chunks) assert.ok(chunk.length <= maxBytes + 17_000);
        const lines = chunks.reduce((sum, chunk) => sum + decoder.decode(chunk).split("\n").length - 1, 0);
        assert.deepEqual([lines, rest.isEmpty, rest.memoryBytes], [more, true, 0]);
        assert.deepEqual(read(line, chunks), expected);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("writeWelcome's further lines tell what holds when they are sent, and keep no value that doesn't any more", () => {
  const table = makeTable();
  const ada = peer("k1", "ada");
  for (let i = 0; i < 6; i++) table.set(ada, `${i}`, toBytes(JSON.stringify("x".repeat(16_000))), "k1");
  for (let i = 0; i < 6; i++) table.set(ROOM, `${i}`, toBytes(JSON.stringify("x".repeat(16_000))), "k1");
  const { line, rest } = writeWelcome({ more: 0 }, describe([ada], table), table, ROOM);
  assert.ok(rest.memoryBytes < 300, `${rest.memoryBytes} bytes are kept for 12 lines of 16 KB`);
  const { more } = JSON.parse(decoder.decode(line)).$welcome;
  for (let i = 0; i < 3; i++) table.set(ROOM, `${i}`, toBytes("1"), "k1");
  table.set(ROOM, "5", undefined, "k1");
  table.removeOwner(ada); // it left; its $leave comes later
  const chunk = rest.take(64 * 1024)!;
  assert.equal(decoder.decode(chunk).split("\n").length - 1, more);
  const known = read(line, [chunk]) as Record<string, { state: Record<string, unknown> }>;
  assert.deepEqual(Object.keys(known[""].state), ["0", "1", "2", "3", "4"]);
  assert.deepEqual([known[""].state[2], known.k1.state], [1, {}]);
});

Deno.test("what newcomers keep of who is there counts as memory, once for all who keep the same", () => {
  const memory = new MemoryBudget(), table = new StateTable({ ...RELAY_DEFAULTS, memory });
  const roster = new Roster(table), peers = Array.from({ length: 320 }, (_, i) => peer(`k${i}`, "x"));
  for (const one of peers) {
    roster.add(one, 0);
    for (let key = 0; key < 40; key++) table.set(one, `${key}`, toBytes("1"), one.id);
  }
  const before = memory.usedBytes;
  const welcome = () => writeWelcome({ more: 0 }, roster.describe(), table, ROOM).rest;
  const change = () => {
    for (const one of peers) {
      table.set(one, "0", table.find(one, "0")?.isRemoval ? toBytes("1") : undefined, one.id);
      roster.touch(one);
    }
  };
  const growth = (work: () => void): number => {
    const usedBytes = memory.usedBytes;
    work();
    return memory.usedBytes - usedBytes;
  };
  const rests: WelcomeRest[] = [];
  const first = growth(() => rests.push(welcome()));
  assert.ok(first > 8 * 2 * 40 * 200, `${first} bytes`);
  assert.ok(growth(() => rests.push(welcome(), welcome())) < 20, "the same lines");
  change();
  const changed = growth(() => rests.push(welcome()));
  assert.ok(changed > 0.9 * first, `${changed} bytes`);
  change();
  for (const [i, rest] of rests.entries()) {
    if (i % 2 === 0) rest.close();
    else while (rest.take(64 * 1024) !== undefined);
    rest.close(); // as often as one likes
    assert.equal(rest.memoryBytes, 0);
  }
  table.prune(table.version);
  assert.equal(memory.usedBytes, before);
});
