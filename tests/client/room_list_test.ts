// Tests src/client/room_list.ts with what the relay says, and with what none should.

import assert from "node:assert/strict";
import { readRoomList } from "../../src/client/room_list.ts";

Deno.test("readRoomList takes rooms with and without a limit, and leaves out what is none", () => {
  const rooms = [
    { name: "pong", members: 2, maxMembers: 2, more: "news" },
    { name: "hall", members: 30 },
    { name: "odd", members: 1, maxMembers: "2" },
    { name: 7, members: 1 },
    { name: "half" },
    null,
    "pong",
  ];
  assert.deepEqual(readRoomList({ rooms, more: 5 }), {
    rooms: [
      { name: "pong", members: 2, maxMembers: 2 },
      { name: "hall", members: 30 },
      { name: "odd", members: 1 },
    ],
    more: 5,
  });
});

Deno.test("readRoomList bears any answer", () => {
  for (const answer of [undefined, null, 1, "x", [], {}, { rooms: 1, more: "x" }, { rooms: { length: 1 } }]) {
    assert.deepEqual(readRoomList(answer), { rooms: [], more: 0 });
  }
});
