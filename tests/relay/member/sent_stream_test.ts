// Holds SentStream against a client that takes what comes line by line: whatever is written, confirmed,
// skipped and broken off at any byte, its lines are the ones it has not had, in order, nothing twice.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { MemoryBudget } from "../../../src/relay/memory_budget.ts";
import { SentStream } from "../../../src/relay/member/sent_stream.ts";
import { Letter } from "../../../src/relay/room/letter.ts";
import { RoomLog } from "../../../src/relay/room/room_log.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** A log, the stream of one reader of it, and its client. */
class Model {
  readonly log = new RoomLog("plain", { maxLogBytes: 16 * 1024, maxLagMs: 1000, memory: new MemoryBudget() });
  readonly stream = new SentStream<number>(this.log.openCursor(), 0);
  #said = 0;
  #answered = 0;
  #version = 0;
  /** Written, and not delivered to the client yet. */
  #underway = "";
  #half = "";
  received = 0;
  #expected = 0;
  #state = 0;
  readonly answers: number[] = [];
  #isTold = true;
  gaps = 0;

  append(count: number): void {
    for (let i = 0; i < count; i++) this.#append(`${this.#said++}\n`);
  }

  flood(): void {
    for (let i = 0; i < 6; i++) {
      const lines = Array.from({ length: 700 }, () => `${this.#said++}\n`).join("");
      const bytes = encoder.encode(lines);
      this.log.append(bytes, 0, bytes.length, 700);
    }
  }

  own(count: number): void {
    for (let i = 0; i < count; i++) {
      const start = this.log.end;
      this.#append("own\n");
      this.stream.skipOwn(start, 1);
    }
  }

