// Holds StateTable against a map of maps through random histories, with readers that look now and then; and
// its limits, removals and costs.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { fromBytes, toBytes } from "../../support/bytes_of_text.ts";
import { type StateEntry, type StateOwner, StateTable } from "../../../src/relay/room/state_table.ts";
import { heapBytes } from "../../support/heap.ts";
import { encodeSet } from "../../../src/wire/protocol.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

const ROOMY = { maxKeys: 1000, maxValueBytes: 1000, maxStateBytes: 100_000, memory: UNLIMITED_MEMORY };
const ROOM: StateOwner = {};
const [ADA, BO]: StateOwner[] = [{ id: "k1" }, { id: "k2" }];

const decoder = new TextDecoder();

function set(table: StateTable, owner: StateOwner, key: string, value?: string): string | undefined {
  return table.set(owner, key, toBytes(value), owner.id ?? "k9")?.code;
}

function* changes(table: StateTable, since: number): Generator<StateEntry> {
  for (let entry = table.firstAfter(since); entry !== undefined; entry = entry.newer) yield entry;
}

function linesAfter(table: StateTable, since: number): string[] {
  return Array.from(changes(table, since), ({ line }) => decoder.decode(line));
}

function valuesOf(table: StateTable, owner: StateOwner): Record<string, string | undefined> {
  return Object.fromEntries(
    Array.from(table.valuesOf(owner), ({ key, json }) => [key, fromBytes(json)]),
  );
}

Deno.test("StateTable tells each change as a $set line with its setter, the value as it was written", () => {
  const table = new StateTable(ROOMY);
  set(table, ADA, "pos", "[1.50, 1152921504606846975]");
  set(table, ROOM, 'sco"re', "3");
  set(table, ADA, "none");
  set(table, ADA, "ä");
  set(table, ADA, "pos");
  assert.deepEqual(linesAfter(table, 0), [
    '{"$set":{"key":"sco\\"re","value":3,"room":true,"from":"k9"}}\n',
    '{"$set":{"key":"pos","from":"k1"}}\n',
  ]);
  set(table, ADA, "pos", "[1.50, 1152921504606846975]");
  assert.deepEqual(
    linesAfter(table, 2),
    [
      '{"$set":{"key":"pos","value":[1.50, 1152921504606846975],"from":"k1"}}\n',
    ].slice(0, 1).concat([]),
    "only what changed since",
  );
});

Deno.test("StateTable writes each line as encodeSet does, whatever was written before it", () => {
  const table = new StateTable({ ...ROOMY, maxValueBytes: 20_000 });
  const texts = [
    "",
    "x",
    "é",
    "🎈",
    '"\\',
    "\u0001",
    "\ufeff",
    "\ufeffx",
    "\ud83d\ude00\u2028",
    "x".repeat(700),
    "🎈".repeat(4000),
  ];
  for (const text of [...texts, ...texts.toReversed()]) {
    const key = `${text.slice(0, 300)}k`, value = JSON.stringify(text);
    for (const owner of [ADA, ROOM]) {
      const { version } = table, setBy = owner.id ?? "k9";
      assert.equal(set(table, owner, key, value), undefined);
      const expected = decoder.decode(encodeSet(key, value, { isRoom: owner === ROOM, from: setBy }));
      assert.deepEqual(linesAfter(table, version), [expected]);
      const [{ line, json, bytes }] = changes(table, version);
      assert.deepEqual([fromBytes(json), bytes], [value, toBytes(key).length + toBytes(value).length]);
      assert.equal(line.buffer.byteLength, line.length, "it keeps nothing else alive");
    }
  }
});

Deno.test("StateTable.firstAfter costs what changed since, not what exists", () => {
  const table = new StateTable({ ...ROOMY, maxKeys: 1e6, maxStateBytes: 1e9 });
  for (let i = 0; i < 10_000; i++) set(table, i % 2 ? ADA : BO, `${i}`, "1");
  const before = table.version;
  for (let i = 0; i < 20; i++) set(table, ADA, `${2 * (i % 10) + 1}`, `${i}`);
  let visited = 0;
  for (const entry of [...changes(table, before)]) {
    const { older } = entry;
    Object.defineProperty(entry, "older", {
      get: () => {
        visited++;
        return older;
      },
    });
  }
  const found = [...changes(table, before)];
  assert.equal(found.length, 10, "the newest of each key");
  assert.deepEqual(
    found.map(({ json }) => fromBytes(json)),
    Array.from({ length: 10 }, (_, i) => `${10 + i}`),
  );
  assert.ok(visited <= 11, `${visited} entries visited`);
});

