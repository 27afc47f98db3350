// Tests src/client/session/session_outbox.ts against a relay as simple as can be: it counts the bytes of
// whole lines, and knows what it got.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { SessionOutbox } from "../../../src/client/session/session_outbox.ts";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text + "\n");
}

function decode(bytes: Uint8Array | undefined): string[] {
  return bytes === undefined ? [] : new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}

/** Makes an outbox that may write, with events in it. */
function holding(...events: string[]): SessionOutbox {
  return holdingWithin(undefined, ...events);
}

function holdingWithin(maxUnconfirmedBytes: number | undefined, ...events: string[]): SessionOutbox {
  const outbox = new SessionOutbox(() => 5, maxUnconfirmedBytes);
  outbox.isOpen = true;
  for (const event of events) outbox.push(encode(event), Infinity);
  return outbox;
}

/** Takes a batch and confirms that it went out. */
function write(outbox: SessionOutbox, maxBytes = 1000): string[] {
  const bytes = outbox.nextBatch(maxBytes);
  if (bytes !== undefined) outbox.confirm(bytes.length);
  return decode(bytes);
}

const PING = '{"$ping":{"t":5}}';

Deno.test("SessionOutbox.nextBatch orders: acknowledgement, state of room and member, events, ping", () => {
  const outbox = holding("1", "2");
  outbox.askPing();
  outbox.ack(7);
  outbox.ack(9);
  outbox.member.set("a", "1");
  outbox.room.set("b", "2");
  assert.deepEqual(write(outbox), [
    '{"$ack":{"bytes":9}}',
    '{"$set":{"key":"b","value":2,"room":true}}',
    '{"$set":{"key":"a","value":1}}',
    "1",
    "2",
    PING,
  ]);
  assert.equal(outbox.nextBatch(1000), undefined);
  assert.equal(outbox.hasMore, false);
});

Deno.test("SessionOutbox.set that removes a key ends that its value goes with this program", () => {
  const outbox = holding();
  outbox.set("k", "1", true);
  outbox.room.hold("k", true);
  outbox.set("k", "2", true);
  assert.deepEqual(write(outbox), ['{"$set":{"key":"k","value":2,"room":true,"hold":true}}']);
  outbox.set("k", undefined, true);
  outbox.set("k", "3", true);
  assert.deepEqual(write(outbox), ['{"$set":{"key":"k","value":3,"room":true}}']);
});

Deno.test("SessionOutbox.nextBatch lets events through beside much state, and writes nothing but acknowledgements before it is open", () => {
  const outbox = holding("event");
  for (let n = 0; n < 10; n++) outbox.member.set(`key ${n}`, "1");
  const lines = write(outbox, 100);
  assert.ok(lines.includes("event") && lines.length < 10, lines.join(" "));

  const closed = new SessionOutbox(() => 5);
  closed.push(encode("event"), Infinity);
  closed.member.set("a", "1");
  closed.ack(3);
  assert.deepEqual(write(closed), ['{"$ack":{"bytes":3}}']);
  assert.equal(closed.nextBatch(1000), undefined);
});

Deno.test("SessionOutbox holds events back over the limit, after a ping, until the relay has confirmed", () => {
  const outbox = holdingWithin(100, "x".repeat(120), "2", "3");
  assert.deepEqual(write(outbox, 50), ["x".repeat(120), PING]);
  assert.equal(outbox.nextBatch(50), undefined);
  assert.deepEqual([outbox.hasMore, outbox.length], [true, 2]);
  outbox.ack(5);
  assert.deepEqual(write(outbox), ['{"$ack":{"bytes":5}}'], "control lines go out");
  outbox.confirmStream(121);
  assert.deepEqual(write(outbox), ["2", "3"]);
});

Deno.test("SessionOutbox.resume takes any line's end as the relay's count, and nothing else", () => {
  for (let bytes = 0; bytes <= 13; bytes++) {
    const outbox = holding("aaa", "bbb", "ccc");
    write(outbox);
    outbox.rewind(Infinity);
    const isLineEnd = [0, 4, 8, 12].includes(bytes);
    assert.equal(outbox.resume(bytes), isLineEnd, `${bytes}`);
    outbox.isOpen = true;
    if (isLineEnd) assert.deepEqual(write(outbox), ["aaa", "bbb", "ccc"].slice(bytes / 4));
  }
});

