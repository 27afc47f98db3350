// Holds ReadBuffer to the sizes it should have.

import assert from "node:assert/strict";
import { ReadBuffer } from "../../../src/relay/connection/read_buffer.ts";

Deno.test("ReadBuffer grows with the first reads that fill it, is large while they do, and small again after", () => {
  const buffer = new ReadBuffer();
  const sizes: number[] = [];
  for (const bytes of [511, 512, 1023, 4095, 4096, 4096, 65_536, 4096, 4095, 10]) {
    sizes.push(buffer.bytes.length);
    assert.equal(buffer.filled(bytes).length, bytes);
    buffer.fit(bytes);
  }
  assert.deepEqual(sizes, [512, 512, 4096, 4096, 4096, 65_536, 65_536, 65_536, 65_536, 4096]);
});

Deno.test("ReadBuffer lends its large memory, and gives it back once", () => {
  const [one, other] = [new ReadBuffer(), new ReadBuffer()];
  for (const n of [512, 4096]) one.fit(n);
  const large = one.bytes;
  assert.equal(large.length, 65_536);
  one.release();
  one.release();
  for (const n of [512, 4096]) other.fit(n);
  assert.equal(other.bytes, large);
  for (const n of [4096]) one.fit(n);
  assert.notEqual(one.bytes, other.bytes);
  for (const buffer of [one, other]) buffer.release();
});

Deno.test("ReadBuffer lends 256 large ones at a time, and takes one back at once where memory is short", () => {
  const buffers = Array.from({ length: 300 }, () => new ReadBuffer());
  for (const buffer of buffers) for (const n of [512, 4096]) buffer.fit(n);
  const large = buffers.filter(({ bytes }) => bytes.length === 65_536);
  assert.equal(large.length, 256);
  large[0].fit(65_536, false);
  assert.deepEqual([large[0].bytes.length, large[0].heldBytes], [4096, 4096]);
  for (const buffer of buffers) buffer.release();
});
