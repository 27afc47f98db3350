// Holds collectChanges against a room: what of its state one of its members may be told, and how far it has
// all of it then.

import assert from "node:assert/strict";
import { collectChanges } from "../../../src/relay/member/state_changes.ts";
import { RELAY_DEFAULTS } from "../../../src/relay/options.ts";
import { type Peer, Room } from "../../../src/relay/room/room.ts";
import { encodeControl } from "../../../src/wire/protocol.ts";
import { fromBytes, toBytes } from "../../support/bytes_of_text.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

function openRoom(): Room {
  const settings = { ...RELAY_DEFAULTS, memory: UNLIMITED_MEMORY, clock: () => 0, relayTime: () => 7 };
  const room = new Room("r", settings, () => {});
  new StubReader(room.sessions); // where nobody reads, nothing is said
  return room;
}

function enter(room: Room, id: string): Peer {
  const peer = { id, name: "", joinLine: encodeControl("join", { id, name: "" }) };
  room.enter(peer);
  return peer;
}

function set(room: Room, peer: Peer, key: string, value: unknown, isRoom = false): void {
  assert.equal(room.set(peer, key, toBytes(JSON.stringify(value)), isRoom), undefined);
}

/** Which keys are told, and up to which version. */
function changes(
  room: Room,
  reader: Peer,
  after: number,
  offset = Infinity,
  limit = Infinity,
): [string[], number] {
  const { lines, bytes, version } = collectChanges(room, reader, after, offset, limit);
  assert.equal(bytes, lines.reduce((sum, line) => sum + line.length, 0));
  return [lines.map((line) => JSON.parse(fromBytes(line)).$set.key), version];
}

Deno.test("collectChanges tells others' values and the room's, each key once, and passes over the reader's own", () => {
  const room = openRoom(), ada = enter(room, "k1"), bo = enter(room, "k2");
  set(room, bo, "a", 1);
  set(room, ada, "mine", 2);
  set(room, ada, "ball", 3, true);
  set(room, bo, "a", 4);
  const { version } = room.state;
  assert.deepEqual(changes(room, ada, 0), [["ball", "a"], version]);
  assert.deepEqual(changes(room, ada, version - 1), [["a"], version]);
  assert.deepEqual(changes(room, bo, version - 1), [[], version], "its own alone: it has all there is");
});

Deno.test("collectChanges stops before a member that the reader does not know yet, and goes on once its $join is taken", () => {
  const room = openRoom(), ada = enter(room, "k1"), before = room.sessions.end, bo = enter(room, "k2");
  set(room, ada, "ball", 1, true);
  const { version } = room.state;
  set(room, bo, "a", 2);
  set(room, ada, "score", 3, true);
  assert.deepEqual(changes(room, ada, 0, before), [["ball"], version]);
  assert.deepEqual(changes(room, ada, version, before), [[], version]);
  assert.deepEqual(changes(room, ada, version, room.sessions.end), [["a", "score"], room.state.version]);
});

Deno.test("collectChanges tells nothing of who is not shown, and says that the reader has it", () => {
  const room = openRoom(), ada = enter(room, "k1"), bo = enter(room, "k2");
  set(room, bo, "a", 1);
  room.exit(bo, "lost");
  assert.deepEqual(changes(room, ada, 0), [[], room.state.version]);
});

Deno.test("collectChanges stops after the line that reaches the limit, and goes on from there without gap or repetition", () => {
  const room = openRoom(), ada = enter(room, "k1"), bo = enter(room, "k2"), keys = ["a", "b", "c", "d", "e"];
  for (const key of keys) set(room, bo, key, key);
  const lineBytes = collectChanges(room, ada, 0, Infinity, 1).bytes;
  const told: string[][] = [];
  for (let version = 0; version !== room.state.version;) {
    const [some, next] = changes(room, ada, version, Infinity, lineBytes + 1);
    told.push(some);
    version = next;
  }
  assert.deepEqual(told, [["a", "b"], ["c", "d"], ["e"]]);
});
