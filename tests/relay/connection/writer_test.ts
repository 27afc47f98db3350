// Holds Writer against its contract on a stub transport: one write at a time, all of it, then the last line
// and the end.

import assert from "node:assert/strict";
import { Writer, type WriterSource } from "../../../src/relay/connection/writer.ts";
import type { Batch } from "../../../src/relay/member/member.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { settle, StubTransport } from "../../support/stub_transport.ts";

/** Has batches, and remembers what became of them. */
class Source implements WriterSource {
  readonly conn = new StubTransport();
  readonly batches: string[] = [];
  readonly events: string[] = [];
  readonly settings = resolveOptions({});
  readonly writer = new Writer(this.conn, this, this.settings);

  get hasNews(): boolean {
    return this.batches.length > 0;
  }

  takeBatch(): Batch | undefined {
    const text = this.batches.shift()!;
    return { bytes: new TextEncoder().encode(text), written: () => this.events.push(`written ${text}`) };
  }

  onOutputEnded(error?: unknown): void {
    this.events.push(error === undefined ? "ended" : `failed: ${(error as Error).message}`);
  }
}

Deno.test("Writer writes batch after batch, each whole, however little a write takes", async () => {
  for (const bytesPerWrite of [1, 2, 100]) {
    const { conn, batches, events, writer } = new Source();
    conn.takeBytes(bytesPerWrite);
    assert.equal(writer.isUntouched, true);
    batches.push("one\n", "two\n");
    writer.wake();
    writer.wake();
    await settle();
    batches.push("three\n");
    writer.wake();
    await settle();
    assert.equal(conn.text, "one\ntwo\nthree\n");
    assert.deepEqual(events, ["written one\n", "written two\n", "written three\n"]);
    assert.deepEqual([writer.sentBytes, writer.isUntouched, writer.stuckMs(1e9)], [14, false, 0]);
    conn.close();
  }
});

Deno.test("Writer takes the next batch in a later turn while the loop is busy", async () => {
  const { conn, batches, settings, writer } = new Source();
  const later: (() => void)[] = [];
  settings.loop.isBusy = () => true;
  settings.loop.callLater = (call) => later.push(call);
  conn.takeBytes(100);
  batches.push("one\n", "two\n");
  writer.wake();
  await settle();
  assert.equal(conn.text, "one\n");
  later.shift()!();
  await settle();
  assert.equal(conn.text, "one\ntwo\n");
  conn.close();
});

Deno.test("Writer.end writes what is there, the last line, and ends the output once", async () => {
  const { conn, batches, events, writer } = new Source();
  conn.takeBytes(0);
  batches.push("one\n", "two\n");
  writer.wake();
  writer.end(new TextEncoder().encode("bye\n"));
  await settle();
  assert.ok(writer.stuckMs(performance.now() + 1000) >= 1000, "it makes no progress");
  conn.takeBytes(2);
  await settle();
  writer.wake();
  await settle();
  assert.equal(conn.text, "one\ntwo\nbye\n");
  assert.deepEqual(events, ["written one\n", "written two\n", "ended"]);
  conn.close();
});

Deno.test("Writer.release leaves the transport open, and nothing is written to it any more", async () => {
  const { conn, batches, events, writer } = new Source();
  writer.release();
  batches.push("one\n");
  writer.wake();
  writer.end();
  await settle();
  assert.deepEqual([conn.writes, conn.isOutputEnded, conn.isClosed, events], [[], false, false, []]);
});

Deno.test("Writer gives a batch back whose write fails, tells so, and writes no more", async () => {
  const { conn, batches, events, writer } = new Source();
  conn.takeBytes(0);
  batches.push("one\n", "two\n");
  writer.wake();
  conn.failWrite(new Error("broken"));
  await settle();
  writer.wake();
  await settle();
  assert.deepEqual(events, ["written one\n", "failed: broken"]);
  assert.deepEqual(conn.writes, [4]);
});
