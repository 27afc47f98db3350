// Holds FramedCopies against its contract: one copy for all who ask with the same view, memory that is used
// again and counted, nothing kept for long.

import assert from "node:assert/strict";
import { MemoryBudget } from "../../../../src/relay/memory_budget.ts";
import { FramedCopies, type FramedCopy } from "../../../../src/relay/connection/websocket/framed_copies.ts";
import { readServerFrames } from "../../../support/websocket_frames.ts";

const FIRST = 0x81;

function payload(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 & 0xff);
}

/** Shares a small view, of which there is a copy for the first who asks. */
function share(copies: FramedCopies, view: Uint8Array, first: number): FramedCopy {
  return copies.share(view, first)!;
}

Deno.test("FramedCopies.share copies a large view for the second who asks, and all after", () => {
  const memory = new MemoryBudget(), copies = new FramedCopies(memory), view = payload(200_000);
  assert.equal(copies.share(view, FIRST), undefined);
  assert.equal(memory.usedBytes, 0);
  const second = copies.share(view, FIRST);
  assert.deepEqual(readServerFrames(second!.bytes).frames[0].payload, view);
  assert.equal(copies.share(view, FIRST), second);
});

Deno.test("FramedCopies.share copies large views for the second who asks, however many are asked for between", () => {
  const copies = new FramedCopies(new MemoryBudget());
  const views = Array.from({ length: 20 }, () => payload(40_000));
  for (const view of views) assert.equal(copies.share(view, FIRST), undefined);
  for (const view of views) {
    assert.deepEqual(readServerFrames(share(copies, view, FIRST).bytes).frames[0].payload, view);
  }
});

Deno.test("FramedCopies.share makes one frame for a view, and another one for another view of the same bytes", () => {
  const copies = new FramedCopies(new MemoryBudget());
  const view = payload(1000), other = view.subarray(0, 1000);
  const [one, same, another] = [
    share(copies, view, FIRST),
    share(copies, view, FIRST),
    share(copies, other, FIRST),
  ];
  assert.equal(one, same);
  assert.notEqual(one, another);
  for (const { bytes } of [one, another]) {
    assert.deepEqual(readServerFrames(bytes).frames, [{ opcode: 1, isFinal: true, payload: view }]);
  }
  const continued = share(copies, view, 0x80);
  assert.equal(
    readServerFrames(continued.bytes).frames[0].opcode,
    0,
    "with another header it is another frame",
  );
  assert.equal(readServerFrames(one.bytes).frames[0].opcode, 1);
});

Deno.test("FramedCopies counts each buffer until its last write has ended, and keeps a few of those that were shared", () => {
  const memory = new MemoryBudget(), copies = new FramedCopies(memory);
  for (const length of [0, 1, 125, 126, 2048, 2049, 65_536, 65_537, 262_144, 300_000]) {
    const own = copies.copy(payload(length), FIRST);
    assert.ok(memory.usedBytes >= length + 2 && memory.usedBytes <= 8 * length + 3000, `${memory.usedBytes}`);
    assert.deepEqual(readServerFrames(own.bytes).frames[0].payload, payload(length));
    own.release();
    assert.equal(memory.usedBytes, 0);
  }
  const shared = Array.from({ length: 30 }, () => payload(100)).map((view) => share(copies, view, FIRST));
  const all = memory.usedBytes;
  for (const copy of shared) copy.release();
  assert.ok(memory.usedBytes > 0 && memory.usedBytes < all / 2, `${memory.usedBytes} of ${all}`);
  copies.close();
  assert.equal(memory.usedBytes, 0);
});

Deno.test("FramedCopies gives a copy that nobody needed for a moment to who asks again, whole", () => {
  const copies = new FramedCopies(new MemoryBudget());
  const view = payload(500), one = share(copies, view, FIRST);
  one.release();
  const again = share(copies, view, FIRST);
  assert.equal(again, one);
  for (let i = 0; i < 20; i++) share(copies, payload(500), FIRST).release();
  assert.deepEqual(
    readServerFrames(again.bytes).frames[0].payload,
    view,
    "it is in use, and was not taken back",
  );
  again.release();
});

Deno.test("FramedCopies keeps nothing that no write needs while memory is short", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 10_000 }), copies = new FramedCopies(memory);
  const other = memory.open();
  other.resize(9000);
  assert.equal(copies.isShort, true);
  share(copies, payload(100), FIRST).release();
  assert.equal(copies.bytes, 0);
  other.close();
  memory.close();
});
