// Holds WebSocketTransport against its contract on a stub socket: lines in, lines out, whatever the socket
// takes or gives at once; control frames between frames, never in one; no more of them than fit; how each
// side ends.

import assert from "node:assert/strict";
import fc from "../../../support/fast_check.ts";
import { concat } from "../../../../src/wire/concat.ts";
import type { Served } from "../../../../src/relay/service_queue.ts";
import { MemoryBudget } from "../../../../src/relay/memory_budget.ts";
import { REAL_ENVIRONMENT, type RelayOptions, resolveOptions } from "../../../../src/relay/options.ts";
import { LEAD_BYTES } from "../../../../src/relay/room/cursor.ts";
import { FRONT_BYTES } from "../../../../src/relay/connection/websocket/frame_reader.ts";
import { FramedCopies } from "../../../../src/relay/connection/websocket/framed_copies.ts";
import {
  MAX_MESSAGE_BYTES,
  WebSocketTransport,
} from "../../../../src/relay/connection/websocket/websocket_transport.ts";
import {
  clientFrame,
  closeFrame,
  readServerFrames,
  textFrame,
  toBytes,
} from "../../../support/websocket_frames.ts";
import { settle, StubTransport } from "../../../support/stub_transport.ts";

/** A WebSocket on a stub, and the clock it sees. */
function open(
  { rest = new Uint8Array(0), memory = new MemoryBudget(), ...options }: RelayOptions & {
    rest?: Uint8Array;
    memory?: MemoryBudget;
  } = {},
) {
  const time = { nowMs: 1000 };
  const settings = resolveOptions(options, { ...REAL_ENVIRONMENT, clock: () => time.nowMs });
  const socket = new StubTransport(), copies = new FramedCopies(memory);
  const websocket = new WebSocketTransport(socket, rest, "192.0.2.1:5", copies, settings);
  return { time, socket, copies, websocket };
}

const decoder = new TextDecoder();

/** Reads until there is something, as a connection does, and returns it as text. */
async function read(websocket: WebSocketTransport, bufferBytes = 1024): Promise<string | null> {
  const buffer = new Uint8Array(bufferBytes);
  for (;;) {
    const n = await websocket.read(buffer);
    if (n === null) return null;
    if (n > 0 || websocket.fault !== undefined) return decoder.decode(buffer.subarray(0, n));
  }
}

/** Writes all of it, as a connection does. */
async function writeAll(
  websocket: WebSocketTransport,
  bytes: Uint8Array,
  source?: "block" | "copy",
): Promise<number> {
  let writes = 0;
  for (; bytes.length > 0; writes++) bytes = bytes.subarray(await websocket.write(bytes, source));
  return writes;
}

/** The frames that were written, as `opcode text`, with a `+` behind the opcode of one that goes on. */
function written(socket: StubTransport): string[] {
  const { frames, used } = readServerFrames(socket.bytes);
  assert.equal(used, socket.bytes.length, "no half frame");
  return frames.map(({ opcode, isFinal, payload }) =>
    `${opcode}${isFinal ? "" : "+"} ${decoder.decode(payload)}`
  );
}

// Reading

Deno.test("WebSocketTransport reads lines, first those that came behind the handshake, whatever fits into the buffer", async () => {
  for (const bufferBytes of [8, 9, 100]) {
    const { socket, websocket } = open({ rest: concat([textFrame("1\n2"), textFrame("[3]")]) });
    socket.feed(textFrame("4"));
    let lines = "";
    while (lines.length < 10) lines += await read(websocket, bufferBytes);
    assert.equal(lines, "1\n2\n[3]\n4\n");
    websocket.close();
  }
});

Deno.test("WebSocketTransport.filledBytes tells a full buffer from one with few lines in it", async () => {
  const { socket, websocket } = open();
  const ping = clientFrame({ opcode: 9, payload: "x".repeat(80) });
  socket.feed(concat([textFrame("1"), ping, ping, ping]));
  assert.equal(await read(websocket, 100), "1\n");
  assert.equal(websocket.filledBytes, 100);
  socket.takeBytes(0);
  websocket.close();
});