Deno.test("StateTable.set refuses what is over a limit and changes nothing then", () => {
  const table = new StateTable({ ...ROOMY, maxKeys: 2, maxValueBytes: 5, maxStateBytes: 20 });
  assert.equal(set(table, ADA, "a", "12345"), undefined);
  assert.equal(set(table, ADA, "a", "123456"), "value_too_long");
  assert.equal(set(table, ADA, "a", '"é"ä'), "value_too_long");
  assert.equal(set(table, ADA, "b", "1"), undefined);
  assert.equal(set(table, ADA, "c", "1"), "too_many_keys");
  assert.equal(set(table, ADA, "b", "2"), undefined);
  assert.equal(set(table, BO, "aaaaaa", "12345"), undefined);
  assert.equal(table.bytes, 19);
  assert.equal(set(table, ROOM, "k", "1"), "state_full");
  assert.equal(set(table, BO, "aaaaaa", "1"), undefined);
  assert.equal(set(table, ROOM, "k", "1"), undefined);
  assert.deepEqual([valuesOf(table, ADA), valuesOf(table, BO)], [{ a: "12345", b: "2" }, { aaaaaa: "1" }]);
  const { message } = table.set(ADA, "c", toBytes("1"), "k1")!;
  assert.equal(message, 'Cannot set "c": there are 2 keys, no more are allowed');
});

Deno.test("StateTable counts removed keys not as keys, but remembers only so many until they are pruned", () => {
  const table = new StateTable({ ...ROOMY, maxKeys: 10 });
  let refused = 0;
  for (let i = 0; i < 200; i++) {
    if (set(table, ADA, `${i}`, "1") !== undefined) refused++;
    set(table, ADA, `${i}`);
  }
  assert.equal(refused, 110);
  assert.equal(linesAfter(table, 0).length, 90);
  table.prune(table.version - 1);
  assert.equal(linesAfter(table, 0).length, 1, "what somebody has not been told stays");
  table.prune(table.version);
  assert.deepEqual([linesAfter(table, 0), table.bytes], [[], 0]);
  assert.equal(set(table, ADA, "again", "1"), undefined);
});

Deno.test("StateTable.removeOwner forgets values and removals of one owner alone", () => {
  const table = new StateTable(ROOMY);
  for (const owner of [ADA, BO, ROOM]) {
    set(table, owner, "a", "1");
    set(table, owner, "b", "2");
    set(table, owner, "a");
  }
  table.removeOwner(ADA);
  table.removeOwner(ADA);
  assert.deepEqual([valuesOf(table, ADA), valuesOf(table, BO), valuesOf(table, ROOM)], [{}, { b: "2" }, {
    b: "2",
  }]);
  assert.equal(linesAfter(table, 0).length, 4);
  table.removeOwner(BO);
  table.removeOwner(ROOM);
  assert.deepEqual([linesAfter(table, 0), table.bytes], [[], 0]);
});

Deno.test("StateTable.touch makes all values of an owner new, and no removals", () => {
  const table = new StateTable(ROOMY);
  for (const key of ["a", "b", "c"]) set(table, ADA, key, "1");
  set(table, ADA, "b");
  const { version } = table;
  table.touch(ADA);
  assert.deepEqual(
    Array.from(changes(table, version), ({ key, json }) => [key, fromBytes(json)]),
    [["a", "1"], [
      "c",
      "1",
    ]],
  );
});

Deno.test("StateTable.touch needs no memory, and is refused by no limit", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 100_000 });
  const table = new StateTable({ ...ROOMY, memory });
  for (const key of ["a", "b"]) set(table, ADA, key, "1");
  const { version } = table, { usedBytes } = memory;
  memory.open().resize(100_000);
  assert.equal(set(table, ADA, "c", "1"), "state_full");
  table.touch(ADA);
  assert.deepEqual([linesAfter(table, version).length, memory.usedBytes], [2, usedBytes + 100_000]);
  memory.close();
});

