// Holds RoomLog and Cursor against a naive model, an array of lines with their owners, through random
// histories: what each cursor takes, loses and counts. Beside that, worked numbers for ages, the bound on
// memory, and what appending costs.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { Block } from "../../../src/relay/room/block.ts";
import type { Cursor } from "../../../src/relay/room/cursor.ts";
import { type LogSettings, RoomLog } from "../../../src/relay/room/room_log.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

const LF = 0x0a;
const SETTINGS: LogSettings = { maxLogBytes: 8 * 1024 * 1024, maxLagMs: 1000, memory: UNLIMITED_MEMORY };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Appends text of complete lines, out of the middle of a buffer as a session does. Owned by `owner`, if any.
 */
function append(log: RoomLog, text: string, owner?: Cursor): void {
  const start = log.end, lines = text.split("\n").length - 1;
  const bytes = encoder.encode(`"before"\n${text}"behind"\n`);
  log.append(bytes, 9, bytes.length - 9, lines);
  owner?.skipOwn(start, lines);
  bytes.fill(0);
}

/** Takes all that lies before a cursor. */
function takeAll(cursor: Cursor, limitBytes = 256 * 1024): string {
  let text = "";
  for (let bytes = cursor.take(limitBytes); bytes !== undefined; bytes = cursor.take(limitBytes)) {
    text += decoder.decode(bytes);
    cursor.commit();
  }
  return text;
}

function lineOf(bytes: number, seed: number): string {
  return `${seed}`.padEnd(bytes - 1, "x").slice(0, bytes - 1) + "\n";
}

Deno.test("RoomLog hands every cursor what was appended since it was opened", () => {
  const log = new RoomLog("plain", SETTINGS);
  const early = log.openCursor();
  append(log, "1\n2\n");
  const late = log.openCursor();
  append(log, "3\n");
  assert.equal(takeAll(early), "1\n2\n3\n");
  assert.equal(takeAll(late), "3\n");
  assert.deepEqual([log.end, log.lines], [6, 3]);
  assert.deepEqual([early.countTakenLines(), late.countTakenLines()], [3, 1]);
});

Deno.test("Cursor.nextPieceBytes leads readers that began apart to the same pieces, which are the same objects", () => {
  const log = new RoomLog("plain", SETTINGS);
  const ada = log.openCursor(), bo = log.openCursor(), cy = log.openCursor();
  let text = "";
  for (let i = 0; i < 40_000; i++) {
    const line = lineOf(20 + i % 70, i);
    append(log, line);
    text += line;
  }
  assert.ok(bo.take(5000)!.length <= 5000);
  bo.commit();
  append(log, "cy's\n", cy);
  append(log, "the end\n");
  const texts: string[] = [], lengths: number[] = []; // of all, as they are gone once they are committed
  const takePieces = (cursor: Cursor) => {
    const pieces: Uint8Array[] = [];
    let text = "";
    for (let bytes = cursor.nextPieceBytes; bytes > 0; bytes = cursor.nextPieceBytes) {
      const piece = cursor.take(bytes)!;
      assert.equal(piece.length, bytes);
      assert.equal(piece.at(-1), LF);
      pieces.push(piece);
      lengths.push(piece.length);
      text += decoder.decode(piece);
      cursor.commit();
    }
    texts.push(text);
    return pieces;
  };
  const [one, two, three] = [ada, bo, cy].map(takePieces);
  assert.equal(texts[0], `${text}cy's\nthe end\n`);
  assert.ok(one.length > 10 && lengths.every((length) => length <= 132 * 1024), `${lengths}`);
  assert.ok(two.slice(1).every((piece) => one.includes(piece)), "after the first one");
  assert.ok(three.slice(0, -2).every((piece) => one.includes(piece)), "until its own lines");
  assert.deepEqual([ada.nextPieceBytes, log.openCursor().nextPieceBytes], [0, 0]);
});