Deno.test("WebSocketTransport.read returns 0 for control frames and empty ones alone, and says how much they filled", async () => {
  const { socket, websocket } = open();
  const buffer = new Uint8Array(100);
  const chunks = [
    clientFrame({ opcode: 10 }),
    concat([textFrame(""), clientFrame({ opcode: 9 })]),
    concat(Array.from({ length: 20 }, () => textFrame(""))),
  ];
  for (const chunk of chunks) {
    socket.feed(chunk);
    let bytes = 0;
    while (bytes < chunk.length) {
      assert.equal(await websocket.read(buffer), 0);
      assert.equal(websocket.filledBytes, FRONT_BYTES + Math.min(chunk.length - bytes, 100 - FRONT_BYTES));
      bytes += websocket.filledBytes - FRONT_BYTES;
    }
  }
  socket.feed(textFrame("1"));
  assert.equal(await websocket.read(buffer), 2);
  websocket.close();
});

Deno.test("WebSocketTransport delivers what is good before it says that its client is at fault, and then takes what comes for nobody", async () => {
  const { socket, websocket } = open();
  socket.feed(concat([textFrame("1"), clientFrame({ opcode: 3 }), textFrame("2")]));
  assert.equal(await read(websocket), "1\n");
  assert.equal(websocket.fault?.code, 1002);
  const reading = read(websocket);
  socket.feed(textFrame("3"));
  await websocket.closeWrite({ reason: "refused" });
  const [close] = readServerFrames(socket.bytes).frames;
  assert.deepEqual([...close.payload.subarray(0, 2)], [1002 >> 8, 1002 & 255]);
  assert.equal(
    decoder.decode(close.payload.subarray(2)),
    "Cannot read frame: its opcode is 3, 0 to 2 and 8 to 10 are known",
  );
  assert.equal(socket.isOutputEnded, true);
  socket.endInput();
  assert.equal(await reading, null);
  websocket.close();
});

Deno.test("WebSocketTransport.read returns 0 for a fault alone: a message that is too large, and no long line is", async () => {
  for (const [maxLineBytes, most] of [[65536, MAX_MESSAGE_BYTES], [2 ** 21, 2 ** 22]]) {
    const { socket, websocket } = open({ maxLineBytes });
    const reading = read(websocket);
    socket.feed(textFrame("1".repeat(Math.min(most, maxLineBytes))));
    assert.match((await reading)!, /^1+$/);
    assert.equal(websocket.fault, undefined);
    websocket.close();

    const other = open({ maxLineBytes });
    other.socket.feed(clientFrame({ opcode: 1, length: BigInt(most + 1) }));
    assert.equal(await read(other.websocket), "");
    assert.equal(other.websocket.fault?.code, 1009);
    assert.equal(
      other.websocket.fault?.message,
      `Cannot read message: it has more than ${most} bytes, send smaller ones`,
    );
    other.websocket.close();
  }
});

Deno.test("WebSocketTransport rejects where the connection ends without a close frame", async () => {
  for (const before of ["", "1"]) {
    const { socket, websocket } = open();
    if (before !== "") socket.feed(clientFrame({ opcode: 1, isFinal: false, payload: before }));
    socket.endInput();
    if (before !== "") assert.equal(await read(websocket), "1");
    await assert.rejects(read(websocket), Deno.errors.UnexpectedEof);
    websocket.close();
  }
});

Deno.test("WebSocketTransport reads many frames in parts, between which others have their turn", async () => {
  let nowMs = 1000;
  const settings = resolveOptions({}, { ...REAL_ENVIRONMENT, clock: () => nowMs += 0.1 }); // a look at the clock is work here
  const socket = new StubTransport();
  const websocket = new WebSocketTransport(
    socket,
    new Uint8Array(0),
    "",
    new FramedCopies(new MemoryBudget()),
    settings,
  );
  let parts = 0, isRead = false;
  const other: Served = {
    demand: "little",
    serve: () => {
      parts++;
      return !isRead;
    },
    onSlowTurn() {},
  };
  const reading = read(websocket, 65_536).then((lines) => {
    isRead = true;
    return lines;
  });
  const frames = 60_000 / 6 | 0;
  socket.feed(concat([...Array.from({ length: frames }, () => clientFrame({ opcode: 10 })), textFrame("1")]));
  settings.service.serve(other, nowMs, "much");
  assert.equal(await reading, "1\n");
  assert.ok(parts >= 5, `another one had ${parts} turns`);
  websocket.close();
  await settings.loop.close();
});

// Writing

const LINES = toBytes('{"n":1}\n"é"\n');

