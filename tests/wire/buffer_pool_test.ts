// Holds BufferPool and freeBuffer to what they keep and what they free.

import assert from "node:assert/strict";
import { BufferPool, freeBuffer } from "../../src/wire/buffer_pool.ts";

Deno.test("BufferPool hands out again what it was given, and frees at once what is more than it keeps", () => {
  const pool = new BufferPool(1000, 1);
  const [a, b] = [pool.take(), pool.take()];
  pool.give(a);
  pool.give(b);
  assert.deepEqual([a.length, b.length], [1000, 0]);
  assert.equal(pool.take(), a);
  assert.equal(pool.take().length, 1000);
});

Deno.test("freeBuffer frees memory at once, and empties all views of it", () => {
  const before = Deno.memoryUsage().external;
  const buffer = new Uint8Array(32 * 1024 * 1024), view = buffer.subarray(10, 20);
  const during = Deno.memoryUsage().external;
  freeBuffer(buffer);
  const after = Deno.memoryUsage().external;
  assert.ok(during - before > 30e6 && during - after > 30e6, `${before}, ${during}, ${after} bytes`);
  assert.deepEqual([buffer.length, view.length], [0, 0]);
});

Deno.test("freeBuffer does not take bytes from a write that is under way", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
  using accepted = await listener.accept();
  using conn = await connecting;
  const filler = new Uint8Array(64 * 1024).fill(1);
  while (await Promise.race([conn.write(filler), new Promise((done) => setTimeout(done, 50, 0))]) !== 0); // full
  const bytes = new Uint8Array(64 * 1024).fill(2);
  const writing = conn.write(bytes);
  freeBuffer(bytes);
  for (let i = 0; i < 50; i++) new Uint8Array(64 * 1024).fill(3); // would take the place of what was freed
  const seen = new Set<number>(), read = new Uint8Array(64 * 1024);
  while (!seen.has(2)) {
    const n = await accepted.read(read);
    for (const byte of read.subarray(0, n!)) seen.add(byte);
  }
  assert.ok(await writing > 0);
  assert.deepEqual([...seen], [1, 2]);
});