Deno.test("SessionOutbox.restart counts events alone as lost, and tells the member's state again", () => {
  const outbox = holding("1", "22");
  outbox.member.set("a", "1");
  outbox.member.set("b", "2");
  outbox.member.set("b", undefined);
  outbox.askPing();
  write(outbox);
  outbox.push(encode("new"), Infinity);
  outbox.rewind(Infinity);
  assert.deepEqual(outbox.restart(), { lines: 2, bytes: 5, roomChanges: new Map(), unasked: new Set() });
  outbox.isOpen = true;
  assert.deepEqual(write(outbox), ['{"$set":{"key":"a","value":1}}', "new"]);
});

const CLAIM = '{"$claim":{"ask":"2","key":"a","value":1}}', ROOMS = '{"$rooms":{"ask":"3"}}';
const REQUEST = '{"$to":{"ids":["k2"],"ask":"4","event":5}}';

for (const isOtherRelay of [false, true]) {
  const where = isOtherRelay ? "but no member, on another relay" : "members too, on the same relay";
  Deno.test(`SessionOutbox.restart has what was never asked asked: ${where}`, () => {
    const outbox = holding();
    outbox.ask(encode('{"$claim":{"ask":"1","key":"asked","value":1}}'));
    write(outbox);
    for (const line of ['{"$host":{"id":"k2"}}', CLAIM, ROOMS]) outbox.ask(encode(line));
    for (const line of ["event", REQUEST]) outbox.push(encode(line), Infinity);
    outbox.rewind(Infinity);
    const { unasked } = outbox.restart([], isOtherRelay);
    const kept = isOtherRelay ? [] : [REQUEST];
    assert.deepEqual([...unasked], isOtherRelay ? ["2", "3"] : ["2", "3", "4"]);
    assert.deepEqual([outbox.length, outbox.dropped], [1 + kept.length, 1 - kept.length]);
    outbox.isOpen = true;
    assert.deepEqual(write(outbox), [CLAIM, ROOMS, "event", ...kept]);
  });
}

Deno.test("SessionOutbox.nextBatch leaves out the questions to the relay that were given up, and nothing else", () => {
  const outbox = new SessionOutbox(() => 5, undefined, undefined, (ask) => ask === "3" || ask === undefined);
  outbox.isOpen = true;
  for (const line of ["event", REQUEST]) outbox.push(encode(line), Infinity);
  for (const line of ['{"$host":{}}', CLAIM, ROOMS]) outbox.ask(encode(line));
  assert.deepEqual(write(outbox), ['{"$host":{}}', ROOMS, "event", REQUEST]);
});

Deno.test("SessionOutbox.nextBatch asks behind what was set of the room, however many batches that takes", () => {
  const outbox = holding("event");
  outbox.ask(encode(CLAIM));
  outbox.set("a", undefined, true);
  for (let n = 0; n < 5; n++) outbox.set(`key ${n}`, "1", true);
  const lines = Array.from({ length: 9 }, () => write(outbox, 100)).flat();
  assert.equal(lines.length, 8);
  const claimed = lines.indexOf(CLAIM);
  assert.ok(lines.every((line, at) => !line.startsWith('{"$set"') || at < claimed), lines.join("\n"));
  assert.equal(lines[0], '{"$set":{"key":"a","room":true}}');
});

Deno.test("SessionOutbox.clear counts what never went out whole", () => {
  const outbox = holding("1", "2", "3");
  outbox.nextBatch(4);
  outbox.clear();
  assert.deepEqual([outbox.length, outbox.dropped], [0, 3]);
});

Deno.test("SessionOutbox gives changed state half of a batch while events wait, and all of it otherwise", () => {
  const outbox = holding(...Array.from({ length: 100 }, () => "x".repeat(19)));
  for (let n = 0; n < 100; n++) outbox.set(`key ${n}`, "1", n % 2 === 0);
  const share = (lines: string[]) => {
    const state = lines.filter((line) => line.startsWith('{"$set')).join("\n").length;
    return state / lines.join("\n").length;
  };
  const mixed = share(write(outbox, 1000));
  assert.ok(mixed > 0.45 && mixed < 0.6, `${mixed}`);
  const alone = holding();
  for (let n = 0; n < 100; n++) alone.set(`key ${n}`, "1", false);
  const lines = write(alone, 1000);
  assert.ok(share(lines) > 0.9 && lines.join("\n").length > 950);
});