Deno.test("WebSocketTransport writes one message for a write, however little the socket takes, and counts lines alone", async () => {
  for (const length of [1, 100, 125, 126, 200, 65_536]) {
    const line = toBytes("x".repeat(length - 1) + "\n");
    for (const bytesPerWrite of [1, 2, 3, 9, 11, 1000, Infinity]) {
      if (length > 1000 && bytesPerWrite < 9) continue;
      for (const source of [undefined, "block", "copy"] as const) {
        const { socket, copies, websocket } = open();
        socket.takeBytes(bytesPerWrite);
        const buffer = new Uint8Array(LEAD_BYTES + length);
        buffer.set(line, LEAD_BYTES);
        const writes = await writeAll(websocket, buffer.subarray(LEAD_BYTES), source);
        assert.ok(writes <= Math.ceil(length / bytesPerWrite) + 1, "each write makes progress");
        const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
        const isAlone = source === "block" && length > 1000;
        assert.equal(socket.writes[0], headBytes + (isAlone ? 0 : line.length), "all of it in one write");
        const { frames, used } = readServerFrames(socket.bytes);
        assert.equal(used, socket.bytes.length);
        assert.equal(frames.length, 1);
        assert.deepEqual([frames[0].opcode, frames[0].isFinal], [1, true]);
        assert.deepEqual(frames[0].payload, line);
        copies.close();
        assert.equal(copies.bytes, 0, "no copy is left");
        websocket.close();
      }
    }
  }
});

Deno.test("WebSocketTransport sends binary messages where lines are not checked", async () => {
  const { socket, websocket } = open({ isChecked: false });
  await writeAll(websocket, Uint8Array.of(0xff, 10));
  assert.deepEqual(readServerFrames(socket.bytes).frames, [{
    opcode: 2,
    isFinal: true,
    payload: Uint8Array.of(0xff, 10),
  }]);
  websocket.close();
});

Deno.test("WebSocketTransport makes fragments of writes that end within a line", async () => {
  const { socket, websocket } = open();
  for (const part of ["1\n2", "3", "\n", "4\n5\n"]) await writeAll(websocket, toBytes(part));
  assert.deepEqual(written(socket), ["1+ 1\n2", "0+ 3", "0 \n", "1 4\n5\n"]);
  websocket.close();
});

Deno.test("WebSocketTransport frames a piece of the log once for all who are written it, and frees the copy with the last", async () => {
  const memory = new MemoryBudget(), copies = new FramedCopies(memory);
  const view = toBytes("x".repeat(999) + "\n");
  const all = Array.from({ length: 3 }, () => new StubTransport());
  const sockets = all.map((socket) =>
    new WebSocketTransport(socket, new Uint8Array(0), "", copies, resolveOptions({}))
  );
  for (const socket of all) socket.takeBytes(0);
  const writes = sockets.map((socket) => socket.write(view, "block"));
  const usedBytes = memory.usedBytes;
  assert.ok(usedBytes > 1000 && usedBytes < 3000, `${usedBytes} bytes for one copy`);
  for (const socket of all) socket.takeBytes(Infinity);
  assert.deepEqual(await Promise.all(writes), [1000, 1000, 1000]);
  assert.equal(memory.usedBytes, usedBytes, "kept for a member that is a moment later");
  copies.close();
  assert.equal(memory.usedBytes, 0);
  for (const socket of sockets) socket.close();
});

Deno.test("WebSocketTransport copies a large piece of the log only for who is not the first to be written it", async () => {
  const memory = new MemoryBudget(), copies = new FramedCopies(memory);
  const all = Array.from({ length: 3 }, () => new StubTransport());
  const sockets = all.map((socket) =>
    new WebSocketTransport(socket, new Uint8Array(0), "", copies, resolveOptions({}))
  );
  const large = (first: string) => toBytes(first + "x".repeat(100_000) + "\n");
  const [shared, ...own] = ["s", "a", "b", "c"].map(large);
  for (const socket of all) socket.takeBytes(Infinity);
  // Each its own piece, by turns: nobody else is ever written it.
  for (let round = 0; round < 3; round++) {
    for (const [i, websocket] of sockets.entries()) await writeAll(websocket, own[i].subarray(), "block");
  }
  assert.equal(copies.bytes, 0);
  for (const websocket of sockets) await writeAll(websocket, shared, "block");
  assert.ok(copies.bytes > 100_000 && copies.bytes < 300_000, `${copies.bytes} bytes for one copy`);
  for (const [i, socket] of all.entries()) {
    const payloads = readServerFrames(socket.bytes).frames.map(({ payload }) => payload);
    assert.deepEqual(payloads, [own[i], own[i], own[i], shared]);
    assert.equal(socket.writes.length, i === 0 ? 8 : 7);
    sockets[i].close();
  }
  copies.close();
  assert.equal(memory.usedBytes, 0);
});

