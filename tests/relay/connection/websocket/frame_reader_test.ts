// Holds FrameReader against RFC 6455, rule by rule: each case in one piece, byte by byte and cut in two at
// every place; and any frames against a model that has the whole input before it.

import assert from "node:assert/strict";
import fc from "../../../support/fast_check.ts";
import { FrameReader, FRONT_BYTES } from "../../../../src/relay/connection/websocket/frame_reader.ts";
import {
  type ClientFrame,
  clientFrame,
  closeFrame,
  textFrame,
  toBytes,
} from "../../../support/websocket_frames.ts";
import { concat } from "../../../../src/wire/concat.ts";

const MAX_MESSAGE_BYTES = 1 << 20;

/** All that came of an input. */
interface Outcome {
  lines: string;
  pings: string[];
  /** The code, 1005 where there is none, and the reason. */
  close?: [number, string];
  /** The code with which the relay closes. */
  fault?: number;
}

/** Makes a text with a character for each byte, whatever they are. */
function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Reads chunks into buffers of the test's own, at an odd place in memory. */
function readChunks(chunks: Iterable<Uint8Array>, maxMessageBytes = MAX_MESSAGE_BYTES, maxFrames = Infinity) {
  const outcome: Outcome = { lines: "", pings: [] };
  const reader = new FrameReader({
    onPing: (payload) => outcome.pings.push(text(payload)),
    onPong: () => {},
    onClose: ({ code, reason }) => outcome.close = [code ?? 1005, reason],
  }, maxMessageBytes);
  let shift = 0;
  for (const chunk of chunks) {
    shift = (shift + 1) % 4;
    const buffer = new Uint8Array(shift + FRONT_BYTES + chunk.length).subarray(shift);
    buffer.set(chunk, FRONT_BYTES);
    reader.begin(buffer, FRONT_BYTES + chunk.length);
    while (!reader.read(maxFrames));
    outcome.lines += text(buffer.subarray(0, reader.lineBytes));
    if (reader.fault !== undefined || reader.hasClosed) break;
  }
  if (reader.fault !== undefined) {
    outcome.fault = reader.fault.code;
    assert.match(reader.fault.message, /^Cannot read (frame|message|close frame): /);
    assert.ok(toBytes(reader.fault.message).length <= 123, "the message fits into a close frame");
  }
  return { outcome, reader };
}

function cutInTwo(bytes: Uint8Array, at: number): Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0);
}

function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Checks what comes of an input, however it is cut. */
function expect(frames: readonly Uint8Array[], outcome: Partial<Outcome>, maxMessageBytes?: number): void {
  const bytes = concat(frames), wanted = { lines: "", pings: [], ...outcome };
  const seen = (chunks: Uint8Array[], maxFrames?: number) =>
    readChunks(chunks, maxMessageBytes, maxFrames).outcome;
  assert.deepEqual(seen([bytes]), wanted);
  assert.deepEqual(seen([bytes], 1), wanted, "a frame at a time");
  assert.deepEqual(seen(byteByByte(bytes)), wanted, "byte by byte");
  for (let at = 1; at < bytes.length; at++) {
    assert.deepEqual(seen(cutInTwo(bytes, at)), wanted, `cut at ${at}`);
  }
}

const frame = clientFrame;

/** The letters of the alphabet, over and over. */
function letters(count: number): string {
  return Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i % 26)).join("");
}

Deno.test("FrameReader unmasks text and binary messages, and adds an LF where the last line has none", () => {
  expect([textFrame('{"n":1}\n'), frame({ opcode: 2, payload: "[2]" }), textFrame("3\n4")], {
    lines: '{"n":1}\n[2]\n3\n4\n',
  });
  expect([textFrame("1\n"), textFrame(""), textFrame("\n"), textFrame("2\r\n")], { lines: "1\n\n2\r\n" });
  expect([frame({ opcode: 1, payload: "[0]", mask: [0, 0, 0, 0] })], { lines: "[0]\n" });
});

Deno.test("FrameReader takes payloads of every length around those where the header or the way to unmask changes", () => {
  for (const length of [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 66, 67, 68, 124, 125, 126, 127, 128, 255, 256]) {
    expect([textFrame(letters(length)), textFrame("1")], { lines: letters(length) + "\n1\n" });
  }
  for (const length of [65535, 65536, 65537, MAX_MESSAGE_BYTES]) {
    const bytes = concat([textFrame(letters(length)), textFrame("1")]), lines = letters(length) + "\n1\n";
    assert.deepEqual(readChunks([bytes]).outcome.lines, lines);
    for (const at of [1, 2, 9, 10, 13, 14, 15, 16, 17, 18, length, bytes.length - 1]) {
      assert.equal(readChunks(cutInTwo(bytes, at)).outcome.lines, lines, `${length} bytes, cut at ${at}`);
    }
  }
});