Deno.test("SessionOutbox says goodbye without waiting for confirmation, after all that waits", () => {
  const outbox = holdingWithin(50, ...Array.from({ length: 20 }, (_, n) => `${n} ${"x".repeat(20)}`));
  const before = write(outbox, 100);
  assert.equal(outbox.nextBatch(100), undefined, "nothing goes out until some is confirmed");
  outbox.end();
  const lines = [...before];
  while (outbox.hasMore) lines.push(...write(outbox, 100));
  const events = lines.filter((line) => !line.startsWith('{"$'));
  assert.equal(events.length, 20);
  assert.equal(lines.at(-1), '{"$bye":{}}');
  outbox.clear();
  assert.deepEqual(outbox.takeLeft(), { lines: 0, bytes: 0, roomChanges: new Map(), unasked: new Set() });
});

Deno.test("SessionOutbox.takeLeft has what was written and not confirmed when there was no goodbye", () => {
  const outbox = holding("1", "22");
  outbox.set("told", "1", true);
  outbox.set("mine", "1", false);
  write(outbox);
  outbox.push(encode("waits"), Infinity);
  outbox.set("news", "1", true);
  outbox.rewind(Infinity);
  outbox.end();
  outbox.clear();
  const { lines, bytes, roomChanges } = outbox.takeLeft();
  assert.deepEqual([lines, bytes, [...roomChanges.keys()]], [2, 5, ["told", "news"]]);
  assert.deepEqual([outbox.dropped, outbox.droppedBytes], [1, 6]);
});

Deno.test("SessionOutbox.takeLeft does not tell again what was dropped because it had not gone out whole", () => {
  const outbox = holding("1", "22", "333");
  const bytes = outbox.nextBatch(1000)!;
  outbox.confirm(bytes.length - 1);
  outbox.clear();
  const left = outbox.takeLeft();
  assert.deepEqual([outbox.dropped, outbox.droppedBytes, left.lines, left.bytes], [3, 9, 0, 0]);
});

Deno.test("SessionOutbox.refuse finds the value by its line, and falls back to what the relay had taken", () => {
  const outbox = holding("event");
  outbox.set("a", "1", false);
  write(outbox); // lines 2 and 3
  outbox.confirmStream(outbox.unconfirmedBytes);
  outbox.set("a", "2", false);
  outbox.set("b", "1", false);
  write(outbox); // lines 4 and 5
  outbox.set("a", "3", false);
  write(outbox); // line 6
  assert.equal(outbox.refuse(3), undefined, "an event");
  assert.equal(outbox.refuse(2), undefined, "confirmed");
  assert.equal(outbox.refuse(99), undefined);
  const wanted = () => {
    outbox.rewind(Infinity);
    outbox.restart();
    outbox.isOpen = true;
    return write(outbox);
  };
  assert.deepEqual(outbox.refuse(6), { key: "a", isRoom: false });
  assert.deepEqual(outbox.refuse(5), { key: "b", isRoom: false });
  assert.deepEqual(outbox.refuse(5), undefined, "once");
  assert.deepEqual(outbox.refuse(4), { key: "a", isRoom: false });
  assert.deepEqual(wanted(), ['{"$set":{"key":"a","value":1}}'], "both newer ones were refused");
});

Deno.test("SessionOutbox.refuse leaves a newer value alone, told or not, also after a resume with other line numbers", () => {
  const outbox = holding();
  outbox.askPing();
  outbox.set("a", "1", true);
  outbox.set("b", "1", false);
  write(outbox); // a ping, too
  outbox.rewind(Infinity);
  assert.ok(outbox.resume(0));
  outbox.isOpen = true;
  outbox.set("a", "2", true);
  const lines = write(outbox); // owed as lines 2 and 3, then 4
  assert.deepEqual(lines, [
    '{"$set":{"key":"a","value":1,"room":true}}',
    '{"$set":{"key":"b","value":1}}',
    '{"$set":{"key":"a","value":2,"room":true}}',
  ]);
  assert.deepEqual(outbox.refuse(2), { key: "a", isRoom: true });
  assert.ok(outbox.room.has("a"), "2 may still be taken");
  outbox.set("b", "2", false);
  assert.deepEqual(outbox.refuse(3), { key: "b", isRoom: false });
  assert.ok(outbox.member.has("b"), "it has not been told yet");
  assert.deepEqual(outbox.refuse(4), { key: "a", isRoom: true });
  assert.ok(!outbox.room.has("a"));
});

