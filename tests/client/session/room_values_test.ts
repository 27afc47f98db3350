// Tests src/client/session/room_values.ts with an outbox that a relay has taken everything from.

import assert from "node:assert/strict";
import { noteRoomValue, settleRoom } from "../../../src/client/session/room_values.ts";
import { SessionOutbox } from "../../../src/client/session/session_outbox.ts";

/** An outbox that has told the relay these values of the room. */
function telling(values: Record<string, unknown>): SessionOutbox {
  const outbox = new SessionOutbox(() => 0);
  outbox.isOpen = true;
  for (const [key, value] of Object.entries(values)) {
    outbox.set(key, value === undefined ? undefined : JSON.stringify(value), true);
  }
  outbox.confirm(outbox.nextBatch(100_000)?.length ?? 0);
  return outbox;
}

/** What it would tell again in another session. */
function news(outbox: SessionOutbox): string[] {
  return [...outbox.room.newsKeys].sort();
}

Deno.test("noteRoomValue gives a value up that another member has set, or anybody removed", () => {
  const outbox = telling({ mine: 1, theirs: 1, gone: 1, plain: 1 });
  noteRoomValue(outbox, "me", { key: "mine", value: 1, from: "me", room: true });
  noteRoomValue(outbox, "me", { key: "theirs", value: 2, from: "they", room: true });
  noteRoomValue(outbox, "me", { key: "gone", from: "me", room: true });
  noteRoomValue(outbox, "me", { key: "plain", value: 2, from: "they" });
  assert.deepEqual(
    Object.keys(outbox.room.values()),
    ["mine", "plain"],
    "a member's own key of that name is another",
  );
});

Deno.test("noteRoomValue bears what is no key and what is nested too deeply", () => {
  const outbox = telling({ mine: 1 });
  for (const key of [undefined, 7, null]) noteRoomValue(outbox, "me", { key, from: "they", room: true });
  let deep: unknown = 1;
  for (let n = 0; n < 100_000; n++) deep = [deep];
  noteRoomValue(outbox, "me", { key: "mine", value: deep, from: "me", room: true });
  assert.deepEqual(Object.keys(outbox.room.values()), ["mine"]);
});

Deno.test("noteRoomValue takes a value that a claim of this member has won for its own", () => {
  const outbox = telling({});
  noteRoomValue(outbox, "me", { key: "ball", value: { by: "me" }, from: "me", room: true });
  assert.deepEqual(outbox.room.values().ball, { by: "me" });
});

Deno.test("settleRoom sets again on another relay what is missing there, and nothing where the relay ran on", () => {
  for (const isOtherRelay of [true, false]) {
    const outbox = telling({ missing: 1, taken: 1, removed: undefined });
    const { roomChanges } = outbox.restart();
    const lost = settleRoom(outbox.room, { taken: 2 }, roomChanges, isOtherRelay);
    assert.deepEqual(news(outbox), isOtherRelay ? ["missing"] : [], `${isOtherRelay}`);
    assert.deepEqual(lost, isOtherRelay ? ["taken"] : ["missing", "taken"], `${isOtherRelay}`);
  }
});

Deno.test("settleRoom calls no change lost that holds, that is told again, or that nobody had to hear of", () => {
  const outbox = telling({ holds: { a: [1] }, newer: 1, gone: undefined, stays: undefined });
  const { roomChanges } = outbox.restart();
  outbox.set("newer", "2", true);
  const lost = settleRoom(outbox.room, { holds: { a: [1] }, newer: 0, stays: 1 }, roomChanges, false);
  assert.deepEqual(lost, ["stays"], "its removal may not have arrived");
  assert.deepEqual(news(outbox), ["newer"]);
});
