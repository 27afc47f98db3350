// Holds Input against its contract on a time that only the test moves: which lines are taken when, how fast a
// client may be, and whether it counts as silent or in the middle of a line meanwhile.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Input, type InputSink } from "../../../src/relay/connection/input.ts";
import { ServiceQueue } from "../../../src/relay/service_queue.ts";
import { EventLoop } from "../../../src/relay/event_loop.ts";
import { ManualTime } from "../../support/manual_time.ts";

const encoder = new TextEncoder();

/** An input, and what came of it. */
class Client implements InputSink, Disposable {
  readonly address = "192.0.2.1:5";
  readonly time = new ManualTime();
  readonly log: Record<string, string | number>[] = [];
  readonly input: Input;
  readonly #loop: EventLoop;
  taken: string[] = [];
  parts = 0;
  tooFast = 0;
  /** What each line takes of the time, in ms, as far as the queue sees it. */
  msPerLine = 0;

  constructor(options: { maxLinesPerSecond?: number; time?: ManualTime; service?: ServiceQueue } = {}) {
    if (options.time !== undefined) this.time = options.time;
    const { clock, timers } = this.time;
    this.#loop = new EventLoop(clock);
    this.input = new Input(this, {
      maxLineBytes: 1000,
      isChecked: true,
      maxLinesPerSecond: options.maxLinesPerSecond ?? Infinity,
      clock,
      timers,
      service: options.service ?? new ServiceQueue(clock, this.#loop),
      log: (_level, message, fields) => this.log.push({ message, ...fields }),
    });
    this.input.sorter.takesControl = true;
  }

  /** Takes a text in one chunk; the promise resolves when all its lines are taken. */
  async take(text: string): Promise<void> {
    await this.input.take(encoder.encode(text), this.time.nowMs);
  }

  onLines(bytes: Uint8Array, start: number, end: number, lines: number): void {
    this.taken.push(...new TextDecoder().decode(bytes.subarray(start, end)).split("\n").slice(0, -1));
    this.time.nowMs += lines * this.msPerLine;
  }

  onControl(bytes: Uint8Array, start: number, end: number): void {
    this.onLines(bytes, start, end, 1);
  }

  onBadLine({ line }: { line?: number }): void {
    this.taken.push(`bad ${line}`);
    this.time.nowMs += this.msPerLine;
  }

  onPart(): void {
    this.parts++;
  }

  onTooFast(): void {
    this.tooFast++;
  }

  [Symbol.dispose](): void {
    this.input.stop();
    void this.#loop.close();
  }
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}`);
}

async function turn(): Promise<void> {
  await new Promise<void>((done) => setImmediate(done));
}

Deno.test("Input takes a short chunk at once, without a turn and without a promise", () => {
  using client = new Client();
  const taken = client.input.take(encoder.encode('1\n\nbad\n{"$a":1}\n2'), 0);
  assert.equal(taken, undefined);
  assert.deepEqual(client.taken, ["1", "bad 3", '{"$a":1}']);
  assert.equal(client.parts, 1);
});

Deno.test("Input takes lines in parts where they need time, loses none, and lets others be served between", async () => {
  const time = new ManualTime();
  const loop = new EventLoop(time.clock), service = new ServiceQueue(time.clock, loop);
  for (const line of ["bad", '{"$set":1}', '{"say":"something"}']) {
    using flooder = new Client({ time, service });
    using quiet = new Client({ time, service });
    flooder.msPerLine = 0.01;
    const startedMs = time.nowMs;
    let isTaken = false;
    const taken = flooder.take(`${line}\n`.repeat(3000)).then(() => isTaken = true);
    let turns = 0;
    for (; !isTaken; turns++) {
      const before = flooder.taken.length;
      await turn();
      assert.ok(flooder.taken.length - before < 1500, `${flooder.taken.length - before} lines in a turn`);
      quiet.taken = [];
      assert.equal(quiet.input.take(encoder.encode("1\n"), time.nowMs), undefined, "at once");
      assert.deepEqual(quiet.taken, ["1"]);
    }
    await taken;
    assert.ok(turns >= 2 && time.nowMs - startedMs >= 29, `${turns} turns`);
    assert.equal(flooder.taken.length, 3000);
  }
  await loop.close();
});

Deno.test("Input lets a second's worth of lines through at once and the others one by one, evenly", async () => {
  for (const line of ["1", '{"$set":1}', "bad"]) {
    using client = new Client({ maxLinesPerSecond: 10 });
    const taken = client.take(`${line}\n`.repeat(30));
    const counts: number[] = [client.taken.length];
    for (let i = 0; i < 20; i++) {
      await client.time.pass(100);
      counts.push(client.taken.length);
    }
    assert.deepEqual(counts, Array.from({ length: 21 }, (_, i) => 10 + i), line);
    await taken;
    assert.equal(client.tooFast, 20, "once for each wait");
    assert.equal(client.time.running, 0);
  }
});

Deno.test("Input keeps the rate over any number of chunks and cuts, with every line in order", async () => {
  for (const size of [1, 3, 7, 1000]) {
    using client = new Client({ maxLinesPerSecond: 10 });
    const text = numbers(40).map((line) => line + "\n").join("");
    const chunks = Array.from(
      { length: Math.ceil(text.length / size) },
      (_, i) => text.slice(i * size, (i + 1) * size),
    );
    const all = (async () => {
      for (const chunk of chunks) await client.take(chunk);
    })();
    await client.time.pass(1000);
    assert.ok(client.taken.length >= 19 && client.taken.length <= 20, `${client.taken.length}`);
    await client.time.pass(2100);
    await all;
    assert.deepEqual(client.taken, numbers(40));
  }
});

Deno.test("Input of a client within its rate never waits", async () => {
  using client = new Client({ maxLinesPerSecond: 10 });
  for (let i = 0; i < 50; i++) {
    assert.equal(client.input.take(encoder.encode("1\n"), client.time.nowMs), undefined);
    await client.time.pass(100);
  }
  assert.deepEqual([client.taken.length, client.tooFast], [50, 0]);
});

Deno.test("Input counts a client as neither silent nor in the middle of a line while it does not listen", async () => {
  using client = new Client({ maxLinesPerSecond: 1 });
  const taken = client.take("1\n2\n3\n4");
  await client.time.pass(1500);
  assert.deepEqual([client.input.silentMs(1500), client.input.midLineMs(1500)], [0, 0]);
  await client.time.pass(1000);
  await taken;
  assert.deepEqual([client.input.silentMs(3000), client.input.midLineMs(3000)], [1000, 1000]);
});

Deno.test("Input says how long a line was begun, each with its own time", async () => {
  using client = new Client();
  const steps: [string, number][] = [["1", 100], ["2", 200], ["\n3", 100], ["\n", 0], ["4\n5", 100], [
    "6\n",
    0,
  ]];
  for (const [text, midLineMs] of steps) {
    await client.take(text);
    client.time.nowMs += 100;
    assert.equal(client.input.midLineMs(client.time.nowMs), midLineMs, text);
  }
});

Deno.test("Input.stop drops what waits and ends the wait", async () => {
  for (const options of [{ maxLinesPerSecond: 1 }, {}]) {
    using client = new Client(options);
    client.msPerLine = 1;
    const taken = client.take("bad\n".repeat(1000));
    await turn();
    client.input.stop();
    await taken;
    const before = client.taken.length;
    await client.take("1\n");
    client.input.end();
    await client.time.pass(2000);
    assert.equal(client.taken.length, before);
    assert.ok(before < 1000);
    assert.equal(client.time.running, 0);
  }
});

Deno.test("Input that is stopped by one of its own lines takes no further ones", async () => {
  using client = new Client();
  client.onControl = () => client.input.stop();
  await client.take('1\n{"$bye":{}}\n' + "bad\n".repeat(1000));
  assert.ok(client.taken.length < 100, `${client.taken.length}`);
});

Deno.test("Input logs a turn that took too long, whose input it was and of what kind", async () => {
  using client = new Client();
  client.msPerLine = 60;
  void client.take('{"$set":1}\n');
  await turn();
  assert.deepEqual(client.log, [
    { message: "slow turn", address: "192.0.2.1:5", kind: "control lines", turnMs: 60, inputMs: 60 },
  ]);
});