Deno.test("SessionOutbox.restart tells the room's changes that may be lost: not those confirmed or seen to have arrived", () => {
  const outbox = holding();
  outbox.set("confirmed", "1", true);
  write(outbox);
  outbox.confirmStream(outbox.unconfirmedBytes);
  outbox.set("echoed", "1", true);
  outbox.set("older", "1", true);
  write(outbox);
  outbox.set("older", "2", true);
  outbox.set("gone", undefined, true);
  outbox.set("mine", "1", false);
  write(outbox);
  outbox.noteEcho("echoed", "1");
  outbox.noteEcho("older", "1");
  outbox.set("waits", "1", true);
  outbox.rewind(Infinity);
  assert.deepEqual([...outbox.restart().roomChanges], [["older", "2"], ["gone", undefined]]);
  assert.equal(outbox.restart().roomChanges.size, 0);
});

Deno.test("SessionOutbox takes no count for one that is above what was written", () => {
  const outbox = holding("1", "2");
  write(outbox);
  outbox.confirmStream(1000);
  assert.equal(outbox.unconfirmedBytes, 4);
  outbox.rewind(Infinity);
  assert.equal(outbox.resume(1000), false);
});

Deno.test("SessionOutbox and a relay that counts: nothing lost, doubled or out of order, however connections break", () => {
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("push" as const), length: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("set" as const), key: fc.constantFrom("a", "b") }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("confirm" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("break" as const) }) },
  );
  fc.assert(fc.property(fc.array(action, { maxLength: 300, size: "max" }), (actions) => {
    const outbox = holdingWithin(200);
    const events: number[] = [];
    const state = new Map<string, number>();
    const newest = new Map<string, number>();
    let [pushed, counted, sent] = [0, 0, 0];
    let [half, batch] = ["", new Uint8Array(0)];
    const take = (text: string) => {
      half += text;
      for (let end = half.indexOf("\n"); end >= 0; end = half.indexOf("\n")) {
        const line = half.slice(0, end);
        half = half.slice(end + 1);
        counted += end + 1;
        if (line.startsWith('{"$set"')) {
          const { key, value } = JSON.parse(line).$set;
          state.set(key, value);
        } else if (!line.startsWith('{"$')) events.push(Number(line.split(":")[0]));
      }
    };
    const writeSome = (part: number) => {
      if (batch.length === 0) batch = new Uint8Array(outbox.nextBatch(50) ?? []);
      if (batch.length === 0) return;
      const count = Math.max(1, Math.floor(batch.length * part));
      take(new TextDecoder().decode(batch.subarray(0, count)));
      sent += outbox.confirm(count);
      batch = batch.subarray(count);
    };
    for (const each of actions) {
      if (each.kind === "push") outbox.push(encode(`${pushed++}:${"x".repeat(each.length)}`), Infinity);
      else if (each.kind === "set") {
        newest.set(each.key, (newest.get(each.key) ?? 0) + 1);
        outbox.member.set(each.key, `${newest.get(each.key)}`);
      } else if (each.kind === "write") writeSome(each.part);
      else if (each.kind === "confirm") outbox.confirmStream(counted);
      else {
        [half, batch] = ["", new Uint8Array(0)]; // the relay drops the half line
        outbox.rewind(Infinity);
        assert.ok(outbox.resume(counted));
        outbox.isOpen = true;
      }
      assert.ok(outbox.unconfirmedBytes < 200 + 150);
      assert.equal(sent + outbox.length, pushed);
    }
    for (let i = 0; outbox.hasMore; i++) {
      assert.ok(i < 10_000, "it comes to an end");
      writeSome(1);
      if (batch.length === 0) outbox.confirmStream(counted);
    }
    assert.deepEqual(events, Array.from({ length: pushed }, (_, n) => n));
    assert.deepEqual(state, newest);
  }));
});