Deno.test("Cursor steps over its owner's lines wherever they lie", () => {
  const log = new RoomLog("plain", SETTINGS);
  const ada = log.openCursor(), bo = log.openCursor();
  for (let i = 0; i < 1000; i++) append(log, `${i}\n`, i % 3 === 0 ? ada : bo);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  const text = (wanted: (i: number) => boolean) => numbers.filter(wanted).map((i) => `${i}\n`).join("");
  assert.equal(ada.behindBytes, text((i) => i % 3 !== 0).length);
  assert.equal(takeAll(ada), text((i) => i % 3 !== 0));
  assert.equal(takeAll(bo), text((i) => i % 3 === 0));
  assert.deepEqual([ada.behindBytes, bo.behindBytes], [0, 0]);
});

Deno.test("Cursor whose owner alone talks has nothing to take and is never behind in bytes", () => {
  const log = new RoomLog("plain", SETTINGS);
  const ada = log.openCursor();
  for (let i = 0; i < 10_000; i++) append(log, lineOf(100, i), ada);
  assert.equal(ada.behindBytes, 0);
  assert.equal(ada.take(1000), undefined);
  assert.equal(ada.countTakenLines(), 0);
  assert.deepEqual(ada.jumpToEnd(), { lines: 0, bytes: 0 });
});

Deno.test("Cursor.take ends at a line's end at or before the limit, and takes one line at least", () => {
  const log = new RoomLog("plain", SETTINGS);
  const cursor = log.openCursor();
  append(log, "12\n45\n7890123\n5\n");
  const taken = [];
  for (let bytes = cursor.take(6); bytes !== undefined; bytes = cursor.take(6)) {
    taken.push(decoder.decode(bytes));
    cursor.commit();
  }
  assert.deepEqual(taken, ["12\n45\n", "7890123\n", "5\n"]);
});

Deno.test("RoomLog takes a line of any size, also one that is larger than all blocks", () => {
  const log = new RoomLog("plain", SETTINGS);
  const cursor = log.openCursor();
  const big = lineOf(1_000_000, 7);
  append(log, "1\n" + big + "2\n");
  append(log, "3\n");
  assert.equal(takeAll(cursor), "1\n" + big + "2\n3\n");
});

Deno.test("RoomLog keeps its memory small while its members keep up", () => {
  const log = new RoomLog("plain", SETTINGS);
  const first = log.capacityBytes;
  assert.ok(first <= 16 * 1024, `an empty room takes ${first} bytes`);
  const cursor = log.openCursor();
  let most = 0;
  for (let i = 0; i < 1000; i++) {
    append(log, lineOf(10_000, i));
    most = Math.max(most, log.capacityBytes);
    takeAll(cursor);
  }
  assert.ok(most <= 1024 * 1024, `the log took ${most} bytes`);
});

Deno.test("RoomLog stays within maxLogBytes when a cursor stands still, and drops the oldest", () => {
  for (const maxLogBytes of [64 * 1024, 1024 * 1024, 8 * 1024 * 1024]) {
    const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes });
    const still = log.openCursor(), brisk = log.openCursor();
    for (let i = 0; log.end < 3 * maxLogBytes; i++) {
      append(log, lineOf(1000, i));
      assert.ok(log.capacityBytes <= maxLogBytes, `${log.capacityBytes} of ${maxLogBytes}`);
      takeAll(brisk);
    }
    assert.equal(still.isEvicted, true);
    assert.equal(brisk.isEvicted, false);
    assert.deepEqual(brisk.lost, { lines: 0, bytes: 0 });
    assert.deepEqual(still.jumpToEnd(), { lines: log.lines, bytes: log.end });
    assert.equal(still.isEvicted, false);
    append(log, "new\n");
    assert.equal(takeAll(still), "new\n");
  }
});

Deno.test("RoomLog does not evict what lies within maxLogBytes", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 1024 * 1024 });
  const still = log.openCursor();
  while (log.end < 512 * 1024) append(log, lineOf(1000, log.end));
  assert.equal(still.isEvicted, false);
  assert.equal(takeAll(still).length, log.end);
});

