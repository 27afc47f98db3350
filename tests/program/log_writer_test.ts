import assert from "node:assert/strict";
import { LogWriter } from "../../src/program/log_writer.ts";
import { pause } from "../support/pause.ts";

const decoder = new TextDecoder();

/** A sink whose writes the test settles: it takes so many bytes of the one that waits, or makes it fail. */
class StubSink {
  text = "";
  #waiting: { bytes: Uint8Array; resolve: (n: number) => void; reject: (error: Error) => void } | undefined;
  #onWrite: (() => void) | undefined;

  write(bytes: Uint8Array): Promise<number> {
    assert.equal(this.#waiting, undefined, "one write is under way at the most");
    assert.ok(bytes.length > 0);
    return new Promise((resolve, reject) => {
      this.#waiting = { bytes, resolve, reject };
      this.#onWrite?.();
    });
  }

  /** How long the write is that waits. */
  get waitingBytes(): number {
    return this.#waiting?.bytes.length ?? 0;
  }

  async take(count = Infinity): Promise<void> {
    const { bytes, resolve } = await this.#next();
    const part = bytes.subarray(0, count);
    this.text += decoder.decode(part);
    resolve(part.length);
  }

  async fail(): Promise<void> {
    (await this.#next()).reject(new Error("No space left on device"));
  }

  async #next() {
    if (this.#waiting === undefined) await new Promise<void>((done) => this.#onWrite = done);
    const waiting = this.#waiting!;
    this.#waiting = this.#onWrite = undefined;
    return waiting;
  }
}

function setUp(maxQueued = 100) {
  const sink = new StubSink();
  const writer = new LogWriter(sink, (count) => `dropped ${count}`, { maxQueued, retryMs: 1 });
  return { sink, writer };
}

/** Lets everything be written, and says how long each write was. */
async function takeAll(sink: StubSink, writer: LogWriter): Promise<number[]> {
  const sizes: number[] = [];
  let isDone = false;
  const done = writer.flush(10_000).then((isAll) => {
    assert.ok(isAll);
    isDone = true;
  });
  for (; !isDone; await pause()) {
    if (sink.waitingBytes === 0) continue;
    sizes.push(sink.waitingBytes);
    await sink.take();
  }
  await done;
  return sizes;
}

Deno.test("LogWriter writes lines in order, and all that gathered meanwhile at once", async () => {
  const { sink, writer } = setUp();
  for (const line of ["a", "b", "c"]) writer.write(line);
  await sink.take();
  assert.equal(sink.text, "a\n");
  await sink.take();
  assert.equal(sink.text, "a\nb\nc\n");
  assert.equal(await writer.flush(1000), true);
});

Deno.test("LogWriter goes on in the middle of a line after a short write and after a failure", async () => {
  const { sink, writer } = setUp();
  writer.write("hello world");
  await sink.take(3);
  await sink.fail();
  await sink.fail();
  await sink.take(4);
  await sink.take();
  assert.equal(sink.text, "hello world\n");
  assert.equal(await writer.flush(1000), true);
});

Deno.test("LogWriter drops what its queue has no room for, and says so in its place", async () => {
  const { sink, writer } = setUp(30);
  for (let i = 10; i < 100; i++) writer.write(`line ${i}`); // three of 8 fit, the one under way included
  await sink.take();
  await pause();
  writer.write("between");
  await takeAll(sink, writer);
  assert.equal(sink.text, "line 10\nline 11\nline 12\ndropped 87\nbetween\n");
});

Deno.test("LogWriter tells of dropped lines when its queue is empty, also if nothing more is logged", async () => {
  const { sink, writer } = setUp(17); // the end of the second one does not fit
  for (let i = 0; i < 5; i++) writer.write("12345678");
  await sink.take();
  await sink.take();
  assert.equal(await writer.flush(1000), true);
  assert.equal(sink.text, "12345678\ndropped 4\n");
});

Deno.test("LogWriter holds a bounded amount however much is logged while nothing is written", async () => {
  const { sink, writer } = setUp(1000);
  for (let i = 0; i < 100_000; i++) writer.write("x".repeat(99));
  await takeAll(sink, writer);
  assert.equal(sink.text, `${"x".repeat(99)}\n`.repeat(10) + "dropped 99990\n");
});

Deno.test("LogWriter.flush gives up after its time when nothing is taken", async () => {
  const { sink, writer } = setUp();
  assert.equal(await writer.flush(1000), true, "nothing waits");
  writer.write("a");
  assert.equal(await writer.flush(5), false);
  await sink.take();
  assert.equal(await writer.flush(1000), true);
});

Deno.test("LogWriter hands over long queues in writes of a bounded size, never less than a line", async () => {
  const { sink, writer } = setUp(1_000_000);
  writer.write("first");
  for (let i = 0; i < 100; i++) writer.write("y".repeat(999));
  writer.write("z".repeat(50_000));
  await sink.take();
  const sizes = await takeAll(sink, writer);
  assert.equal(sizes.reduce((a, b) => a + b), 100_000 + 50_001);
  assert.deepEqual(sizes, [16_000, 16_000, 16_000, 16_000, 16_000, 16_000, 4000, 50_001]);
});
