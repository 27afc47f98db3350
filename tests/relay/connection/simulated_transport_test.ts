// Holds SimulatedTransport against its contract: the same bytes, in order, later; no more on the line than it
// may hold; an end that lets everything arrive, and a close that lets nothing.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { SimulatedTransport } from "../../../src/relay/connection/simulated_transport.ts";
import { parseSimulation, type SimulationOptions } from "../../../src/simulation/parse_simulation.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { StubTransport } from "../../support/stub_transport.ts";

/** A line, and what the test controls around it. */
function makeLine(
  text: string,
  memory = new MemoryBudget(),
  change: Partial<SimulationOptions> = {},
  loop = {},
) {
  const time = new ManualTime(), conn = new StubTransport();
  const line = new SimulatedTransport(conn, { ...parseSimulation(text), ...change }, {
    clock: time.clock,
    timers: time.timers,
    memory,
    loop: { inTurn: (work) => work(), turnIfBusy: () => undefined, ...loop },
  });
  return { time, conn, line, memory };
}

/** Writes all of it, as a connection does. */
async function writeAll(line: SimulatedTransport, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) {
    bytes = bytes.subarray(await line.write(bytes.subarray(0, line.maxWriteBytes)));
  }
}

/** `count` bytes of which any piece is out of place anywhere else. */
function somebytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}

Deno.test("SimulatedTransport delivers what was written after the delay, and not what the caller made of the buffer since", async () => {
  const { time, conn, line } = makeLine("delay=80ms");
  const bytes = new TextEncoder().encode("hello");
  assert.equal(await line.write(bytes), 5);
  bytes.fill(0);
  await time.pass(79);
  assert.equal(conn.text, "");
  await time.pass(1);
  assert.equal(conn.text, "hello");
  line.close();
  assert.equal(time.running, 0);
});

