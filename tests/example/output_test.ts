// Tests of Output: whatever the stream does, the writer goes on.

import assert from "node:assert/strict";
import { Output, type Stream } from "../../example/output.ts";

/** A stream that takes what it is allowed to. */
class StubStream implements Stream {
  text = "";
  #waiting = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    await this.#waiting.promise;
    const taken = bytes.subarray(0, 2);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }

  open(): void {
    this.#waiting.resolve();
  }

  break(): void {
    this.#waiting.reject(new Error("gone"));
  }
}

Deno.test("Output returns at once while the stream takes nothing, and writes whole texts in order once it does", async () => {
  const stream = new StubStream();
  const output = new Output(stream);
  assert.equal(output.busy, false);
  const writes = [output.write("abcde"), output.write("fg")];
  assert.equal(output.busy, true);
  assert.equal(await output.settled(5), false);
  assert.equal(stream.text, "");
  stream.open();
  assert.equal(await output.settled(10_000), true);
  assert.deepEqual(await Promise.all(writes), [true, true]);
  assert.equal(stream.text, "abcdefg");
  assert.equal(output.busy, false);
});

Deno.test("Output says that the stream is gone, and never rejects", async () => {
  const stream = new StubStream();
  const output = new Output(stream);
  const write = output.write("abc");
  stream.break();
  assert.equal(await write, false);
  assert.equal(await output.write("d"), false);
  assert.equal(await output.settled(10_000), true);
});