Deno.test("FrameReader fills a whole buffer with one message whose header came before, and has room for its LF", () => {
  const bytes = textFrame("x".repeat(100));
  expect([bytes, bytes], { lines: ("x".repeat(100) + "\n").repeat(2) });
  const { outcome } = readChunks([bytes.subarray(0, 6), bytes.subarray(6)]);
  assert.equal(outcome.lines, "x".repeat(100) + "\n");
});

Deno.test("FrameReader joins fragments, empty ones too, with control frames between them", () => {
  expect([
    frame({ opcode: 1, isFinal: false, payload: '{"a":' }),
    frame({ opcode: 9, payload: "one" }),
    frame({ opcode: 0, isFinal: false, payload: "" }),
    frame({ opcode: 0, isFinal: false, payload: '1}\n{"b"' }),
    frame({ opcode: 10, payload: "unasked" }),
    frame({ opcode: 9 }),
    frame({ opcode: 0, payload: ":2}" }),
    textFrame("3"),
  ], { lines: '{"a":1}\n{"b":2}\n3\n', pings: ["one", ""] });
  expect([frame({ opcode: 1, isFinal: false }), frame({ opcode: 0 }), textFrame("1")], { lines: "1\n" });
  expect([frame({ opcode: 1, isFinal: false, payload: "1" }), frame({ opcode: 0 })], { lines: "1\n" });
});

Deno.test("FrameReader hands each ping over with what it carries, up to 125 bytes, and ignores pongs", () => {
  const long = letters(125);
  expect([
    frame({ opcode: 9, payload: long }),
    frame({ opcode: 9, payload: Uint8Array.of(0xff, 0) }),
    frame({ opcode: 10, payload: long }),
    textFrame("1"),
  ], { lines: "1\n", pings: [long, "\xff\0"] });
});

const PROTOCOL_FAULTS: [name: string, ...frames: Partial<ClientFrame>[]][] = [
  ["a frame that is not masked", { opcode: 1, payload: "1", mask: undefined }],
  ["a control frame that is not masked", { opcode: 9, mask: undefined }],
  ["the first reserved bit", { opcode: 1, payload: "1", reserved: 4 }],
  ["the second reserved bit", { opcode: 1, payload: "1", reserved: 2 }],
  ["the third reserved bit", { opcode: 9, reserved: 1 }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Partial<ClientFrame>] => [
    `opcode ${opcode}`,
    { opcode },
  ]),
  ["a ping of 126 bytes", { opcode: 9, payload: letters(126) }],
  ["a pong with a length of 64 bits", { opcode: 10, lengthBytes: 8 }],
  ["a close of 126 bytes", { opcode: 8, payload: letters(126) }],
  ["a ping in fragments", { opcode: 9, isFinal: false }],
  ["a pong in fragments", { opcode: 10, isFinal: false }],
  ["a close in fragments", { opcode: 8, isFinal: false }],
  ["a continuation of nothing", { opcode: 0, payload: "1" }],
  ["a continuation of nothing that goes on", { opcode: 0, isFinal: false }],
  ["a message in a message", { opcode: 1, isFinal: false }, { opcode: 1, payload: "1" }],
  ["binary in a text message", { opcode: 1, isFinal: false }, { opcode: 2, payload: "1" }],
  ["a length with the top bit", { opcode: 2, length: 1n << 63n }],
  ["the longest length with the top bit", { opcode: 1, length: (1n << 64n) - 1n }],
  ["125 in two bytes", { opcode: 1, payload: letters(125), lengthBytes: 2 }],
  ["0 in two bytes", { opcode: 1, lengthBytes: 2 }],
  ["65535 in eight bytes", { opcode: 1, length: 65535n, lengthBytes: 8 }],
  ["a close body of one byte", { opcode: 8, payload: "x" }],
];

