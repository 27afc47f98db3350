// Tests of the benchmark's judge: it must find every kind of fault, wherever reads are cut, and none where
// there is none.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { LineBlock } from "../../bench/line_layout.ts";
import { countFaults, type Faults, LineVerifier } from "../../bench/line_verifier.ts";
import { concat } from "../../src/wire/concat.ts";

const LINE_BYTES = 100;
const NONE: Faults = { lost: 0, doubled: 0, outOfOrder: 0, echoed: 0, damaged: 0 };
const SENDERS = 3;
const blocks = Array.from({ length: SENDERS }, (_, sender) => new LineBlock(sender, LINE_BYTES, 1));

function line(sender: number, sequence: number, timeUs = 0): Uint8Array {
  return blocks[sender].fill(sequence, 1, timeUs).slice();
}

function newVerifier(self = -1, bufferBytes = 1024): LineVerifier {
  return new LineVerifier({ lineBytes: LINE_BYTES, senders: SENDERS, self, bufferBytes });
}

/** Feeds bytes in pieces of the given lengths, over and over, as far as the buffer has room. */
function feed(verifier: LineVerifier, bytes: Uint8Array, pieces: number[] = [verifier.buffer.length]): void {
  let held = 0;
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const room = verifier.buffer.length - held;
    const count = Math.min(pieces[index % pieces.length], room, bytes.length - at);
    verifier.buffer.set(bytes.subarray(at, at + count), held);
    held = verifier.take(held + count, 0);
    at += count;
  }
}

function judge(lines: [sender: number, sequence: number][], sent: number[], self = -1): Faults {
  const verifier = newVerifier(self);
  feed(verifier, concat(lines.map(([sender, sequence]) => line(sender, sequence))));
  return verifier.finish(sent);
}

Deno.test("LineVerifier finds nothing wrong with complete lines of several senders", () => {
  assert.deepEqual(judge([[0, 1], [1, 1], [0, 2], [0, 3], [2, 1], [1, 2]], [3, 2, 1]), NONE);
});

Deno.test("LineVerifier follows a sender past ten thousand and a hundred million lines", () => {
  const block = new LineBlock(0, LINE_BYTES, 100);
  const verifier = newVerifier(-1, LINE_BYTES * 100);
  for (let first = 1; first <= 20_000; first += 100) feed(verifier, block.fill(first, 100, 0).slice());
  assert.deepEqual(verifier.finish([20_000, 0, 0]), NONE);
  // The gap is lost, what follows it is not.
  feed(verifier, block.fill(99_999_951, 100, 0).slice());
  assert.deepEqual(verifier.finish([100_000_050, 0, 0]), { ...NONE, lost: 99_999_950 - 20_000 });
});

const FAULTS: [name: string, lines: [number, number][], sent: number[], faults: Partial<Faults>][] = [
  ["a line lost in the middle", [[0, 1], [0, 3]], [3, 0, 0], { lost: 1 }],
  ["a line lost at the beginning", [[0, 2], [0, 3]], [3, 0, 0], { lost: 1 }],
  ["lines lost at the end", [[0, 1]], [3, 0, 0], { lost: 2 }],
  ["a sender that never came", [[0, 1]], [1, 5, 0], { lost: 5 }],
  ["a line doubled at once", [[0, 1], [0, 1], [0, 2]], [2, 0, 0], { doubled: 1 }],
  ["a line doubled later", [[0, 1], [0, 2], [0, 3], [0, 1]], [3, 0, 0], { doubled: 1 }],
  ["two lines exchanged", [[0, 2], [0, 1], [0, 3]], [3, 0, 0], { outOfOrder: 1 }],
  ["a late line that then comes again", [[0, 2], [0, 1], [0, 1]], [2, 0, 0], { outOfOrder: 1, doubled: 1 }],
  ["all turned round", [[0, 5], [0, 3], [0, 4], [0, 2], [0, 1]], [5, 0, 0], { outOfOrder: 4 }],
  ["a gap that is closed in part", [[0, 5], [0, 3]], [5, 0, 0], { outOfOrder: 1, lost: 3 }],
  ["a fault of one sender among good ones", [[1, 1], [0, 2], [1, 2]], [2, 2, 0], { lost: 1 }],
];
for (const [name, lines, sent, faults] of FAULTS) {
  Deno.test(`LineVerifier reports ${name}`, () => {
    assert.deepEqual(judge(lines, sent), { ...NONE, ...faults });
  });
}

Deno.test("LineVerifier reports a receiver's own lines and doesn't wait for them", () => {
  assert.deepEqual(judge([[1, 1], [0, 1], [1, 2]], [1, 2, 0], 0), { ...NONE, echoed: 1 });
  assert.deepEqual(judge([[1, 1]], [9, 1, 0], 0), NONE);
});