Deno.test("Cursor that jumps counts its own lines neither as lost nor as taken, wherever the log was cut", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 64 * 1024 });
  append(log, "before\n");
  const ada = log.openCursor();
  append(log, "wanted\n");
  // Ada's lines follow each other over several blocks, so that her range is cut where the log drops a block.
  for (let i = 0; i < 40; i++) append(log, lineOf(1000, i), ada);
  append(log, "missed\n");
  for (let i = 0; i < 200; i++) append(log, lineOf(1000, i), ada);
  assert.equal(ada.isEvicted, true);
  assert.equal(ada.take(1000), undefined, "what comes next is gone");
  assert.deepEqual(ada.jumpToEnd(), { lines: 2, bytes: 14 });
  assert.equal(ada.countTakenLines(), 0);
});

Deno.test("Cursor keeps the bytes it handed out until commit, though the log drops and reuses its blocks", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 1024 * 1024 });
  append(log, "before\n");
  const cursors = Array.from({ length: 8 }, () => log.openCursor());
  const brisk = log.openCursor();
  const held: { bytes: Uint8Array; copy: Uint8Array }[] = [];
  for (let i = 0; i < 20_000; i++) {
    append(log, lineOf(500, i), i % 5 === 0 ? cursors[i % 8] : undefined);
    if (i % 100 === 50 && held.length < cursors.length) {
      const bytes = cursors[held.length].take(256 * 1024)!;
      held.push({ bytes, copy: bytes.slice() });
    }
    takeAll(brisk);
  }
  assert.equal(held.length, cursors.length);
  for (const { bytes, copy } of held) assert.deepEqual(bytes, copy);
  for (const cursor of cursors) {
    cursor.commit();
    assert.equal(cursor.isEvicted, true);
  }
});

Deno.test("Cursor that was closed takes nothing, holds nothing, and still knows what it took", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 1024 * 1024 });
  const cursor = log.openCursor();
  append(log, "1\n22\n333\n");
  cursor.take(5);
  cursor.commit();
  cursor.close();
  for (let i = 0; i < 5000; i++) append(log, lineOf(500, i));
  assert.ok(log.capacityBytes <= 512 * 1024, `the log still takes ${log.capacityBytes} bytes`);
  assert.equal(cursor.countTakenLines(), 2);
  assert.equal(cursor.take(1000), undefined);
});

Deno.test("Cursor copies short pieces together unless memory is short", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 1_000_000 });
  const log = new RoomLog("plain", { ...SETTINGS, memory }), others = memory.open();
  const cursor = log.openCursor();
  for (let i = 0; i < 20; i++) append(log, `${i}\n`, i % 2 === 0 ? cursor : undefined);
  const takeOne = () => {
    const text = decoder.decode(cursor.take(1000)), { source } = cursor;
    cursor.commit();
    return { text, source };
  };
  others.resize(990_000);
  assert.deepEqual(takeOne(), { text: "1\n", source: "block" });
  others.resize(0);
  assert.deepEqual(takeOne(), { text: "3\n5\n7\n9\n11\n13\n15\n17\n19\n", source: "copy" });
  memory.close();
});

Deno.test("Cursor that is closed while a write is under way keeps the bytes of that write until commit", () => {
  for (const wantsGathered of [true, false]) {
    const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 1024 * 1024 });
    const cursor = log.openCursor();
    for (let i = 0; i < 2000; i++) {
      append(log, lineOf(500, i), wantsGathered && i % 2 === 0 ? cursor : undefined);
    }
    cursor.jumpToEnd();
    for (let i = 0; i < 20; i++) {
      append(log, lineOf(500, i), wantsGathered && i % 2 === 0 ? cursor : undefined);
    }
    const bytes = cursor.take(256 * 1024)!, copy = bytes.slice();
    cursor.close();
    const [ada, bo] = [log.openCursor(), log.openCursor()];
    for (let i = 0; i < 20_000; i++) {
      append(log, lineOf(500, i), i % 2 === 0 ? ada : bo);
      if (i % 10 === 0) takeAll(ada);
      if (i % 10 === 5) takeAll(bo);
    }
    assert.deepEqual(bytes, copy, wantsGathered ? "a copy of pieces" : "a piece of a block");
    cursor.commit();
  }
});

