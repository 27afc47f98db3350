// Tests src/wire/node_stream.ts over a stream of the test's own; over real ones it is tested with what owns it:
// node_transport_test.ts and tls_listener_test.ts.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { NodeStream } from "../../src/wire/node_stream.ts";

Deno.test("NodeStream reads as much as is asked for, and null at the end", async () => {
  const stream = new PassThrough(), ends = new NodeStream(stream);
  const reading = ends.read(4);
  stream.write(Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.deepEqual([...(await reading)!], [1, 2, 3, 4]);
  assert.deepEqual([...(await ends.read())!], [5, 6]);
  stream.end();
  assert.equal(await ends.read(), null);
});

Deno.test("NodeStream lets all that waits, and all that comes, fail for the first reason", async () => {
  const stream = new PassThrough({ highWaterMark: 1 }), ends = new NodeStream(stream);
  const reading = ends.read();
  ends.fail(new Error("first"));
  ends.fail(new Error("second"));
  for (const failed of [reading, ends.read(), ends.write(Uint8Array.of(1)), ends.endWriting()]) {
    await assert.rejects(failed, /^Error: first$/);
  }
});

Deno.test("NodeStream tells the error of a write in its owner's words", async () => {
  const stream = new PassThrough();
  stream.on("error", () => {});
  const ends = new NodeStream(stream, ({ message }) => new TypeError(message));
  stream.destroy();
  await assert.rejects(ends.write(Uint8Array.of(1)), TypeError);
});
