// Tests src/client/link/writer.ts: what link_test.ts doesn't see of it, over a transport that takes nothing
// or a part.

import assert from "node:assert/strict";
import { PlainOutbox } from "../../../src/client/plain_outbox.ts";
import type { Transport } from "../../../src/client/link/transport.ts";
import { Writer } from "../../../src/client/link/writer.ts";
import { until } from "../../support/deadline.ts";
import { pause } from "../../support/pause.ts";

/** A writer over a transport whose `write` is given. */
function makeWriter(write: (bytes: Uint8Array) => Promise<number>, deadlineMs?: number) {
  const outbox = new PlainOutbox();
  const told = { bytes: 0, lines: 0, errors: [] as unknown[] };
  const transport: Transport = {
    write,
    read: () => Promise.resolve(null),
    endWriting: () => Promise.resolve(),
    close() {},
  };
  const writer = new Writer(transport, outbox, {
    onWritten: (bytes, lines) => {
      told.bytes += bytes;
      told.lines += lines;
    },
    onError: (error) => told.errors.push(error),
  }, deadlineMs);
  const push = (text: string) => outbox.push(new TextEncoder().encode(text + "\n"), Infinity);
  return { writer, outbox, told, push };
}

Deno.test("Writer gives a connection up that takes nothing for too long, and only such a one", async () => {
  const write = Promise.withResolvers<number>();
  const { writer, told, push } = makeWriter(() => write.promise, 30);
  push("never");
  writer.flush();
  await until(() => told.errors.length > 0, "the end");
  assert.equal((told.errors[0] as Error).message, "it took nothing for 0.03 s");
  write.resolve(6);
  await pause(40);
  assert.deepEqual([told.errors.length, told.lines], [1, 0], "what it takes later counts for nothing");

  const slow = makeWriter(async () => {
    await pause(30);
    return 1;
  }, 200);
  slow.push("0123456789");
  slow.writer.flush();
  await until(() => slow.told.lines === 1, "a line, byte by byte");
  assert.deepEqual([slow.told.errors, slow.told.bytes], [[], 11]);
  slow.writer.stop();
});

Deno.test("Writer.stop leaves no timer, and what settles later counts for nothing", async () => {
  const write = Promise.withResolvers<number>();
  const { writer, told, push } = makeWriter(() => write.promise);
  push("a");
  writer.flush();
  await pause();
  writer.stop();
  write.resolve(2);
  await write.promise;
  push("b");
  writer.flush();
  await pause(5);
  assert.deepEqual(told, { bytes: 0, lines: 0, errors: [] });
  assert.equal(writer.isStuck, false);
});

Deno.test("Writer.finish writes all at once, and ends where a write fails", async () => {
  const texts: string[] = [];
  const { writer, outbox, push } = makeWriter((bytes) => {
    texts.push(new TextDecoder().decode(bytes));
    return Promise.resolve(bytes.length);
  });
  push("a");
  writer.flush();
  push("b");
  await writer.finish();
  assert.deepEqual([texts, outbox.hasMore], [["a\nb\n"], false]);
  writer.stop();

  const failing = makeWriter(() => Promise.reject(new Error("broken pipe")));
  failing.push("a");
  await failing.writer.finish();
  assert.deepEqual(failing.told.errors.map(String), ["Error: broken pipe"]);
});

Deno.test("Writer.finish does not wait for lines that the source holds back", async () => {
  const { writer, outbox, told, push } = makeWriter(() => assert.fail("there is nothing to write"));
  push("held back");
  let asked = 0;
  outbox.nextBatch = () => {
    if (++asked > 1) throw new Error("asked again");
    return undefined;
  };
  await writer.finish();
  assert.deepEqual([asked, told.errors], [1, []]);
  writer.stop();
});