Deno.test("StateTable agrees with maps, and readers that look now and then end up with the same, whatever happens", () => {
  const owners = [ADA, BO, ROOM];
  const key = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        owner: fc.nat(2),
        key,
        value: fc.option(fc.nat(9).map(String), { nil: undefined }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ look: fc.nat(2) }) },
    fc.record({ leave: fc.nat(2) }),
    fc.constant("prune" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const table = new StateTable(ROOMY);
      const truth = owners.map(() => new Map<string, string>());
      const readers = owners.map(() => ({ version: 0, known: owners.map(() => new Map<string, string>()) }));
      const look = (reader: typeof readers[0]) => {
        for (const { owner, key, json, version } of changes(table, reader.version)) {
          const known = reader.known[owners.indexOf(owner)], value = fromBytes(json);
          if (value === undefined) known.delete(key);
          else known.set(key, value);
          assert.ok(version > reader.version, "in the order of their change");
          reader.version = version;
        }
        reader.version = table.version;
      };
      for (const step of steps) {
        if (step === "prune") table.prune(Math.min(...readers.map(({ version }) => version)));
        else if ("look" in step) look(readers[step.look]);
        else if ("leave" in step) {
          table.removeOwner(owners[step.leave]);
          truth[step.leave].clear();
          for (const { known } of readers) known[step.leave].clear(); // by its $leave
        } else {
          assert.equal(set(table, owners[step.owner], step.key, step.value), undefined);
          if (step.value === undefined) truth[step.owner].delete(step.key);
          else truth[step.owner].set(step.key, step.value);
        }
        const bytes = truth.flatMap((map) => [...map]).reduce(
          (sum, [key, value]) => sum + key.length + value.length,
          0,
        );
        assert.equal(table.bytes, bytes);
      }
      for (const reader of readers) {
        look(reader);
        assert.deepEqual(
          reader.known.map((map) => Object.fromEntries(map)),
          truth.map((map) => Object.fromEntries(map)),
        );
      }
      for (const [i, owner] of owners.entries()) {
        assert.deepEqual(valuesOf(table, owner), Object.fromEntries(truth[i]));
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("StateTable counts in memory what entries really take, removed ones too, and refuses when that is full", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 20_000 });
  memory.close(); // nothing is given up here
  const table = new StateTable({ ...ROOMY, memory });
  let keys = 0;
  while (set(table, ADA, `${keys}`, "1") === undefined) keys++;
  assert.ok(keys > 10 && keys < 40, `${keys} keys`);
  assert.equal(set(table, ADA, `${keys}`, "1"), "state_full");
  assert.equal(set(table, ADA, "0", "2"), undefined, "a value of the same size");
  assert.equal(set(table, ADA, "0"), undefined, "a removal is never refused");
  assert.ok(memory.usedBytes > 19_000 && memory.usedBytes <= 20_000);
  assert.match(
    table.set(ADA, "new", toBytes("1"), "k1")!.message,
    /^Cannot set "new": the memory of the relay is full$/,
  );
  table.prune(table.version);
  assert.equal(set(table, ADA, "new", "1"), undefined);
  table.removeOwner(ADA);
  assert.equal(memory.usedBytes, 0);
  set(table, BO, "a", "1");
  table.close();
  assert.equal(memory.usedBytes, 0);
});

Deno.test("StateTable leaves what it has forgotten linked to nothing, or old garbage keeps new garbage alive", () => {
  const table = new StateTable(ROOMY);
  const forgotten: (StateEntry | undefined)[] = [];
  const forget = (owner: StateOwner, key: string, change: () => void) => {
    set(table, BO, "before", "1");
    set(table, owner, key, "1");
    forgotten.push(table.find(owner, key));
    set(table, BO, "behind", "1");
    change();
  };
  forget(ADA, "set anew", () => set(table, ADA, "set anew", "2"));
  forget(ADA, "removed", () => set(table, ADA, "removed"));
  forgotten.push(table.find(ADA, "removed"));
  table.prune(table.version);
  forget(ADA, "left", () => table.removeOwner(ADA));
  assert.deepEqual(
    forgotten.map((entry) => [entry?.older, entry?.newer]),
    Array(4).fill([undefined, undefined]),
  );
  assert.equal(linesAfter(table, 0).length, 2);
});

Deno.test("StateTable keeps no piece of the text that a value came in", () => {
  const table = new StateTable({ ...ROOMY, maxKeys: 1e6 });
  const before = heapBytes();
  for (let i = 0; i < 500; i++) {
    const text = `{"$set":{"key":"the key with number ${i}","value":"0123456789abc","pad":"${
      "p".repeat(65_000)
    }"}}`;
    const at = text.indexOf("0123") - 1;
    table.set(ADA, text.slice(16, text.indexOf('",')), toBytes(text).subarray(at, at + 15), "k1");
  }
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 8e6, `${grownBytes} bytes for 500 short values`);
  const { json } = [...table.valuesOf(ADA)][7];
  assert.equal(decoder.decode(json), '"0123456789abc"');
  assert.ok(json!.buffer.byteLength < 200, "a copy");
});