Deno.test("Cursor that has taken all of a block loses nothing when the log lets go of that block", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLogBytes: 64 * 1024 });
  const ada = log.openCursor();
  append(log, "1\n");
  assert.equal(takeAll(ada), "1\n");
  for (let i = 0; i < 3; i++) append(log, lineOf(16 * 1024, i)); // each fills a block
  const { capacityBytes } = log;
  append(log, "5\n");
  assert.equal(log.capacityBytes, capacityBytes + 16 * 1024 - 4 * 1024, "the first block is gone");
  assert.equal(ada.isEvicted, false);
  assert.equal(takeAll(ada).length, 3 * 16 * 1024 + 2);
});

Deno.test("Cursor whose owner speaks by turns with others, and reads nothing, jumps at last; its memory is bounded and counted", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: Infinity });
  const log = new RoomLog("plain", { ...SETTINGS, memory });
  const [still, other] = [log.openCursor(), log.openCursor()];
  let most = 0;
  for (let i = 0; i < 100_000; i++) {
    append(log, "1\n", still);
    append(log, "2\n", other);
    if (i % 100 === 0) takeAll(other);
    most = Math.max(most, memory.usedBytes - log.capacityBytes);
  }
  assert.ok(most > 100_000 && most < 400_000, `${most} bytes of ranges`);
  assert.equal(still.isEvicted, true);
  assert.deepEqual(still.jumpToEnd(), { lines: 100_000, bytes: 200_000 });
  assert.equal(still.countTakenLines(), 0);
  takeAll(other);
  assert.equal(other.countTakenLines(), 100_000);
  assert.equal(memory.usedBytes, log.capacityBytes);
});

Deno.test("RoomLog lets its oldest blocks go when memory is full, and takes small ones then", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 1024 * 1024 });
  memory.close(); // the log helps itself
  const logs = Array.from({ length: 20 }, () => new RoomLog("plain", { ...SETTINGS, memory }));
  const cursors = logs.map((log) => log.openCursor());
  for (let i = 0; i < 20_000; i++) append(logs[i % 20], lineOf(500, i));
  assert.ok(memory.usedBytes <= 1024 * 1024 + 20 * 4096, `${memory.usedBytes} bytes`);
  assert.ok(cursors.filter((cursor) => cursor.isEvicted).length > 10);
});

