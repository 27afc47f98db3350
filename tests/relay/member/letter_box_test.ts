// Tests src/relay/member/letter_box.ts: order and places, what is confirmed and what comes again, what is
// dropped and told.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { LetterBox } from "../../../src/relay/member/letter_box.ts";
import { Letter } from "../../../src/relay/room/letter.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A letter in two parts, whose bytes are others once it is delivered. */
function letterOf(text: string, kind: ConstructorParameters<typeof Letter>[1]): Letter {
  const bytes = encoder.encode(text), half = bytes.length >> 1;
  return new Letter([bytes.subarray(0, half), bytes.subarray(half)], kind);
}

function push(
  box: LetterBox,
  text: string,
  place = 0,
  atMs = 0,
  { room = true, isShort = false } = {},
): boolean {
  const lines = text.split("\n").length - 1;
  return box.push(letterOf(text, { lines }), place, atMs, { hasRoomFor: () => room, isShort });
}

function take(box: LetterBox, limit = Infinity, offset = Infinity): string | undefined {
  const bytes = box.take(limit, offset, 0);
  return bytes && decoder.decode(bytes);
}

Deno.test("LetterBox gives letters up to a place in the log, whole and in order", () => {
  const box = new LetterBox();
  assert.deepEqual([box.nextPlace, take(box), box.memoryBytes], [Infinity, undefined, 0]);
  for (const [text, place] of [["a\n", 5], ["bb\n", 5], ["c\n", 9]] as const) push(box, text, place);
  assert.deepEqual([box.nextPlace, take(box, 99, 4)], [5, undefined]);
  assert.equal(take(box, 1, 5), "a\n", "one in any case");
  assert.equal(take(box, 99, 8), "bb\n");
  assert.deepEqual([box.nextPlace, take(box, 99, 9), take(box), box.nextPlace], [
    9,
    "c\n",
    undefined,
    Infinity,
  ]);
});

Deno.test("LetterBox has room for who keeps up, however much it has had", () => {
  for (const isShort of [false, true]) {
    const box = new LetterBox(), text = `${"x".repeat(4000)}\n`;
    for (let i = 0; i < 500; i++) {
      for (let j = 0; j < 2; j++) assert.equal(push(box, text, 0, 0, { isShort }), true, `letter ${i}`);
      for (let taken = 0; taken < 2 * text.length;) taken += take(box)!.length;
      box.confirm(2 * text.length);
    }
  }
});

Deno.test("LetterBox goes on at exactly what is not confirmed, wherever it breaks", () => {
  const letters = fc.array(fc.nat(4), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(letters, fc.nat(200), fc.nat(200), fc.nat(200), (sizes, written, confirmed, limit) => {
      const box = new LetterBox();
      const texts = sizes.map((lines, i) => `${i}\n`.repeat(lines + 1));
      for (const text of texts) push(box, text);
      const all = texts.join("");
      const first = take(box, written % all.length) ?? "";
      const known = Math.floor((confirmed % (first.length + 1)) / 2) * 2; // a count is at a line's end
      box.confirm(known);
      box.rewind();
      let rest = "";
      for (let bytes = take(box, 1 + limit); bytes !== undefined; bytes = take(box, 1 + limit)) rest += bytes;
      assert.equal(all.slice(0, known) + rest, all);
      box.confirm(all.length - known);
      assert.equal(box.memoryBytes, 0, "what is confirmed is forgotten");
    }),
  );
});

