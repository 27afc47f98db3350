// Tests src/client/session/told_sets.ts with the states that it settles and takes back.

import assert from "node:assert/strict";
import { OwnState } from "../../../src/client/session/own_state.ts";
import { readSet, ToldSets } from "../../../src/client/session/told_sets.ts";
import { encodeSet } from "../../../src/wire/protocol.ts";

const encoder = new TextEncoder();

/** Sets values as an outbox does: each is handed out as one line of ten bytes. */
function telling(...sets: [state: OwnState, key: string, json: string | undefined][]): ToldSets {
  const told = new ToldSets();
  sets.forEach(([state, key, json], i) => {
    state.set(key, json);
    state.takeLine();
    told.note(i + 2, (i + 1) * 10, state, key, json);
  });
  return told;
}

Deno.test("ToldSets.confirm settles what was set in whole lines, and no more", () => {
  for (let bytes = 0; bytes <= 20; bytes++) {
    const room = new OwnState(true);
    const told = telling([room, "a", "1"], [room, "b", "2"]);
    told.confirm(bytes);
    const confirmed = Math.floor(bytes / 10);
    assert.deepEqual([...told.takeRoomChanges().keys()], ["a", "b"].slice(confirmed), `${bytes} bytes`);
    assert.equal(told.refuse(2) === undefined, confirmed >= 1, "a counted line is not refused any more");
  }
});

Deno.test("ToldSets.refuse gives the state back what was settled before, or a newer value that may still be taken", () => {
  const member = new OwnState(false);
  const told = telling([member, "a", "1"], [member, "a", "2"], [member, "a", "3"]);
  told.confirm(10);
  assert.deepEqual(told.refuse(3), { key: "a", isRoom: false });
  assert.equal(member.values().a, 3);
  assert.deepEqual(told.refuse(4), { key: "a", isRoom: false });
  assert.equal(member.values().a, 1);
  assert.equal(told.refuse(4), undefined, "once");
});

Deno.test("ToldSets.refuse leaves nothing of the room that may be lost", () => {
  const room = new OwnState(true);
  const told = telling([room, "a", "1"], [room, "b", "1"]);
  told.refuse(2);
  assert.deepEqual([...told.takeRoomChanges()], [["b", "1"]]);
});

Deno.test("ToldSets keeps a member and the room apart, whose keys may be the same", () => {
  const member = new OwnState(false), room = new OwnState(true);
  const told = telling([member, "a", "1"], [room, "a", "2"]);
  assert.deepEqual([...told.roomKeys()], ["a"]);
  assert.deepEqual(told.refuse(2), { key: "a", isRoom: false });
  assert.deepEqual([member.has("a"), room.has("a")], [false, true]);
  assert.deepEqual([...told.takeRoomChanges()], [["a", "2"]]);
});

Deno.test("ToldSets.noteEcho ends the wait for the change that it repeats, not for a later one", () => {
  const room = new OwnState(true);
  const told = telling([room, "a", "1"], [room, "b", "1"], [room, "b", "2"], [room, "c", undefined]);
  told.noteEcho("a", "1");
  told.noteEcho("b", "1");
  told.noteEcho("c", "1");
  told.noteEcho("unknown", undefined);
  assert.deepEqual([...told.takeRoomChanges()], [["b", "2"], ["c", undefined]]);
  assert.deepEqual([...told.takeRoomChanges()], [], "taken");
});

Deno.test("ToldSets.forgetLines forgets the numbers, and keeps what may be lost", () => {
  const room = new OwnState(true);
  const told = telling([room, "a", "1"], [room, "b", undefined]);
  told.forgetLines();
  assert.deepEqual([told.refuse(2), [...told.roomKeys()]], [undefined, []]);
  told.note(2, 10, room, "b", "3");
  assert.deepEqual([...told.roomKeys()], ["b"]);
  assert.deepEqual([...told.takeRoomChanges()], [["a", "1"], ["b", "3"]]);
});

Deno.test("readSet reads any $set that is written here, and no other line", () => {
  for (const json of ["1", '"}"', '{"a":[null]}', undefined]) {
    for (const isRoom of [true, false]) {
      const line = encodeSet('a "key"', json, { isRoom, isHeld: isRoom });
      assert.deepEqual(readSet(line), { key: 'a "key"', json, isRoom });
    }
  }
  for (const text of ['{"$to":{}}\n', '["{\\"$set\\":"]\n', '{"$se\n', "1\n"]) {
    assert.equal(readSet(encoder.encode(text)), undefined, text);
  }
});