for (const [name, ...frames] of PROTOCOL_FAULTS) {
  Deno.test(`FrameReader finds ${name} wrong, once it has taken what came before`, () => {
    expect([
      textFrame("1"),
      frame({ opcode: 9, payload: "p" }),
      ...frames.map((each) => frame(each as ClientFrame)),
      textFrame("2"),
    ], { lines: "1\n", pings: ["p"], fault: 1002 });
  });
}

Deno.test("FrameReader knows from the first two bytes, or from the length, what is wrong", () => {
  const faultAfter = (bytes: Uint8Array, count: number) => {
    assert.equal(readChunks([bytes.subarray(0, count - 1)]).outcome.fault, undefined, "not before");
    return readChunks([bytes.subarray(0, count)]).outcome.fault;
  };
  for (const wrong of [{ opcode: 3 }, { opcode: 1, mask: undefined }, { opcode: 1, reserved: 1 }]) {
    assert.equal(faultAfter(frame(wrong), 2), 1002);
  }
  assert.equal(faultAfter(frame({ opcode: 1, length: 1n << 63n }), 10), 1002);
  assert.equal(faultAfter(frame({ opcode: 1, length: BigInt(MAX_MESSAGE_BYTES + 1) }), 10), 1009);
});

Deno.test("FrameReader finds a message too large from the header, over all its fragments, and no sooner", () => {
  expect([textFrame("12345678")], { lines: "12345678\n" }, 8);
  expect([textFrame("1"), frame({ opcode: 2, payload: "123456789" })], { lines: "1\n", fault: 1009 }, 8);
  expect(
    [
      frame({ opcode: 1, isFinal: false, payload: "1234" }),
      frame({ opcode: 9, payload: "123456789" }),
      frame({ opcode: 0, isFinal: false, payload: "5678" }),
      frame({ opcode: 0 }),
      textFrame("12345678"),
      frame({ opcode: 1, isFinal: false, payload: "1234" }),
      frame({ opcode: 0, payload: "56789" }),
    ],
    { lines: "12345678\n12345678\n1234", pings: ["123456789"], fault: 1009 },
    8,
  );
  expect([frame({ opcode: 1, length: (1n << 63n) - 1n })], { fault: 1009 });
});

const GOOD_CODES = [
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  3999,
  4000,
  4999,
];
const BAD_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

Deno.test("FrameReader takes a close with any code that may be sent, and nothing behind it", () => {
  expect([textFrame("1"), closeFrame(), textFrame("2")], { lines: "1\n", close: [1005, ""] });
  for (const code of GOOD_CODES) {
    expect([closeFrame(code), frame({ opcode: 3 })], { close: [code, ""] });
    expect([closeFrame(code, "später"), textFrame("2")], { close: [code, "später"] });
  }
  expect([closeFrame(1000, letters(123))], { close: [1000, letters(123)] });
  for (const code of BAD_CODES) expect([textFrame("1"), closeFrame(code)], { lines: "1\n", fault: 1002 });
  for (const reason of [[0xff], [0xc3], [0x61, 0xe2, 0x82], [0xed, 0xa0, 0x80]]) {
    expect([closeFrame(1000, Uint8Array.from(reason))], { fault: 1007 });
  }
});

Deno.test("FrameReader says whether a close came in the middle of a message", () => {
  for (const isFinal of [true, false]) {
    const { reader } = readChunks([frame({ opcode: 1, isFinal, payload: "1" }), closeFrame(1000)]);
    assert.equal(reader.hasClosed, true);
    assert.equal(reader.isMidMessage, !isFinal);
  }
});

/** What is no UTF-8, and how many bytes it takes to see that. */
const BAD_TEXTS: [bytes: number[], wrongAt: number][] = [
  [[0x80], 0],
  [[0xbf], 0],
  [[0xc0, 0x80], 0],
  [[0xc1, 0xbf], 0],
  [[0xc3, 0x28], 1],
  [[0xe0, 0x80, 0x80], 1],
  [[0xe0, 0x9f, 0xbf], 1],
  [[0xe2, 0x82, 0x28], 2],
  [[0xed, 0xa0, 0x80], 1],
  [[0xed, 0xbf, 0xbf], 1],
  [[0xf0, 0x80, 0x80, 0x80], 1],
  [[0xf0, 0x8f, 0xbf, 0xbf], 1],
  [[0xf0, 0x9f, 0x98, 0x28], 3],
  [[0xf4, 0x90, 0x80, 0x80], 1],
  [[0xf5, 0x80, 0x80, 0x80], 0],
  [[0xff], 0],
  [[0xfe], 0],
];