Deno.test("LetterBox gives the very same bytes as one stream would, whatever their sizes and however it breaks", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), size: fc.oneof(fc.nat(300), fc.nat(3000)) }),
    fc.record({
      kind: fc.constantFrom("take" as const, "confirm" as const, "rewind" as const),
      size: fc.nat(4000),
    }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const box = new LetterBox();
    const ends: number[] = [];
    let stream = "", sent = 0, confirmed = 0;
    for (const { kind, size } of steps) {
      if (kind === "push") {
        const text = String.fromCharCode(97 + ends.length % 26).repeat(size) + "\n",
          bytes = encoder.encode(text),
          half = size >> 1;
        const letter = new Letter([bytes.subarray(0, half), bytes.subarray(half)], { lines: 1 });
        box.push(letter, 0, 0, { hasRoomFor: () => true, isShort: false });
        bytes.fill(0x7a); // a read buffer is used again
        stream += text;
        ends.push(stream.length);
      } else if (kind === "take") {
        const text = take(box, size) ?? "", from = sent;
        sent += text.length;
        assert.equal(text, stream.slice(from, sent));
        assert.ok(text !== "" || from === stream.length, "there is something as long as anything is left");
        assert.ok(sent === 0 || ends.includes(sent), "whole letters");
        assert.ok(
          text.length <= size || ends.find((end) => end > from) === sent,
          "no more than asked for, but one",
        );
      } else if (kind === "confirm") {
        const bytes = Math.min(size, sent - confirmed);
        box.confirm(bytes);
        confirmed += bytes;
      } else {
        box.rewind();
        sent = confirmed;
      }
      assert.equal(box.nextPlace, sent < stream.length ? 0 : Infinity);
      const kept = ends.filter((end) => end > confirmed).length;
      assert.ok(box.memoryBytes >= stream.length - confirmed + 56 * kept, "all that is kept is counted");
    }
    for (let text = take(box); text !== undefined; text = take(box)) sent += text.length;
    box.confirm(sent - confirmed);
    assert.deepEqual([sent, box.memoryBytes], [stream.length, 0]);
  }));
});

Deno.test("LetterBox that is full tells in its place what it dropped, and goes on", () => {
  const box = new LetterBox();
  const big = "x".repeat(600_000) + "\n";
  assert.deepEqual([push(box, big, 1), push(box, big, 2), push(box, big, 3)], [true, false, false]);
  assert.equal(push(box, "small\n", 4), true);
  assert.equal(push(box, "no memory\n", 5, 0, { room: false, isShort: true }), false);
  assert.equal(take(box, 1), big);
  const told = '{"$lost":{"lines":2,"bytes":1200002}}\nsmall\n';
  assert.equal(take(box), told);
  box.confirm(big.length + told.length);
  assert.equal(take(box), '{"$lost":{"lines":1,"bytes":10}}\n');
  box.confirmTo(box.sent);
  assert.equal(
    push(box, "y".repeat(70_000) + "\n", 6, 0, { isShort: true }),
    true,
    "one alone is never too much",
  );
  assert.equal(push(box, "z\n", 6, 0, { isShort: true }), false);
});

Deno.test("LetterBox counts what its client has not confirmed as kept when memory is short, written or not", () => {
  const box = new LetterBox(), line = "x".repeat(9999) + "\n";
  const short = () => push(box, line, 0, 0, { isShort: true });
  assert.deepEqual([short(), short()], [true, false]);
  assert.deepEqual([take(box), take(box)], [line, '{"$lost":{"lines":1,"bytes":10000}}\n']);
  assert.equal(short(), false, "it is written, and may have to be written again");
  assert.equal(push(box, line), true);
  while (take(box) !== undefined);
  box.confirmTo(box.sent);
  assert.equal(short(), true);
});

Deno.test("LetterBox for which memory is short keeps one letter that tells what was dropped, and sums up the rest until that is confirmed", () => {
  const box = new LetterBox();
  const none = { room: false, isShort: true };
  push(box, "a\n", 3, 1, none);
  push(box, "b\n", 4, 2, none);
  assert.deepEqual([box.nextPlace, box.nextAtMs(0), take(box, 99, 2)], [3, 1, undefined]);
  const first = '{"$lost":{"lines":2,"bytes":4}}\n';
  assert.equal(take(box), first);
  const { memoryBytes } = box;
  for (let i = 0; i < 1000; i++) {
    push(box, "c\n", 5, 3, none);
    assert.deepEqual([box.nextPlace, box.nextAtMs(0), take(box), box.memoryBytes], [
      Infinity,
      Infinity,
      undefined,
      memoryBytes,
    ]);
  }
  box.rewind();
  assert.equal(take(box), first, "as long as it is not confirmed");
  box.confirm(first.length);
  assert.deepEqual([box.nextPlace, box.nextAtMs(0)], [5, 3]);
  const second = '{"$lost":{"lines":1000,"bytes":2000}}\n';
  assert.equal(take(box), second);
  push(box, "d\n", 6, 4, none);
  push(box, "e\n", 7, 5);
  assert.equal(take(box), '{"$lost":{"lines":1,"bytes":2}}\ne\n', "there is memory again");
  push(box, "f\n", 8, 6, none);
  assert.deepEqual(box.skip(0).lost, { lines: 1, bytes: 2 });
  box.close();
  assert.deepEqual([box.nextPlace, box.memoryBytes], [Infinity, 0]);
});

