// Tests src/client/receivers.ts: who is meant, and that lines carry an event to each of them once.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { encodeLetters, readPeer, readReceivers } from "../../src/client/receivers.ts";
import { MAX_RECEIVERS } from "../../src/wire/protocol.ts";

Deno.test("readReceivers takes members and ids, one or several, each once and in order", () => {
  const ada = { id: "k1", name: "ada", state: {} };
  for (
    const [to, ids] of [
      ["k1", ["k1"]],
      [ada, ["k1"]],
      [[], []],
      [["k2", ada, "k1", { id: "k2" }], ["k2", "k1"]],
    ] as const
  ) assert.deepEqual(readReceivers({ to }), ids);
  assert.throws(() => readReceivers({ to: { [Symbol.iterator]: 5 } as never }), {
    name: "TypeError",
    message: "Cannot send event: to is an object, peers and ids of peers are allowed",
  });
  for (const to of [new Map([["k1", ada]]), [new Map()]]) {
    assert.throws(() => readReceivers({ to: to as never }), {
      name: "TypeError",
      message: "Cannot send event: to is a map, peers and ids of peers are allowed (relay.peers.values()?)",
    });
  }
  assert.throws(() => readReceivers({ to: ["k1", 7] as never }), {
    name: "TypeError",
    message: "Cannot send event: to is 7, peers and ids of peers are allowed",
  });
});

Deno.test("readPeer takes one, and says what can't be done without", () => {
  assert.deepEqual([readPeer("request", "k1"), readPeer("request", { id: "k2" })], ["k1", "k2"]);
  for (
    const [peer, shown] of [[undefined, "undefined"], [null, "null"], [{ id: 1 }, "an object"], [
      ["k1"],
      "an array",
    ]]
  ) {
    assert.throws(() => readPeer("request", peer), {
      name: "TypeError",
      message: `Cannot request: peer is ${shown}, a peer or its id is allowed`,
    });
  }
});

Deno.test("encodeLetters names each id once, in order, in as few lines as hold them", () => {
  const id = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
  const ids = fc.uniqueArray(id, { maxLength: 400, size: "max" });
  fc.assert(
    fc.property(ids, fc.integer({ min: 200, max: 3000 }), fc.boolean(), (ids, most, isAsked) => {
      const tag = isAsked ? { ask: "a" } : undefined;
      const lines = encodeLetters("send event", '{"x":1}', ids, most, tag);
      const letters = lines.map((line) => {
        assert.ok(line.length - 1 <= most, `${line.length}`);
        const { ids, event, ask } = JSON.parse(new TextDecoder().decode(line)).$to;
        assert.deepEqual([event, ask], [{ x: 1 }, tag?.ask]);
        assert.ok(ids.length <= MAX_RECEIVERS);
        return ids as string[];
      });
      assert.deepEqual(letters.flat(), ids);
      const encoder = new TextEncoder();
      for (let i = 1; i < letters.length; i++) { // the first of a line did not fit into the one before
        const bytes = lines[i - 1].length + encoder.encode(`,${JSON.stringify(letters[i][0])}`).length - 1;
        assert.ok(bytes > most || letters[i - 1].length === MAX_RECEIVERS);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("encodeLetters refuses what is too long with a single id", () => {
  const [line] = encodeLetters("answer", '"x"', ["k1"], 1000);
  const bytes = line.length - 1;
  assert.equal(encodeLetters("answer", '"x"', ["k1"], bytes).length, 1);
  assert.throws(() => encodeLetters("answer", '"x"', ["k1"], bytes - 1), {
    name: "RangeError",
    message: `Cannot answer: with an id it has ${bytes} bytes, maxLineBytes is ${bytes - 1}`,
  });
  assert.deepEqual(encodeLetters("answer", '"x"', [], 1), [], "nobody gets nothing");
});