/** What is, at the edges of what may be. */
const GOOD_TEXTS = [
  "\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff",
  "\u{10000}\u{10ffff}",
  "κόσμε ünï 日本 😀",
  "\ufeff",
];

Deno.test("FrameReader takes text in UTF-8, whose characters may span fragments", () => {
  for (const good of GOOD_TEXTS) {
    const bytes = toBytes(good), lines = text(bytes) + "\n";
    expect([textFrame(bytes)], { lines });
    const parts = byteByByte(bytes).map((payload, i) =>
      frame({ opcode: i === 0 ? 1 : 0, isFinal: i === bytes.length - 1, payload })
    );
    expect(parts, { lines });
    const long = concat([toBytes("a".repeat(200)), bytes, toBytes("b".repeat(101))]);
    expect([textFrame(long)], { lines: text(long) + "\n" });
  }
});

Deno.test("FrameReader fails at the first byte that is not UTF-8, not at the end of its message", () => {
  for (const [bad, wrongAt] of BAD_TEXTS) {
    const good = Uint8Array.from(bad.slice(0, wrongAt)), wrong = Uint8Array.of(bad[wrongAt]);
    const lines = "1\n" + text(good);
    const bytes = concat([toBytes("1\n"), Uint8Array.from(bad), toBytes("x".repeat(90))]);
    expect([textFrame(bytes)], { lines, fault: 1007 });
    expect([
      frame({ opcode: 1, isFinal: false, payload: concat([toBytes("1\n"), good]) }),
      frame({ opcode: 9 }),
      frame({ opcode: 0, isFinal: false, payload: wrong }),
    ], { lines, pings: [""], fault: 1007 });
    const beginning = frame({ opcode: 1, payload: concat([good, wrong]), length: 1000n });
    assert.equal(readChunks([beginning]).outcome.fault, 1007, "before the rest has come");
  }
});

Deno.test("FrameReader finds a text wrong that ends in the middle of a character", () => {
  for (const bytes of [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98]]) {
    expect([textFrame(Uint8Array.from(bytes)), textFrame("1")], {
      lines: text(Uint8Array.from(bytes)),
      fault: 1007,
    });
    expect([
      frame({ opcode: 1, isFinal: false, payload: Uint8Array.from(bytes) }),
      frame({ opcode: 0 }),
    ], { lines: text(Uint8Array.from(bytes)), fault: 1007 });
  }
});

Deno.test("FrameReader leaves what is in binary messages to who reads the lines", () => {
  expect([frame({ opcode: 2, payload: Uint8Array.of(0xff, 0xfe) }), textFrame("1")], {
    lines: "\xff\xfe\n1\n",
  });
});

Deno.test("FrameReader reads no more frames at a time than it is told to", () => {
  const reader = new FrameReader({ onPing() {}, onPong() {}, onClose() {} }, MAX_MESSAGE_BYTES);
  const chunk = concat(Array.from({ length: 10 }, () => textFrame("1")));
  const buffer = new Uint8Array(FRONT_BYTES + chunk.length);
  buffer.set(chunk, FRONT_BYTES);
  reader.begin(buffer, buffer.length);
  assert.equal(reader.read(4), false);
  assert.equal(reader.lineBytes, 8);
  assert.equal(reader.read(4), false);
  assert.equal(reader.read(4), true);
  assert.equal(reader.lineBytes, 20);
});

// Any frames against a model

/** What the RFC says of an input, looked at as a whole. */
function model(frames: readonly ClientFrame[], maxMessageBytes: number): Outcome {
  const outcome: Outcome = { lines: "", pings: [] };
  let message: { isText: boolean; bytes: number[] } | undefined;
  const fail = (code: number) => ({ ...outcome, fault: code });
  for (const { opcode, payload = "", isFinal = true, reserved = 0, ...rest } of frames) {
    const bytes = [...toBytes(payload)];
    if (reserved !== 0 || ("mask" in rest && rest.mask === undefined)) return fail(1002);
    if (opcode === 8 || opcode === 9 || opcode === 10) {
      if (!isFinal || bytes.length > 125) return fail(1002);
      if (opcode === 9) outcome.pings.push(text(Uint8Array.from(bytes)));
      if (opcode !== 8) continue;
      if (bytes.length === 0) return { ...outcome, close: [1005, ""] };
      const code = bytes[0] * 256 + bytes[1];
      if (!GOOD_CODES.includes(code)) return fail(1002);
      try {
        const reason = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        return { ...outcome, close: [code, reason.decode(Uint8Array.from(bytes.slice(2)))] };
      } catch {
        return fail(1007);
      }
    }
    if (opcode > 2 || (opcode === 0) !== (message !== undefined)) return fail(1002);
    message ??= { isText: opcode === 1, bytes: [] };
    if (message.bytes.length + bytes.length > maxMessageBytes) return fail(1009);
    for (const byte of bytes) {
      message.bytes.push(byte);
      if (message.isText && !mayBegin(message.bytes)) return fail(1007);
      outcome.lines += String.fromCharCode(byte);
    }
    if (!isFinal) continue;
    if (message.isText && !isWhole(message.bytes)) return fail(1007);
    if (message.bytes.length > 0 && message.bytes.at(-1) !== 10) outcome.lines += "\n";
    message = undefined;
  }
  return outcome;
}

