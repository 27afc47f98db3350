// Tests src/client/link/line_queue.ts against a plain array of lines.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { joinLines, LineQueue } from "../../../src/client/link/line_queue.ts";

/** A line of so many bytes, of which the first tells it from others. */
function line(bytes: number, n = 0): Uint8Array {
  return new Uint8Array(bytes).fill(n % 256, 0, 1);
}

function sum(lines: readonly Uint8Array[]): number {
  return lines.reduce((bytes, { length }) => bytes + length, 0);
}

Deno.test("LineQueue behaves as an array does that drops its first lines, whatever the order of calls", () => {
  const size = fc.integer({ min: 1, max: 20 });
  const call = fc.tuple(
    fc.constantFrom("push", "trim", "moveTo", "putBack", "keepOnly", "takeAll"),
    size,
    size,
  );
  fc.assert(fc.property(fc.array(call, { maxLength: 200, size: "max" }), (calls) => {
    const queue = new LineQueue();
    let model: Uint8Array[] = [], next = 0;
    const dropped: Uint8Array[] = [];
    const trim = (limit: number) => {
      while (sum(model) > limit) dropped.push(model.shift()!);
    };
    for (const [call, a, b] of calls) {
      if (call === "push") {
        const added = line(a, next++);
        queue.push(added, 3 * b);
        model.push(added);
        trim(3 * b);
      } else if (call === "trim") {
        queue.trim(2 * a);
        trim(2 * a);
      } else if (call === "moveTo") {
        const batch: Uint8Array[] = [], expected: Uint8Array[] = [];
        while (model.length > 0 && (expected.length === 0 || sum(expected) + model[0].length <= a)) {
          expected.push(model.shift()!);
        }
        assert.equal(queue.moveTo(batch, a), sum(expected));
        assert.deepEqual(batch, expected);
      } else if (call === "putBack") {
        const back = [line(a, next++), line(b, next++)];
        queue.putBack(back);
        model.unshift(...back);
      } else if (call === "keepOnly") {
        queue.keepOnly(({ length }) => length > a);
        dropped.push(...model.filter(({ length }) => length <= a));
        model = model.filter(({ length }) => length > a);
      } else {
        assert.deepEqual(queue.takeAll(), model);
        model = [];
      }
      assert.deepEqual([queue.length, queue.bytes], [model.length, sum(model)]);
      assert.deepEqual([queue.dropped, queue.droppedBytes], [dropped.length, sum(dropped)]);
    }
    assert.deepEqual(queue.takeAll(), model);
  }));
});

Deno.test("LineQueue.moveTo adds to a batch that has lines nothing that does not fit", () => {
  const queue = new LineQueue();
  queue.push(line(10), Infinity);
  const batch = [line(1)];
  assert.equal(queue.moveTo(batch, 9), 0);
  assert.deepEqual([batch.length, queue.length], [1, 1]);
});

Deno.test("joinLines joins in order, and copies no line that is alone", () => {
  const one = line(3, 1), two = line(2, 2);
  assert.equal(joinLines([]), undefined);
  assert.equal(joinLines([one]), one);
  assert.deepEqual(joinLines([one, two]), Uint8Array.of(1, 0, 0, 2, 0));
});