Deno.test("WebSocketTransport copies nothing while memory is short, and nothing that is too large", async () => {
  for (const [length, maxMemoryBytes] of [[1000, 1000], [300_000, 1e9]]) {
    const memory = new MemoryBudget({ maxMemoryBytes });
    memory.open().resize(900);
    const { socket, copies, websocket } = open({ memory });
    for (const bytesPerWrite of [Infinity, 3, 1000]) {
      if (length > 1000 && bytesPerWrite < 1000) continue;
      socket.takeBytes(bytesPerWrite);
      const line = toBytes("x".repeat(length - 1) + "\n");
      await writeAll(websocket, line, "block");
      assert.deepEqual(readServerFrames(socket.bytes).frames.at(-1)!.payload, line);
    }
    assert.equal(copies.bytes, 0);
    websocket.close();
    memory.close();
  }
});

Deno.test("WebSocketTransport frees its copy when a write fails", async () => {
  const { socket, copies, websocket } = open();
  socket.takeBytes(0);
  const writing = websocket.write(LINES, "block");
  websocket.close();
  await assert.rejects(writing, Deno.errors.BadResource);
  copies.close();
  assert.equal(copies.bytes, 0);
});

// Control frames

Deno.test("WebSocketTransport answers each ping with what it carries, in order", async () => {
  const { socket, websocket } = open();
  const reading = read(websocket);
  socket.feed(concat(["a", "", "b".repeat(125)].map((payload) => clientFrame({ opcode: 9, payload }))));
  await settle();
  socket.feed(concat([clientFrame({ opcode: 9, payload: "c" }), textFrame("1")]));
  assert.equal(await reading, "1\n");
  await settle();
  assert.deepEqual(written(socket), ["10 a", "10 ", `10 ${"b".repeat(125)}`, "10 c"]);
  websocket.close();
});

Deno.test("WebSocketTransport ends the frame under way before a pong, and writes it before the next frame", async () => {
  for (const bytesPerWrite of [1, 4, 9]) {
    const { socket, websocket } = open();
    socket.takeBytes(0);
    const writing = writeAll(websocket, LINES);
    void read(websocket).catch(() => {});
    socket.feed(clientFrame({ opcode: 9, payload: "p" }));
    await settle();
    socket.takeOnce(bytesPerWrite); // of the header, or of the lines
    await settle();
    socket.takeBytes(bytesPerWrite);
    await writing;
    await writeAll(websocket, toBytes("2\n"));
    assert.deepEqual(written(socket), [`1 ${decoder.decode(LINES)}`, "10 p", "1 2\n"]);
    websocket.close();
  }
});

Deno.test("WebSocketTransport answers a flood of pings that it can't write with a few pongs, of which the last is the newest", async () => {
  const { socket, websocket } = open();
  socket.takeBytes(0);
  void read(websocket, 64 * 1024).catch(() => {});
  for (let i = 0; i < 1000; i++) socket.feed(clientFrame({ opcode: 9, payload: `${i}` }));
  do await settle(); while (socket.readBufferBytes === 0); // until all are read
  socket.takeBytes(Infinity);
  await settle();
  const pongs = written(socket);
  assert.ok(pongs.length < 40, `${pongs.length} pongs`);
  assert.equal(pongs[0], "10 0");
  assert.equal(pongs.at(-1), "10 999");
  websocket.close();
});

Deno.test("WebSocketTransport lets lines pass between pongs, however many pings there are", async () => {
  const { socket, websocket } = open();
  socket.takeBytes(0);
  void read(websocket).catch(() => {});
  socket.feed(clientFrame({ opcode: 9, payload: "a" }));
  await settle();
  const writing = writeAll(websocket, LINES);
  socket.feed(clientFrame({ opcode: 9, payload: "b" }));
  await settle();
  socket.takeBytes(Infinity);
  await writing;
  await settle();
  assert.deepEqual(written(socket), ["10 a", `1 ${decoder.decode(LINES)}`, "10 b"]);
  websocket.close();
});