Deno.test("SimulatedTransport delivers any writes in order over any network, whatever the connection takes at once", async () => {
  const network = fc.array(
    fc.constantFrom(
      "lan",
      "wifi",
      "mobile",
      "awful",
      "rate=1k",
      "rate=64k",
      "stall=10s/100ms",
      "spike=10s/100ms",
      "delay=10s",
    ),
    { minLength: 1, maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(
      network,
      fc.array(fc.nat(2000), { maxLength: 8 }),
      fc.nat(500),
      async (parts, sizes, taken) => {
        const { time, conn, line, memory } = makeLine(parts.join(), undefined, {
          cutEveryMs: Infinity,
        });
        conn.takeBytes(taken + 1);
        const all = somebytes(sizes.reduce((sum, size) => sum + size, 0));
        let at = 0, isWritten = false;
        void (async () => {
          for (const size of sizes) {
            await writeAll(line, all.subarray(at, at + size));
            at += size;
          }
          await line.closeWrite();
          isWritten = true;
        })();
        for (let i = 0; i < 1000 && !isWritten; i++) await time.pass(10_000);
        assert.ok(isWritten && conn.isOutputEnded);
        assert.deepEqual(conn.bytes, all);
        assert.equal(memory.usedBytes, 0);
        line.close();
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("SimulatedTransport holds 256 KiB at most, also in small pieces, and then makes the writer wait", async () => {
  for (const size of [10, 1000, 300_000]) {
    const { time, conn, line, memory } = makeLine("delay=10s");
    let written = 0;
    const loop = (async () => {
      for (;;) written += await line.write(new Uint8Array(size));
    })().catch(() => {});
    await time.pass(9000);
    const pieces = Math.ceil(written / size); // each takes 100 bytes of the line, and 1,024 of memory
    const underwayBytes = written + 100 * pieces;
    assert.ok(underwayBytes <= 256 * 1024 && underwayBytes > 255 * 1024, `${underwayBytes} bytes`);
    assert.equal(memory.usedBytes, written + 1024 * pieces);
    const before = written;
    await time.pass(1000);
    assert.ok(written > before && conn.bytes.length > 0);
    line.close();
    await loop;
    assert.equal(memory.usedBytes, 0);
  }
});

Deno.test("SimulatedTransport takes no more than a moment's bytes of a slow line: the rest can still be skipped", async () => {
  const { time, line } = makeLine("rate=10k,delay=5s");
  assert.equal(line.maxWriteBytes, 1024);
  assert.equal(await line.write(new Uint8Array(50_000)), 1024);
  let isTaken = false;
  line.write(new Uint8Array(10)).then(() => isTaken = true, () => {});
  await time.pass(99);
  assert.equal(isTaken, false);
  await time.pass(2);
  assert.equal(isTaken, true);
  line.close();
});

Deno.test("SimulatedTransport takes nothing while it stalls", async () => {
  const { time, conn, line } = makeLine("stall=10s/100ms,seed=2");
  let written = 0;
  const loop = (async () => {
    for (;;) {
      written += await line.write(new Uint8Array(10));
      await new Promise<void>((done) => time.timers.setTimeout(done, 1));
    }
  })().catch(() => {});
  await time.pass(5000); // it stalls by now, all but surely
  const before = [written, conn.bytes.length];
  await time.pass(4000);
  assert.deepEqual([written, conn.bytes.length], before);
  await time.pass(10_000);
  assert.ok(written > before[0]);
  line.close();
  await time.pass(10);
  await loop;
});

Deno.test("SimulatedTransport without memory goes on, with little on its way", async () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 1 });
  const { time, conn, line } = makeLine("delay=100ms", memory);
  const done = writeAll(line, somebytes(20_000));
  await time.pass(50);
  assert.ok(memory.usedBytes <= 6 * 1024, `${memory.usedBytes}`);
  await time.pass(1000);
  await done;
  assert.deepEqual(conn.bytes, somebytes(20_000));
  line.close();
  memory.close();
});

Deno.test("SimulatedTransport breaks when its network does: everything under way fails, and closing it again is nothing", async () => {
  const { time, conn, line } = makeLine("cut=1s,delay=10s");
  let failed: unknown;
  writeAll(line, new Uint8Array(300_000)).catch((error) => failed = error);
  await time.pass(100_000);
  assert.ok(conn.isClosed && failed instanceof Deno.errors.BadResource);
  line.close();
  await line.closeWrite();
});

Deno.test("SimulatedTransport tells the writer when the connection behind it fails", async () => {
  const { time, conn, line } = makeLine("delay=10ms");
  conn.takeBytes(0);
  await line.write(new Uint8Array(10));
  await time.pass(10);
  conn.failWrite(new Deno.errors.BrokenPipe("gone"));
  await time.pass(0);
  await assert.rejects(line.write(new Uint8Array(10)), Deno.errors.BrokenPipe);
  line.close();
});

Deno.test("SimulatedTransport that becomes another network delivers what is on its way first", async () => {
  const { time, conn, line } = makeLine("delay=1s");
  await line.write(new TextEncoder().encode("slow "));
  line.become(parseSimulation("delay=10ms"));
  await line.write(new TextEncoder().encode("fast"));
  await time.pass(500);
  assert.equal(conn.text, "");
  await time.pass(500);
  assert.equal(conn.text, "slow fast");
  line.close();
});

Deno.test("SimulatedTransport does what is due in turns, where the loop is busy, and nothing after close", async () => {
  const turns: (() => void)[] = [];
  const turnIfBusy = () => new Promise<void>((done) => turns.push(done));
  const loop = { turnIfBusy, inTurn: (work: () => void) => turnIfBusy().then(work) };
  const { time, conn, line } = makeLine("delay=80ms", new MemoryBudget(), {}, loop);
  for (const text of ["1", "2", "3"]) await line.write(new TextEncoder().encode(text));
  await time.pass(80);
  for (const expected of ["", "1", "12"]) {
    assert.deepEqual([conn.text, turns.length], [expected, 1]);
    turns.shift()!();
    await time.pass(0);
  }
  assert.deepEqual([conn.text, turns.length], ["123", 0]);
  for (const text of ["4", "5"]) await line.write(new TextEncoder().encode(text));
  await time.pass(80);
  line.close();
  turns.shift()!();
  await time.pass(0);
  assert.deepEqual([conn.text, turns.length, time.running], ["123", 0, 0]);
});