Deno.test("Block.linesBefore counts the lines before any line's end, control lines only for plain members", () => {
  const line = fc.oneof(
    fc.integer({ min: 2, max: 3000 }).map((bytes) => lineOf(bytes, 1)),
    fc.constantFrom("1\n", "\n", '{"$join":{}}\n', '{"$\n', '{"\n', " {\n"),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60, size: "max" }), fc.array(fc.nat()), (lines, picks) => {
      const bytes = encoder.encode(lines.join(""));
      const ends = lines.reduce((ends, line) => [...ends, ends.at(-1)! + line.length], [0]);
      for (const level of ["plain", "session"] as const) {
        const block = new Block(bytes, 0, 0);
        block.length = bytes.length;
        for (const pick of picks) {
          const count = pick % ends.length;
          const told = lines.slice(0, count).filter((line) => level === "plain" || !line.startsWith('{"$'));
          assert.equal(block.linesBefore(ends[count], level), told.length);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("Block.linesBefore looks at each byte once, however many ask", () => {
  const allMs: number[] = [], againMs: number[] = [];
  for (let round = 0; round < 5; round++) { // the least counts: a busy machine may do something else meanwhile
    const block = new Block(new Uint8Array(256 * 1024).fill(LF), 0, 0);
    block.length = block.bytes.length;
    allMs.push(timeMs(() => block.linesBefore(block.length - 1, "session")));
    againMs.push(timeMs(() => {
      for (let i = 0; i < 100; i++) block.linesBefore(block.length - 1 - i, "session");
    }));
  }
  const all = Math.min(...allMs), again = Math.min(...againMs);
  assert.ok(again < 10 * all + 1, `${again} ms for 100 counts, ${all} ms for the first`);
});

function timeMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

Deno.test("RoomLog.ageMs says how old a byte is, to a fiftieth of maxLagMs", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLagMs: 1000 });
  assert.equal(log.ageMs(0, 5000), 0, "an empty log is never old");
  const offsets: [offset: number, time: number][] = [];
  for (let time = 10_000; time < 10_900; time += 5) {
    offsets.push([log.end, time]);
    append(log, `${time}\n`);
    assert.equal(log.ageMs(log.end, time), 0);
    log.mark(time);
  }
  for (const [offset, time] of offsets) {
    const age = log.ageMs(offset, 11_000), real = 11_000 - time;
    assert.ok(age >= real && age < real + 20, `${age} ms, appended ${real} ms ago`);
  }
  assert.equal(log.ageMs(log.end, 99_999), 0, "the end of the log is never old");
});

Deno.test("RoomLog.ageMs is Infinity for what is older than its marks, never less than the truth", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLagMs: 1000 });
  for (let time = 0; time <= 5000; time += 10) {
    append(log, "1\n");
    log.mark(time);
  }
  assert.equal(log.ageMs(0, 5000), Infinity);
  for (let time = 0; time <= 5000; time += 10) {
    const age = log.ageMs(time / 10 * 2, 5000);
    assert.ok(age >= 5000 - time, `${age} ms for ${5000 - time}`);
    if (5000 - time <= 1000) assert.ok(age < 5000 - time + 20, `${age} ms for ${5000 - time}`);
  }
});

Deno.test("RoomLog.ageMs after a pause counts from when the bytes came, not from the last ones before", () => {
  const log = new RoomLog("plain", { ...SETTINGS, maxLagMs: 1000 });
  append(log, "1\n");
  log.mark(1000);
  const offset = log.end;
  append(log, "2\n");
  log.mark(61_000);
  assert.equal(log.ageMs(offset, 61_300), 300);
  assert.equal(log.ageMs(0, 61_300), 60_300);
  assert.equal(log.ageMs(log.end, 61_300), 0);
});

Deno.test("RoomLog appends at about the same cost with 2,000 cursors as with 2", () => {
  // Minima of interleaved rounds, and a wide factor: work for each cursor would make it a thousand times as
  // slow.
  const fewMs: number[] = [], manyMs: number[] = [];
  for (let round = 0; round < 7; round++) {
    fewMs.push(timeAppends(2));
    manyMs.push(timeAppends(2000));
  }
  const few = Math.min(...fewMs), many = Math.min(...manyMs);
  assert.ok(many < few * 20 + 1, `${few.toFixed(2)} ms with 2 cursors, ${many.toFixed(2)} ms with 2,000`);
});

function timeAppends(cursorCount: number): number {
  const log = new RoomLog("plain", SETTINGS);
  const cursors = Array.from({ length: cursorCount }, () => log.openCursor());
  const bytes = encoder.encode(lineOf(100, 1));
  const startedAt = performance.now();
  for (let i = 0; i < 10_000; i++) {
    const start = log.end;
    log.append(bytes, 0, bytes.length, 1);
    cursors[i % cursorCount].skipOwn(start, 1);
  }
  return performance.now() - startedAt;
}

// The model: every line ever appended, and for each cursor the index of the next line it would take.

interface ModelLine {
  text: string;
  owner: number;
}

interface ModelMember {
  cursor: Cursor;
  /** Which line of the log comes next. */
  next: number;
  taken: number;
  lost: { lines: number; bytes: number };
  /** What was handed out and is not committed: the bytes, and a copy of them. */
  held?: { bytes: Uint8Array; copy: Uint8Array };
  isClosed: boolean;
}