Deno.test("WebSocketTransport.sweep pings after 5 s of silence, once in 5 s, and any frame counts as heard", async () => {
  const { socket, time, websocket } = open();
  void read(websocket).catch(() => {});
  const sweep = async (nowMs: number) => {
    websocket.sweep(time.nowMs = nowMs);
    await settle();
    return written(socket).length;
  };
  assert.equal(await sweep(5999), 0);
  assert.equal(await sweep(6000), 1);
  assert.equal(await sweep(10_999), 1);
  assert.equal(await sweep(11_000), 2);
  assert.deepEqual(written(socket), ["9 \x01", "9 \x02"]);
  assert.equal(websocket.silentMs(12_000), 11_000);
  time.nowMs = 12_000;
  for (const frame of [clientFrame({ opcode: 10 }), textFrame("")]) {
    socket.feed(frame);
    await settle();
    assert.equal(websocket.silentMs(time.nowMs), 0);
    time.nowMs += 1000;
  }
  assert.equal(await sweep(17_999), 2);
  assert.equal(await sweep(18_000), 3);
  websocket.close();
});

Deno.test("WebSocketTransport.rttMs is how long the answer to the newest ping took, of one that is never silent, too", async () => {
  const { socket, time, websocket } = open();
  void read(websocket).catch(() => {});
  for (let s = 1; s <= 16; s++) {
    socket.feed(clientFrame({ opcode: 10, payload: "unasked" }));
    await settle();
    websocket.sweep(time.nowMs += 1000);
  }
  assert.equal(websocket.rttMs, undefined);
  await settle();
  assert.deepEqual(written(socket), ["9 \x01"]);
  time.nowMs += 37;
  for (const payload of ["\x00", "", "\x01\x01"]) socket.feed(clientFrame({ opcode: 10, payload }));
  await settle();
  assert.equal(websocket.rttMs, undefined);
  socket.feed(clientFrame({ opcode: 10, payload: "\x01" }));
  await settle();
  assert.equal(websocket.rttMs, 1037, "since the sweep that asked");
  websocket.close();
});

Deno.test("WebSocketTransport.silentMs leaves a slow network the time that what was written takes", async () => {
  const { socket, time, websocket } = open();
  void read(websocket).catch(() => {});
  await writeAll(websocket, new Uint8Array(256 * 1024).fill(10));
  assert.equal(websocket.silentMs(time.nowMs + 10_000), 6000);
  socket.feed(clientFrame({ opcode: 10, payload: "unasked" }));
  await settle();
  assert.equal(websocket.silentMs(time.nowMs + 10_000), 10_000, "what was written before has arrived");
  websocket.close();
});

Deno.test("WebSocketTransport.sweep asks sooner where silence is the end sooner", async () => {
  const { socket, time, websocket } = open({ pingTimeoutMs: 300 });
  websocket.sweep(time.nowMs += 99);
  await settle();
  assert.deepEqual(written(socket), []);
  websocket.sweep(time.nowMs += 1);
  await settle();
  assert.deepEqual(written(socket), ["9 \x01"]);
  websocket.close();
});

// Ends

/** Reads the close frame that was written last. */
function closeWritten(socket: StubTransport): [code: number | undefined, reason: string] {
  const { opcode, payload } = readServerFrames(socket.bytes).frames.at(-1)!;
  assert.equal(opcode, 8);
  return [
    payload.length === 0 ? undefined : payload[0] << 8 | payload[1],
    decoder.decode(payload.subarray(2)),
  ];
}

Deno.test("WebSocketTransport echoes a close and then ends its output", async () => {
  for (const [code, reason] of [[1000, ""], [1001, ""], [4321, "später"], [undefined, ""]] as const) {
    const { socket, websocket } = open();
    socket.feed(concat([textFrame("1"), closeFrame(code, reason), textFrame("2")]));
    assert.equal(await read(websocket), "1\n");
    assert.equal(await read(websocket), null);
    assert.equal(websocket.hasClosed, true);
    assert.equal(await read(websocket), null);
    await websocket.closeWrite({ reason: "closed" });
    assert.deepEqual(closeWritten(socket), [code, reason]);
    assert.equal(socket.isOutputEnded, true);
    websocket.close();
  }
});

