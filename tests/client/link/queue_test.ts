// Tests src/client/link/queue.ts against a plain array.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { Queue } from "../../../src/client/link/queue.ts";

Deno.test("Queue behaves as an array does, whatever the order of calls", () => {
  const call = fc.oneof(
    { weight: 6, arbitrary: fc.constant("push" as const) },
    { weight: 5, arbitrary: fc.constant("shift" as const) },
    fc.constant("takeAll" as const),
    fc.constant("putBack" as const),
  );
  fc.assert(fc.property(fc.array(call, { maxLength: 1000, size: "max" }), (calls) => {
    const queue = new Queue<number>();
    let model: number[] = [];
    let next = 0;
    for (const call of calls) {
      if (call === "push") {
        queue.push(next);
        model.push(next++);
      } else if (call === "shift") {
        assert.equal(queue.shift(), model.shift());
      } else if (call === "takeAll") {
        assert.deepEqual(queue.takeAll(), model);
        model = [];
      } else {
        queue.putBack([next, next + 1]);
        model.unshift(next, next + 1);
        next += 2;
      }
      assert.equal(queue.length, model.length);
      assert.equal(queue.peek(), model[0]);
    }
    assert.deepEqual(queue.takeAll(), model);
  }));
});

Deno.test("Queue keeps order through compactions of a long queue that is never empty", () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 1000; i++) queue.push(i);
  for (let i = 0; i < 100_000; i++) {
    queue.push(i + 1000);
    assert.equal(queue.shift(), i);
  }
  assert.equal(queue.length, 1000);
});