type Step =
  | { do: "append"; owner: number; lines: number[] }
  | { do: "take"; who: number; limit: number; commits: boolean }
  | { do: "commit" | "jump" | "closeMember" | "check"; who: number }
  | { do: "open" | "dropRead" }
  | { do: "dropUnread"; keepBytes: number };

const who = fc.nat({ max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      owner: fc.integer({ min: -1, max: 9 }),
      lines: fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 2, max: 200 }) },
          { weight: 3, arbitrary: fc.integer({ min: 1000, max: 20_000 }) },
          { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 120_000 }) },
        ),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      who,
      limit: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(5000, 65_536, 262_144)),
      commits: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("jump" as const, "closeMember" as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("check" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("open" as const, "dropRead" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("dropUnread" as const),
      keepBytes: fc.oneof(fc.constant(0), fc.nat({ max: 1e6 })),
    }),
  },
);

class Model {
  readonly lines: ModelLine[] = [];
  readonly members: ModelMember[] = [];
  readonly memory = new MemoryBudget({ maxMemoryBytes: Infinity });
  readonly log: RoomLog;
  readonly #maxLogBytes: number;
  #largestAppend = 0;

  constructor(maxLogBytes: number, members: number) {
    this.#maxLogBytes = maxLogBytes;
    this.log = new RoomLog("plain", { ...SETTINGS, maxLogBytes, memory: this.memory });
    for (let i = 0; i < members; i++) this.open();
  }

  open(): void {
    this.members.push({
      cursor: this.log.openCursor(),
      next: this.lines.length,
      taken: 0,
      lost: { lines: 0, bytes: 0 },
      isClosed: false,
    });
  }

  append(owner: number, sizes: number[]): void {
    const isOwned = owner >= 0 && !this.members[owner % this.members.length].isClosed;
    const at = isOwned ? owner % this.members.length : -1;
    const texts = sizes.map((size, i) => lineOf(size, this.lines.length + i));
    append(this.log, texts.join(""), isOwned ? this.members[at].cursor : undefined);
    for (const text of texts) this.lines.push({ text, owner: at });
    this.#largestAppend = Math.max(this.#largestAppend, texts.join("").length);
  }