Deno.test("WebSocketTransport.closeWrite says why, and leaves the socket open for the other side's close", async () => {
  const cases = [
    [{ reason: "shutdown" }, 1001, "shutdown"],
    [{ reason: "refused", code: "relay_full" }, 1013, "relay_full"],
    [{ reason: "refused", code: "too_many_rooms" }, 1013, "too_many_rooms"],
    [{ reason: "refused", code: "bad_token" }, 1008, "bad_token"],
    [{ reason: "refused", code: "too_many_errors" }, 1008, "too_many_errors"],
    [{ reason: "bye" }, 1000, "bye"],
    [undefined, 1000, ""],
  ] as const;
  for (const [farewell, code, reason] of cases) {
    const { socket, websocket } = open();
    const reading = read(websocket);
    await websocket.closeWrite(farewell);
    assert.deepEqual(closeWritten(socket), [code, reason]);
    assert.equal(socket.isOutputEnded, false);
    socket.feed(concat([textFrame("1"), closeFrame(code)]));
    assert.equal(await reading, "1\n");
    assert.equal(await read(websocket), null);
    websocket.close();
  }
});

Deno.test("WebSocketTransport.closeWrite waits for a pong that is being written, and nothing comes behind the close", async () => {
  const { socket, time, websocket } = open();
  socket.takeBytes(0);
  void read(websocket).catch(() => {});
  socket.feed(clientFrame({ opcode: 9, payload: "a" }));
  await settle();
  const closing = websocket.closeWrite({ reason: "shutdown" });
  socket.feed(clientFrame({ opcode: 9, payload: "b" }));
  await settle();
  socket.takeBytes(1);
  await closing;
  websocket.sweep(time.nowMs += 10_000);
  await settle();
  assert.deepEqual(readServerFrames(socket.bytes).frames.map(({ opcode }) => opcode), [10, 8]);
  websocket.close();
});

Deno.test("WebSocketTransport takes an end of the connection behind its own close for the answer", async () => {
  const { socket, websocket } = open();
  const reading = read(websocket);
  await websocket.closeWrite({ reason: "shutdown" });
  socket.endInput();
  assert.equal(await reading, null);
  websocket.close();
});

Deno.test("WebSocketTransport.close lets a read and a write that are under way reject", async () => {
  const { socket, websocket } = open();
  socket.takeBytes(0);
  const both = [assert.rejects(read(websocket)), assert.rejects(websocket.write(LINES))];
  await settle();
  websocket.close();
  await Promise.all(both);
});

Deno.test("WebSocketTransport keeps lines, pongs and pings apart in any order of events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({
            kind: fc.constant("write"),
            bytes: fc.integer({ min: 1, max: 300 }),
            isWhole: fc.boolean(),
          }),
          fc.record({ kind: fc.constant("ping") }),
          fc.record({ kind: fc.constant("take"), bytes: fc.integer({ min: 1, max: 200 }) }),
          fc.record({ kind: fc.constant("sweep") }),
        ),
        { maxLength: 30 },
      ),
      async (steps) => {
        const { socket, time, copies, websocket } = open();
        socket.takeBytes(0);
        const reading = read(websocket).catch(() => {});
        let writing: Promise<unknown> = Promise.resolve(), said = "", pings = 0;
        for (const step of steps) {
          switch (step.kind) {
            case "write": {
              const text = "x".repeat(step.bytes - 1) + (step.isWhole ? "\n" : "y");
              said += text;
              writing = writing.then(() => writeAll(websocket, toBytes(text)));
              break;
            }
            case "ping":
              if (pings < 10) socket.feed(clientFrame({ opcode: 9, payload: `${pings++}` }));
              break;
            case "take":
              if (socket.isStuck) socket.takeOnce(step.bytes);
              break;
            case "sweep":
              websocket.sweep(time.nowMs += 6000);
          }
          for (let i = 0; i < 5; i++) await Promise.resolve();
        }
        await settle();
        socket.takeBytes(7);
        await writing;
        await settle();
        const { frames, used } = readServerFrames(socket.bytes);
        assert.equal(used, socket.bytes.length);
        const text = (isKind: (opcode: number) => boolean) =>
          frames.filter(({ opcode }) => isKind(opcode)).map(({ payload }) => decoder.decode(payload));
        assert.equal(text((opcode) => opcode < 8).join(""), said);
        assert.deepEqual(text((opcode) => opcode === 10), Array.from({ length: pings }, (_, i) => `${i}`));
        // A message ends where a write does that ends a line.
        let isMidMessage = false;
        for (const { opcode, isFinal, payload } of frames) {
          if (opcode >= 8) continue;
          assert.equal(opcode, isMidMessage ? 0 : 1);
          isMidMessage = !isFinal;
          assert.equal(isFinal, payload.at(-1) === 10);
        }
        websocket.close();
        await reading;
        copies.close();
        assert.equal(copies.bytes, 0);
      },
    ),
    { numRuns: 100 },
  );
});
