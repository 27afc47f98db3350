// The watch that the fuzzer believes, with answers in which all is well, and with one fault in each.

import assert from "node:assert/strict";
import { type ClientFrame, clientFrame } from "../support/websocket_frames.ts";
import { AnswerWatch } from "./answer_watch.ts";
import { bytesOf } from "./bytes.ts";
import { ACCEPT } from "./frame_grammar.ts";

const HEAD = `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;

/** A frame of a server. */
function frame(
  opcode: number,
  payload: string | Uint8Array = "",
  more: Partial<ClientFrame> = {},
): Uint8Array {
  return clientFrame({ opcode, payload, mask: undefined, ...more });
}

function watch(parts: Uint8Array[], { head = HEAD, isHttp = true, step = Infinity } = {}) {
  const lines: string[] = [], faults: string[] = [];
  const watch = new AnswerWatch({
    onLine: (line) => lines.push(line),
    onFault: (what) => faults.push(what),
  }, isHttp);
  const bytes = bytesOf([new TextEncoder().encode(head), ...parts]);
  for (let at = 0; at < bytes.length; at += step) watch.take(bytes.slice(at, at + step));
  return { lines, faults, status: watch.status, closeCode: watch.closeCode };
}

Deno.test("AnswerWatch hands out the lines of an answer in which all is well, at every split", () => {
  const parts = [
    frame(1, "1\n2\n"),
    frame(9, "x"),
    frame(1, "3", { isFinal: false }),
    frame(10),
    frame(0, "\n"),
    frame(8, Uint8Array.of(3, 232)),
  ];
  for (const step of [1, 2, 7, Infinity]) {
    const found = watch(parts, { step });
    assert.deepEqual(found, { lines: ["1", "2", "3"], faults: [], status: 101, closeCode: 1000 });
  }
});

const FAULTS: [what: string, parts: Uint8Array[], fault: RegExp][] = [
  ["a reserved bit", [frame(1, "1\n", { reserved: 4 })], /^a reserved bit is set/],
  ["a mask", [frame(1, "1\n", { mask: [1, 2, 3, 4] })], /masked/],
  ["a length that is too long", [frame(1, "1\n", { lengthBytes: 8 })], /too long/],
  ["a control frame in fragments", [frame(9, "", { isFinal: false })], /control frame/],
  ["a continuation of nothing", [frame(0, "1\n")], /^opcode 0 is out of order/],
  [
    "a message within another",
    [frame(1, "1", { isFinal: false }), frame(1, "2\n")],
    /^opcode 1 is out of order/,
  ],
  ["an unknown opcode", [frame(3, "1\n")], /^a frame has opcode 3/],
  ["binary, where lines are checked", [frame(2, "1\n")], /^a frame has opcode 2/],
  ["a message without an LF at its end", [frame(1, "1")], /does not end with a line/],
  ["no UTF-8", [frame(1, Uint8Array.of(0xff, 10))], /not UTF-8/],
  ["a close in the middle of a message", [frame(1, "1", { isFinal: false }), frame(8)], /cuts a message off/],
  ["a frame behind a close", [frame(8), frame(1, "1\n")], /follow/],
  ["a part of one behind a close", [frame(8), Uint8Array.of(0x81)], /follow/],
];

for (const [what, parts, fault] of FAULTS) {
  Deno.test(`AnswerWatch finds ${what}`, () => {
    const { faults } = watch(parts);
    assert.equal(faults.length, 1);
    assert.match(faults[0], fault);
  });
}

Deno.test("AnswerWatch finds an accept for another key, an unknown status, a head without an end", () => {
  const wrong = HEAD.replace(ACCEPT, "x");
  assert.match(watch([], { head: wrong }).faults[0], /^Sec-WebSocket-Accept is x/);
  assert.match(
    watch([], { head: "HTTP/1.1 500 Oops\r\n\r\n" }).faults[0],
    /^the answer begins with HTTP\/1.1 500/,
  );
  assert.match(watch([], { head: "x".repeat(20_000) }).faults[0], /does not end/);
});

Deno.test("AnswerWatch takes lines for no fault where what was asked may be no HTTP", () => {
  assert.deepEqual(watch([], { head: '{"$error":1}\n'.repeat(2000), isHttp: false }).faults, []);
});