Deno.test("LineVerifier counts probes before a sender's first line, and calls later ones doubled", () => {
  const verifier = newVerifier();
  feed(verifier, concat([line(0, 0), line(0, 0), line(0, 1), line(0, 0)]));
  assert.equal(verifier.probes, 2);
  assert.deepEqual(verifier.finish([1, 0, 0]), { ...NONE, doubled: 1 });
});

Deno.test("LineVerifier reports a torn line and finds its way back to the next one", () => {
  const verifier = newVerifier();
  feed(verifier, concat([line(0, 1), line(0, 2).subarray(0, 40), line(0, 3), line(0, 4)]));
  // Line 3 is glued to the piece of line 2, so both are gone.
  assert.deepEqual(verifier.finish([4, 0, 0]), { ...NONE, lost: 2, damaged: 1 });
});

Deno.test("LineVerifier keeps the first line that is none of those sent", () => {
  const verifier = newVerifier();
  const error = new TextEncoder().encode('{"$error":{"code":"invalid_json"}}\n');
  feed(verifier, concat([line(0, 1), error, line(0, 2)]));
  assert.equal(verifier.sample, '{"$error":{"code":"invalid_json"}}');
  assert.deepEqual(verifier.finish([2, 0, 0]), { ...NONE, damaged: 1 });
});

Deno.test("LineVerifier reports a changed byte of the filling in the first line of a read", () => {
  const verifier = newVerifier();
  const changed = line(0, 1);
  changed[80] ^= 1;
  feed(verifier, changed);
  assert.deepEqual(verifier.finish([1, 0, 0]), { ...NONE, damaged: 1, lost: 1 });
});

Deno.test("LineVerifier reports half a line at the end", () => {
  const verifier = newVerifier();
  feed(verifier, concat([line(0, 1), line(0, 2).subarray(0, 60)]));
  assert.deepEqual(verifier.finish([2, 0, 0]), { ...NONE, damaged: 1, lost: 1 });
});

Deno.test("LineVerifier reports a sender that doesn't exist", () => {
  const verifier = newVerifier();
  feed(verifier, new LineBlock(9, LINE_BYTES, 1).fill(1, 1, 0));
  assert.deepEqual(verifier.finish([0, 0, 0]), { ...NONE, damaged: 1 });
});

Deno.test("LineVerifier records latencies of whole batches, only while recording", () => {
  const verifier = newVerifier();
  verifier.buffer.set(concat([line(0, 1, 100), line(0, 2, 100), line(1, 1, 400)]));
  verifier.take(3 * LINE_BYTES, 500);
  assert.equal(verifier.latency.count, 0);
  verifier.recording = true;
  verifier.buffer.set(concat([line(0, 3, 600), line(0, 4, 600), line(1, 2, 900)]));
  verifier.take(3 * LINE_BYTES, 1000);
  assert.equal(verifier.latency.count, 3);
  assert.equal(verifier.latency.max, 400);
  assert.equal(verifier.latency.quantile(0.1), 100);
});

Deno.test("LineVerifier sees the same however the bytes are cut, and counts what was left out, doubled and moved", () => {
  const scenario = fc.record({
    lines: fc.array(fc.constantFrom(0, 1, 2), { minLength: 1, maxLength: 60 }),
    pieces: fc.array(fc.integer({ min: 1, max: 350 }), { minLength: 1, maxLength: 8 }),
    bufferBytes: fc.integer({ min: 1, max: 2000 }),
    fault: fc.constantFrom("none", "drop", "double", "delay"),
    at: fc.nat(),
  });
  fc.assert(fc.property(scenario, ({ lines, pieces, bufferBytes, fault, at }) => {
    const sent = [0, 0, 0];
    const all = lines.map((sender) => ({ sender, bytes: line(sender, ++sent[sender]) }));
    const index = at % all.length;
    const picked = all[index];
    const laterOfSame = all.slice(index + 1).filter(({ sender }) => sender === picked.sender).length;
    const expected = { ...NONE };
    if (fault === "drop") {
      all.splice(index, 1);
      expected.lost = 1;
    } else if (fault === "double") {
      all.splice(index, 0, picked);
      expected.doubled = 1;
    } else if (fault === "delay") {
      all.splice(index, 1);
      all.push(picked);
      expected.outOfOrder = laterOfSame > 0 ? 1 : 0;
    }
    const verifier = newVerifier(-1, bufferBytes);
    feed(verifier, concat(all.map(({ bytes }) => bytes)), pieces);
    assert.deepEqual(verifier.finish(sent), expected);
    assert.equal(countFaults(verifier.finish(sent)), fault === "none" ? 0 : countFaults(expected));
  }));
});