  /** Takes, and compares what comes with the next lines of others. */
  take(at: number, limit: number): void {
    const member = this.members[at];
    if (member.isClosed || member.held !== undefined) return;
    const wasEvicted = member.cursor.isEvicted;
    const bytes = member.cursor.take(limit);
    if (bytes === undefined) {
      if (!wasEvicted) assert.equal(this.#wanted(at).length, 0, "all is taken when take() has no more");
      return;
    }
    assert.equal(bytes.at(-1), LF, "take() ends at a line's end");
    const text = decoder.decode(bytes);
    const count = text.split("\n").length - 1;
    assert.ok(
      bytes.length <= limit || count === 1,
      `${bytes.length} bytes in ${count} lines, the limit is ${limit}`,
    );
    let expected = "";
    for (let i = 0; i < count; member.next++) {
      const line = this.lines[member.next];
      assert.ok(line !== undefined, "take() hands out no more than was appended");
      if (line.owner === at) continue;
      expected += line.text;
      i++;
    }
    assert.ok(text === expected, "take() hands out the very lines of the others, in order");
    member.taken += count;
    member.held = { bytes, copy: bytes.slice() };
  }

  commit(at: number): void {
    const { cursor, held } = this.members[at];
    if (held === undefined) return;
    assert.ok(
      decoder.decode(held.bytes) === decoder.decode(held.copy),
      "bytes stay as they are until commit()",
    );
    cursor.commit();
    this.members[at].held = undefined;
  }

  jump(at: number): void {
    const member = this.members[at];
    if (member.isClosed) return;
    const missed = this.#wanted(at);
    const lost = { lines: missed.length, bytes: missed.reduce((sum, line) => sum + line.text.length, 0) };
    assert.deepEqual(member.cursor.jumpToEnd(), lost);
    member.lost = { lines: member.lost.lines + lost.lines, bytes: member.lost.bytes + lost.bytes };
    member.next = this.lines.length;
    assert.equal(member.cursor.isEvicted, false);
  }

  closeMember(at: number): void {
    if (!this.members[at].isClosed) this.members[at].cursor.close();
    this.members[at].isClosed = true;
  }

  check(at: number): void {
    const { cursor, taken, lost, isClosed } = this.members[at];
    assert.equal(cursor.countTakenLines(), taken, "countTakenLines");
    assert.deepEqual({ ...cursor.lost }, lost);
    if (isClosed) return;
    const behind = this.#wanted(at).reduce((sum, line) => sum + line.text.length, 0);
    assert.equal(cursor.behindBytes, behind, "behindBytes");
  }

  dropRead(): void {
    const kept = this.members.map(({ cursor }) => [cursor.isEvicted, cursor.behindBytes]);
    this.log.dropRead();
    assert.deepEqual(this.members.map(({ cursor }) => [cursor.isEvicted, cursor.behindBytes]), kept);
    const isRead = this.members.every(({ cursor, held, isClosed }) => {
      return held === undefined && (isClosed || cursor.offset === this.log.end);
    });
    if (isRead) assert.equal(this.log.capacityBytes, 0);
  }

  dropUnread(keepBytes: number): void {
    const before = this.log.capacityBytes;
    assert.equal(this.log.dropUnread(keepBytes), before - this.log.capacityBytes);
    assert.ok(this.log.capacityBytes <= keepBytes, `${this.log.capacityBytes} bytes of ${keepBytes}`);
  }

  /** Ends all: then nothing is counted as in use. */
  close(): void {
    this.log.close();
    for (const at of this.members.keys()) {
      this.closeMember(at);
      this.commit(at);
    }
    assert.deepEqual([this.memory.usedBytes, this.log.capacityBytes], [0, 0]);
  }

  checkLog(): void {
    const { capacityBytes } = this.log;
    const limit = Math.max(this.#maxLogBytes, this.#largestAppend);
    assert.ok(capacityBytes <= limit, `the log takes ${capacityBytes} bytes of ${limit}`);
    assert.equal(this.log.lines, this.lines.length);
    assert.equal(this.log.end, this.lines.reduce((sum, line) => sum + line.text.length, 0));
  }

  /** The lines that a member has still to get. */
  #wanted(at: number): ModelLine[] {
    return this.lines.slice(this.members[at].next).filter(({ owner }) => owner !== at);
  }
}

Deno.test("RoomLog and its cursors agree with an array of lines, whatever happens in whatever order", () => {
  const maxLogBytes = fc.constantFrom(4096, 64 * 1024, 1024 * 1024, 8 * 1024 * 1024);
  const history = fc.array(step, { minLength: 1, maxLength: 120, size: "max" });
  fc.assert(
    fc.property(maxLogBytes, fc.integer({ min: 1, max: 6 }), history, (maxLogBytes, members, steps) => {
      const model = new Model(maxLogBytes, members);
      for (const step of steps) {
        const at = "who" in step ? step.who % model.members.length : 0;
        switch (step.do) {
          case "append":
            model.append(step.owner, step.lines);
            model.checkLog();
            break;
          case "take":
            model.take(at, step.limit);
            if (step.commits) model.commit(at);
            break;
          case "open":
          case "dropRead":
            model[step.do]();
            break;
          case "dropUnread":
            model.dropUnread(step.keepBytes);
            break;
          default:
            model[step.do](at);
        }
      }
      for (const [at, member] of model.members.entries()) {
        model.commit(at);
        if (member.cursor.isEvicted) model.jump(at);
        model.check(at);
        while (!member.isClosed && member.cursor.behindBytes > 0) {
          model.take(at, 100_000);
          model.commit(at);
        }
        model.check(at);
      }
      model.close();
    }),
    { numRuns: 300 },
  );
});