Deno.test("LetterBox keeps answers as far as there is memory, and a few in any case", () => {
  const answer = (box: LetterBox, bytes: number, hasRoom: (bytes: number) => boolean, isShort = false) =>
    box.push(new Letter([new Uint8Array(bytes)], { isAnswer: true }), 0, 0, { hasRoomFor: hasRoom, isShort });
  const cases: [sizes: number[], room: boolean, isShort: boolean, kept: boolean[]][] = [
    [[4096, 1], false, true, [true, false]],
    [[4097, 100], false, true, [false, true]],
    [[200_000, 62_144, 1], true, true, [true, true, false]],
    [[300_000, 1], true, true, [true, false]],
    [[1_000_000, 48_576, 1], true, false, [true, true, false]],
    [[2_000_000, 1], true, false, [true, false]],
  ];
  for (const [sizes, room, isShort, kept] of cases) {
    const box = new LetterBox();
    assert.deepEqual(sizes.map((bytes) => answer(box, bytes, () => room, isShort)), kept, `${sizes}`);
    const bytes = sizes.reduce((sum, size, i) => kept[i] ? sum + size : sum, 0);
    while (box.take(Infinity, Infinity, 0) !== undefined);
    box.confirm(bytes);
    assert.deepEqual(
      [box.memoryBytes, answer(box, 4096, () => false)],
      [0, true],
      "and again once confirmed",
    );
  }
  const asked: number[] = [];
  answer(new LetterBox(), 5000, (bytes) => asked.push(bytes) > 0);
  assert.ok(asked[0] > 5000, "with what it takes beside its bytes");
});

Deno.test("LetterBox.skip gives what is new, and counts what is old and more than a few", () => {
  const box = new LetterBox();
  push(box, "old\nold\n", 1, 10);
  push(box, "x".repeat(600_000) + "\n", 1, 20);
  push(box, "y".repeat(600_000) + "\n", 2, 20);
  push(box, "new\n", 3, 20);
  take(box, 1);
  box.confirm(4);
  box.rewind();
  const { lost, pieces } = box.skip(15);
  assert.deepEqual(lost, { lines: 3, bytes: 4 + 600_001 + 600_001 });
  assert.deepEqual(pieces.map(({ bytes, offset }) => [decoder.decode(bytes), offset]), [["new\n", 3]]);
  assert.equal(box.nextPlace, Infinity);
  box.rewind();
  assert.equal(take(box, 1), "old\n", "what was not confirmed comes again");
});

Deno.test("LetterBox keeps a long letter as it is, the same for all who get it, and copies short ones", () => {
  for (const [length, isShared] of [[1024, false], [1025, true]] as const) {
    const letter = letterOf(`${"x".repeat(length - 1)}\n`, { lines: 1 });
    const memory = { hasRoomFor: () => true, isShort: false };
    const boxes = [new LetterBox(), new LetterBox()];
    for (const box of boxes) box.push(letter, 0, 0, memory);
    const [one, other] = boxes.map((box) => box.take(Infinity, Infinity, 0)!);
    assert.equal(one.length, length);
    assert.equal(one.buffer === other.buffer, isShared, `${length} bytes`);
  }
});

Deno.test("LetterBox copies short letters once, side by side", () => {
  const box = new LetterBox();
  for (let i = 0; i < 100; i++) push(box, `${"x".repeat(99)}\n`);
  assert.ok(box.memoryBytes < 4 * 100 * 100, `${box.memoryBytes} bytes for 100 letters of 100`);
});