function isWhole(bytes: number[]): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether some text begins with these bytes: the runtime's decoder says so when it is told that more will
 * come.
 */
function mayBegin(bytes: number[]): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes), { stream: true });
    return true;
  } catch {
    return false;
  }
}

Deno.test("FrameReader agrees with the model on any frames, however they are cut", () => {
  const payload = fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom("a", "\n", "é", "😀", "1"), maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60, max: 200 }).map(letters) },
    // Pieces of characters, which may or may not become whole with those of the next fragment.
    {
      weight: 2,
      arbitrary: fc.constantFrom([0xc3], [0xa9], [0xf0, 0x9f], [0x98, 0x80], [0xe2], [0x82, 0xac]).map((b) =>
        Uint8Array.from(b)
      ),
    },
  );
  const mask = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  const data: fc.Arbitrary<ClientFrame> = fc.record({
    opcode: fc.constantFrom(0, 0, 0, 1, 1, 2),
    payload,
    isFinal: fc.boolean(),
    mask,
  });
  const control: fc.Arbitrary<ClientFrame> = fc.record({
    opcode: fc.constantFrom(9, 10),
    payload: fc.uint8Array({ maxLength: 125 }),
    mask,
  });
  const close: fc.Arbitrary<ClientFrame> = fc.tuple(
    fc.constantFrom(...GOOD_CODES, 999, 1005),
    fc.string({ maxLength: 10 }),
  ).map(([code, reason]) => ({
    opcode: 8,
    payload: Uint8Array.of(code >> 8, code & 255, ...toBytes(reason)),
  }));
  const wrong: fc.Arbitrary<ClientFrame> = fc.oneof(
    fc.record({ opcode: fc.integer({ min: 3, max: 15 }).filter((o) => o < 8 || o > 10), payload }),
    fc.record({
      opcode: fc.constantFrom(1, 9),
      payload: fc.constant("x"),
      reserved: fc.integer({ min: 1, max: 7 }),
    }),
    fc.record({
      opcode: fc.constantFrom(0, 1, 2, 9),
      payload: fc.constant("x"),
      mask: fc.constant(undefined),
    }),
  );
  // Mostly what goes on as it should, so that inputs are long before something is wrong.
  const script = fc.array(
    fc.oneof({ weight: 20, arbitrary: data }, { weight: 6, arbitrary: control }, {
      weight: 1,
      arbitrary: close,
    }, {
      weight: 1,
      arbitrary: wrong,
    }),
    { maxLength: 20 },
  ).chain((frames) =>
    fc.boolean().map((isTidy) => {
      let isMidMessage = false;
      return !isTidy ? frames : frames.map((each) => {
        if (each.opcode > 2) return each;
        const opcode = isMidMessage ? 0 : each.opcode || 1;
        isMidMessage = !(each.isFinal ?? true);
        return { ...each, opcode };
      });
    })
  );
  fc.assert(
    fc.property(
      script,
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(50, 300, MAX_MESSAGE_BYTES),
      fc.constantFrom(1, 2, Infinity),
      (frames, sizes, maxMessageBytes, maxFrames) => {
        const bytes = concat(frames.map(frame));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]) {
          chunks.push(bytes.subarray(at, at + sizes[i % sizes.length]));
        }
        assert.deepEqual(
          readChunks(chunks, maxMessageBytes, maxFrames).outcome,
          model(frames, maxMessageBytes),
        );
      },
    ),
    { numRuns: 1500 },
  );
});
