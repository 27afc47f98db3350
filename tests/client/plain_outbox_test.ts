// Tests src/client/plain_outbox.ts: batches, what a broken connection means for a line, and the limit.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { PlainOutbox } from "../../src/client/plain_outbox.ts";

const NO_LIMIT = Infinity;

function line(text: string): Uint8Array {
  return new TextEncoder().encode(text + "\n");
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes);
}

function holding(...texts: string[]): PlainOutbox {
  const outbox = new PlainOutbox();
  for (const each of texts) outbox.push(line(each), NO_LIMIT);
  return outbox;
}

Deno.test("PlainOutbox.nextBatch joins whole lines up to a size", () => {
  const outbox = holding("aaa", "bbb", "ccc");
  assert.equal(text(outbox.nextBatch(11)), "aaa\nbbb\n");
  assert.equal(outbox.length, 3, "lines count until they are confirmed");
  assert.equal(outbox.confirm(8), 2);
  assert.equal(text(outbox.nextBatch(11)), "ccc\n");
  assert.equal(outbox.confirm(4), 1);
  assert.equal(outbox.nextBatch(11), undefined);
  assert.equal(outbox.length, 0);
});

Deno.test("PlainOutbox.nextBatch takes a line that is longer than a batch alone", () => {
  const outbox = holding("a".repeat(50), "b");
  assert.equal(text(outbox.nextBatch(10))?.length, 51);
});

Deno.test("PlainOutbox.rewind sends a line again whole that went out in part, and none that went out whole", () => {
  for (let sent = 0; sent <= 12; sent++) {
    const outbox = holding("aaa", "bbb", "ccc");
    outbox.nextBatch(100);
    outbox.push(line("ddd"), NO_LIMIT);
    outbox.confirm(sent);
    outbox.rewind(NO_LIMIT);
    const expected = "aaa\nbbb\nccc\nddd\n".slice(Math.floor(sent / 4) * 4);
    assert.equal(text(outbox.nextBatch(100)), expected, `after ${sent} bytes`);
  }
});

Deno.test("PlainOutbox.push drops the oldest whole lines over the limit, never those of the batch under way", () => {
  const outbox = holding("under", "way");
  outbox.nextBatch(100);
  for (const each of ["aaa", "bbb", "ccc", "ddd"]) outbox.push(line(each), 9);
  assert.equal(outbox.dropped, 2);
  assert.equal(outbox.waitingBytes, 8);
  outbox.confirm(10);
  assert.equal(text(outbox.nextBatch(100)), "ccc\nddd\n");
});

Deno.test("PlainOutbox.rewind holds the limit, oldest out first", () => {
  const outbox = holding("aaa", "bbb");
  outbox.nextBatch(100);
  outbox.push(line("ccc"), NO_LIMIT);
  outbox.rewind(8);
  assert.equal(outbox.dropped, 1);
  assert.equal(text(outbox.nextBatch(100)), "bbb\nccc\n");
});

Deno.test("PlainOutbox.clear drops and counts all that did not go out", () => {
  const outbox = holding("aaa", "bbb");
  outbox.nextBatch(4);
  outbox.clear();
  assert.deepEqual([outbox.length, outbox.dropped, outbox.waitingBytes], [0, 2, 0]);
});

Deno.test("PlainOutbox delivers in order, counts every line, and writes no half line, however connections break", () => {
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("push" as const), length: fc.nat(20) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    fc.record({ kind: fc.constant("break" as const) }),
  );
  fc.assert(fc.property(fc.array(action, { maxLength: 200, size: "max" }), (actions) => {
    const outbox = new PlainOutbox();
    const limit = 100;
    let [pushed, confirmed] = [0, 0];
    let connection = "";
    let delivered: string[] = [];
    let rest = new Uint8Array(0);
    function breakConnection() {
      delivered.push(...connection.split("\n").slice(0, -1)); // the relay drops the half line
      connection = "";
      rest = new Uint8Array(0);
      outbox.rewind(limit);
    }
    for (const each of actions) {
      if (each.kind === "push") outbox.push(line(`${pushed++}:${"x".repeat(each.length)}`), limit);
      else if (each.kind === "break") breakConnection();
      else {
        if (rest.length === 0) rest = new Uint8Array(outbox.nextBatch(50) ?? []);
        if (rest.length === 0) continue;
        const count = Math.max(1, Math.floor(rest.length * each.part));
        connection += text(rest.subarray(0, count));
        confirmed += outbox.confirm(count);
        rest = rest.subarray(count);
      }
      assert.ok(outbox.waitingBytes <= limit);
      assert.equal(confirmed + outbox.length + outbox.dropped, pushed);
    }
    breakConnection();
    delivered = delivered.map((each) => each.split(":")[0]);
    const numbers = delivered.map(Number);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    assert.equal(new Set(numbers).size, numbers.length, "none twice");
    assert.equal(numbers.length, confirmed);
  }));
});
