// Holds Room against its contract with stub readers: which level hears what, when it has news, and when its
// own values go.

import assert from "node:assert/strict";
import { type Peer, Room } from "../../../src/relay/room/room.ts";
import { fromBytes, toBytes } from "../../support/bytes_of_text.ts";
import { heapBytes } from "../../support/heap.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

const SETTINGS = {
  maxLogBytes: 1024 * 1024,
  maxLagMs: 1000,
  memory: UNLIMITED_MEMORY,
  clock: () => 0,
  relayTime: () => 7,
  maxKeys: 10,
  maxValueBytes: 100,
  maxStateBytes: 1000,
};

const TIME = '{"$time":{"time":7}}\n';
const PLAIN = `{"$from":{}}\n`;
const ADA: Peer = {
  id: "k1",
  name: "ada",
  joinLine: new TextEncoder().encode('{"$join":{"id":"k1","name":"ada"}}\n'),
};

const encoder = new TextEncoder();

function send(room: Room, sender: StubReader, text: string): void {
  const bytes = encoder.encode(text);
  room.say(sender, sender.feed, bytes, 0, bytes.length, text.split("\n").length - 1);
}

Deno.test("Room hands events of either level to both, and not to their sender", () => {
  const room = new Room("r", SETTINGS, () => {});
  const [pia, pit] = [new StubReader(room.plain), new StubReader(room.plain)];
  const [sue, sam] = [new StubReader(room.sessions), new StubReader(room.sessions)];
  send(room, pia, "1\n");
  send(room, sue, "2\n");
  assert.deepEqual([pia.take(), pit.take()], ["2\n", "1\n2\n"]);
  assert.deepEqual([sue.take(), sam.take()], [TIME + PLAIN + "1\n", TIME + PLAIN + "1\n2\n"]);
});

Deno.test("Room lets plain lines that look like control lines through, to sessions with a space before them", () => {
  const room = new Room("r", SETTINGS, () => {});
  const [pia, pit] = [new StubReader(room.plain), new StubReader(room.plain)];
  const [sue, sam] = [new StubReader(room.sessions), new StubReader(room.sessions)];
  const text = '1\n{"$a":1}\n{"$error":2}\n2\n {"$error":3}\n{"$errors":4}\n{"$welcome":{}}\n3\n';
  const bytes = encoder.encode(text);
  const places = Array.from(text.matchAll(/^\{"\$/gm), ({ index }) => index).filter((at) => at > 0);
  room.say(pia, room.plain, bytes, 2, bytes.length - 2, 6, places);
  const [plain, sessions] = [
    '{"$a":1}\n {"$error":2}\n2\n {"$error":3}\n{"$errors":4}\n {"$welcome":{}}\n',
    ' {"$a":1}\n {"$error":2}\n2\n {"$error":3}\n {"$errors":4}\n {"$welcome":{}}\n',
  ];
  assert.deepEqual([pia.take(), pit.take()], ["", plain]);
  assert.deepEqual([sue.take(), sam.take()], [TIME + PLAIN + sessions, TIME + PLAIN + sessions]);
  assert.equal(pit.cursor.countTakenLines(), 6);
  assert.equal(sue.cursor.countTakenLines(), 6);
  send(room, pia, "4\n");
  assert.deepEqual([pia.take(), pit.take(), sue.take()], ["", "4\n", "4\n"]);
});

Deno.test("Room shows who comes and goes to sessions, plain members hear nothing", () => {
  const room = new Room("r", SETTINGS, () => {});
  const [pia, sue, own] = [
    new StubReader(room.plain),
    new StubReader(room.sessions),
    new StubReader(room.sessions),
  ];
  assert.equal(room.presentSince(ADA), Infinity);
  room.enter(ADA, own);
  assert.equal(room.presentSince(ADA), room.sessions.end);
  assert.deepEqual([...room.peers()], [ADA]);
  assert.equal(room.presenceChangedAt, room.sessions.end);
  room.say(own, room.sessions, encoder.encode("1\n"), 0, 2, 1);
  room.exit(ADA, "behind", own);
  const leftAt = room.sessions.end;
  room.exit(ADA, "lost", own);
  assert.deepEqual([[...room.peers()], room.presenceChangedAt], [[], leftAt]);
  assert.equal(room.presentSince(ADA), Infinity);
  const shown =
    '{"$join":{"id":"k1","name":"ada"}}\n{"$from":{}}\n1\n{"$leave":{"id":"k1","reason":"behind"}}\n';
  assert.deepEqual([pia.take(), sue.take(), own.take()], ["1\n", TIME + shown, TIME]);
});

Deno.test("Room.set gives plain members nothing, whatever is set or removed", () => {
  const room = new Room("r", SETTINGS, () => {});
  const [pia, sue] = [new StubReader(room.plain), new StubReader(room.sessions)];
  assert.equal(room.set(ADA, "k", toBytes("[1.0]"), false), undefined);
  assert.equal(room.set(ADA, "k", toBytes("2"), true), undefined);
  assert.equal(room.set(ADA, "k", undefined, false), undefined);
  assert.equal(room.set(ADA, "k", toBytes("x".repeat(101)), false)?.code, "value_too_long");
  assert.deepEqual([...room.state.valuesOf(room.owner)].map(({ json }) => fromBytes(json)), ["2"]);
  send(room, sue, "3\n");
  assert.equal(pia.take(), "3\n");
});

Deno.test("Room says in which feed there is news, also of state", () => {
  const news: string[] = [];
  const room: Room = new Room("r", SETTINGS, (it) => news.push(it === room.plain ? "plain" : "sessions"));
  const [pia, sue] = [new StubReader(room.plain), new StubReader(room.sessions)];
  send(room, pia, "1\n");
  send(room, sue, "1\n");
  assert.deepEqual(news.splice(0), ["plain", "sessions", "plain", "sessions"]);
  room.set(ADA, "k", toBytes("1"), false);
  assert.deepEqual(news.splice(0), ["sessions"]);
  room.set(ADA, "k", undefined, false);
  room.enter(ADA);
  assert.deepEqual(news, ["sessions", "sessions"]);
});

Deno.test("Room keeps its own values until the last of either level has left", () => {
  const room = new Room("r", SETTINGS, () => {});
  const [pia, sue] = [new StubReader(room.plain), new StubReader(room.sessions)];
  room.set(ADA, "k", toBytes("1"), true);
  room.leave(sue, room.sessions);
  assert.deepEqual([room.isEmpty, room.state.bytes], [false, 2]);
  room.leave(pia, room.plain);
  assert.deepEqual([room.isEmpty, room.state.bytes], [true, 0]);
});

Deno.test("Room keeps a value that would go with its setter once another one has set it", () => {
  const room = new Room("r", SETTINGS, () => {}), bo: Peer = { ...ADA, id: "k2" };
  for (const peer of [ADA, bo]) room.enter(peer);
  for (const key of ["a", "b"]) room.set(ADA, key, toBytes("1"), true, true);
  room.set(bo, "b", toBytes("2"), true);
  room.exit(ADA, "closed");
  assert.deepEqual(["a", "b"].map((key) => room.state.find(room.owner, key)?.value), [undefined, "2"]);
});

Deno.test("Room remembers no holder of a key that has no value", () => {
  const room = new Room("r", SETTINGS, () => {});
  const before = heapBytes();
  for (let i = 0; i < 100_000; i++) {
    room.set(ADA, `a key that was never set: number ${i}`, undefined, true, true);
  }
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 1e6, `${grownBytes} bytes for keys that nobody has`);
  assert.equal(room.state.version, 0);
});