  #append(line: string): void {
    const bytes = encoder.encode(line);
    this.log.append(bytes, 0, bytes.length, 1);
  }

  /** Writes what has to come next; whether there was something. */
  #writeOwed(): boolean {
    const owed = this.stream.takeOwed();
    if (owed !== undefined) this.#underway += decoder.decode(owed);
    return owed !== undefined;
  }

  write(limit: number): void {
    if (this.#writeOwed()) return;
    const { cursor } = this.stream;
    if (cursor.isEvicted) return this.jump();
    const bytes = cursor.take(limit + 1);
    if (bytes === undefined) return;
    this.stream.addLog(bytes.length);
    this.#underway += decoder.decode(bytes);
    cursor.commit();
  }

  jump(): void {
    if (this.#writeOwed() || !this.stream.canJump(0)) return;
    const lost = this.stream.cursor.jumpToEnd();
    if (lost.bytes === 0) return;
    this.stream.jump(encoder.encode(`lost ${lost.lines}\n`), [
      encoder.encode("peers\n"),
      encoder.encode("time\n"),
    ]);
    this.gaps++;
    this.#writeOwed();
  }

  answer(): void {
    if (this.#writeOwed()) return;
    this.#giveAnswer(this.#answered++);
  }

  #giveAnswer(id: number): void {
    const line = `answer ${id}\n`;
    this.stream.addAnswer(line.length, id);
    this.#underway += line;
  }

  set(): void {
    if (this.#writeOwed()) return;
    const line = `state ${++this.#version}\n`;
    this.stream.addState(line.length, this.#version);
    this.#underway += line;
  }

  deliver(bytes: number): void {
    this.#half += this.#underway.slice(0, bytes);
    this.#underway = this.#underway.slice(bytes);
    const lines = this.#half.split("\n");
    this.#half = lines.pop()!;
    for (const line of lines) this.#onLine(line);
  }

  #onLine(line: string): void {
    this.received += line.length + 1;
    const [word, number] = line.split(" ");
    if (!this.#isTold) assert.equal(word, this.#after, "what belongs to a gap follows it");
    if (word === "lost") this.#expected += Number(number);
    else if (word === "answer") this.answers.push(Number(number));
    else if (word === "state") this.#state = Number(number);
    else if (word !== "peers" && word !== "time") {
      assert.equal(Number(line), this.#expected++, "the next line");
    }
    this.#isTold = word !== "lost" && word !== "peers";
    this.#after = word === "lost" ? "peers" : "time";
  }
  #after = "";

  confirm(): void {
    this.stream.confirm(this.received);
  }

  /** Breaks the connection and goes on; false if the log has dropped too much. */
  break(): boolean {
    this.#underway = this.#half = "";
    assert.ok(this.stream.canGoOnAt(this.received));
    this.stream.confirm(this.received);
    const answers = this.stream.rewind();
    if (answers === undefined) return false;
    assert.equal(this.stream.unconfirmedBytes, 0);
    this.#writeOwed();
    for (const id of answers) this.#giveAnswer(id);
    if (this.stream.stateVersion < this.#version) this.#version = this.stream.stateVersion; // is set again
    return true;
  }

  end(): void {
    for (let i = 0; i < 100; i++) {
      this.write(5000);
      this.deliver(Infinity);
      this.confirm();
    }
    assert.equal(this.#expected, this.#said, "received and lost are all");
    assert.deepEqual(this.answers, [...this.answers.keys()], "each answer once, in order");
    assert.equal(this.answers.length, this.#answered);
    assert.equal(this.#state, this.stream.stateVersion);
    assert.equal(this.stream.confirmedStateVersion, this.#state);
    assert.deepEqual([this.stream.unconfirmedBytes, this.stream.memoryBytes, this.stream.owedLines], [
      0,
      0,
      0,
    ]);
  }
}

Deno.test("SentStream goes on with exactly the next line wherever it breaks", () => {
  const step = fc.record({
    do: fc.constantFrom(
      ...([
        "append",
        "append",
        "write",
        "write",
        "deliver",
        "deliver",
        "deliver",
        "confirm",
        "confirm",
      ] as const),
      ...(["own", "jump", "jump", "answer", "set", "break", "break", "flood"] as const),
    ),
    count: fc.nat(30),
  });
  let gaps = 0, ends = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const model = new Model();
      for (const { do: what, count } of steps) {
        if (what === "break") {
          if (model.break()) continue;
          ends++;
          return;
        }
        if (what === "flood" && count > 3) continue;
        model[what](count);
      }
      model.end();
      gaps += model.gaps;
    }),
    { numRuns: 1500 },
  );
  assert.ok(gaps > 100 && ends > 0, `${gaps} gaps, ${ends} broken for good`);
});

Deno.test("SentStream can't go on below what opened it, above what was written, or below what was confirmed", () => {
  const { stream } = new Model();
  stream.addOpening(100);
  stream.addAnswer(10);
  assert.deepEqual([0, 99, 100, 110, 111].map((bytes) => stream.canGoOnAt(bytes)), [
    false,
    false,
    true,
    true,
    false,
  ]);
  stream.confirm(111); // can't be
  stream.confirm(105);
  stream.confirm(20); // is old
  assert.deepEqual([104, 105, 110].map((bytes) => stream.canGoOnAt(bytes)), [false, true, true]);
});

Deno.test("SentStream goes on though the log has dropped the place, if nothing but own lines came since", () => {
  const model = new Model();
  model.append(3);
  model.write(100);
  model.deliver(100);
  model.confirm();
  model.own(10_000);
  assert.equal(model.break(), true);
  model.append(1);
  model.end();
});

for (const isAllConfirmed of [true, false]) {
  const what = isAllConfirmed ? "all" : "anything";
  Deno.test(`SentStream whose confirmed place the log has dropped can go on once ${what} that was written then is confirmed`, () => {
    const model = new Model();
    model.append(20);
    model.write(5000);
    for (let i = 0; i < 20; i++) {
      model.own(1000);
      model.write(5000); // there is nothing, but it keeps up
    }
    for (let i = 0; i < (isAllConfirmed ? 1 : 3); i++) {
      model.deliver(Infinity);
      if (!isAllConfirmed) {
        model.append(1); // something is always on its way
        model.write(5000);
      }
      model.confirm();
    }
    assert.equal(model.break(), true);
    model.append(1);
    model.end();
  });
}

Deno.test("SentStream keeps nothing of the log whose lines it has copied beside letters", () => {
  const memory = new MemoryBudget();
  const log = new RoomLog("session", { maxLogBytes: 16 * 1024, maxLagMs: 1000, memory });
  const stream = new SentStream<number>(log.openCursor(), 0);
  const line = encoder.encode("1\n");
  log.append(line, 0, line.length, 1);
  stream.letters.push(new Letter([encoder.encode("2\n")], { lines: 1 }), log.end, 0, memory);
  assert.equal(decoder.decode(stream.takeWithLetters(100, 100)), "1\n2\n");
  log.dropUnread(0);
  assert.equal(stream.cursor.pinnedBytes, 0);
});

Deno.test("SentStream that is broken off behind a gap keeps no place in the log for it", () => {
  const bytesLeft = (jumps: boolean) => {
    const memory = new MemoryBudget();
    const log = new RoomLog("session", { maxLogBytes: 16 * 1024, maxLagMs: 1000, memory });
    const stream = new SentStream<number>(log.openCursor(), 0, memory.letters);
    const append = (text: string) => {
      const bytes = encoder.encode(text), start = log.end;
      log.append(bytes, 0, bytes.length, 1);
      return start;
    };
    append("1\n");
    stream.cursor.jumpToEnd();
    if (jumps) stream.jump(encoder.encode("lost 1\n"), []);
    for (let i = 0; i < 20; i++) {
      append("2\n");
      stream.skipOwn(append("own\n"), 1); // places remember what they leave out
    }
    assert.deepEqual(stream.rewind(), []);
    stream.close();
    return memory.usedBytes;
  };
  assert.equal(bytesLeft(true), bytesLeft(false));
});

Deno.test("SentStream takes of log and letters what it may and no more, but always a line", () => {
  for (const isLetter of [true, false]) {
    const memory = new MemoryBudget();
    const log = new RoomLog("session", { maxLogBytes: 2 ** 20, maxLagMs: 1000, memory });
    const stream = new SentStream<number>(log.openCursor(), 0);
    const line = encoder.encode(`${"x".repeat(99)}\n`), letter = new Letter([line], { lines: 1 });
    for (let i = 0; i < 50; i++) {
      if (!isLetter) log.append(line, 0, line.length, 1);
      stream.letters.push(letter, log.end, 0, memory);
    }
    for (const [limit, copy, most] of [[1000, 1e6, 1000], [1e6, 1000, 1000], [10, 1e6, 100]]) {
      const { unconfirmedBytes } = stream, taken = stream.takeWithLetters(limit, copy)!.length;
      assert.ok(taken > most - 100 && taken <= most + 100, `${taken} bytes of ${limit}, ${copy}`);
      assert.equal(stream.unconfirmedBytes - unconfirmedBytes, taken);
    }
  }
});

Deno.test("SentStream keeps one gap, and the last 100 answers, for a client that confirms nothing", () => {
  const model = new Model();
  for (let i = 0; i < 50; i++) {
    model.append(10);
    model.jump();
  }
  assert.equal(model.gaps, 1);
  for (let i = 0; i < 500; i++) model.answer();
  assert.equal(model.stream.rewind()!.length, 100);
});

Deno.test("SentStream counts what kept answers take, and keeps 64 KiB of them, or a short one where memory is short", () => {
  const stream = new Model().stream;
  const before = stream.memoryBytes;
  for (let i = 0; i < 50; i++) stream.addAnswer(10_000, i);
  const grownBytes = stream.memoryBytes - before;
  assert.ok(grownBytes > 120_000 && grownBytes < 160_000, `${grownBytes} bytes for six of 10,000`);
  stream.confirm(500_000);
  assert.equal(stream.memoryBytes, before);
  for (let i = 0; i < 50; i++) stream.addAnswer(10_000, i);
  assert.deepEqual(stream.rewind(), [44, 45, 46, 47, 48, 49]);
  for (let i = 0; i < 3; i++) stream.addAnswer(10, i);
  stream.addAnswer(10, 3, true);
  assert.deepEqual(stream.rewind(), [3]);
  stream.addAnswer(10_000, 4, true);
  assert.deepEqual(stream.rewind(), []);
});
