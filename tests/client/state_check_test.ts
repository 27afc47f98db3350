// Tests src/client/state_check.ts at the limits that a relay tells, from either side.

import assert from "node:assert/strict";
import type { Session } from "../../src/client/session/session.ts";
import { SessionOutbox } from "../../src/client/session/session_outbox.ts";
import { checkChange, checkKey, checkValue } from "../../src/client/state_check.ts";

/** As much of a session as is looked at. */
function sessionOf(limits: Record<string, number> | undefined, state: Record<string, unknown> = {}): Session {
  const most = { maxKeys: 3, maxLineBytes: 1000, maxValueBytes: 100 };
  const source = new SessionOutbox(() => 0);
  source.isOpen = true;
  return { source, state, limits: limits && { ...most, ...limits } } as unknown as Session;
}

/** Has the relay told of all that was set. */
function write({ source }: Session): void {
  source.confirm(source.nextBatch(100_000)?.length ?? 0);
}

Deno.test("checkKey takes 1 to 128 characters, whole ones, and nothing but text", () => {
  for (const key of ["a", "ä".repeat(128), "🏓".repeat(128)]) checkKey(key);
  for (const key of ["", "a".repeat(129), "\ud800"]) {
    assert.throws(() => checkKey(key), RangeError, JSON.stringify(key));
  }
  for (const key of [undefined, null, 1, ["a"]]) assert.throws(() => checkKey(key), TypeError);
});

Deno.test("checkValue counts bytes, and lets all be before anything is known", () => {
  const session = sessionOf({ maxValueBytes: 6 });
  checkValue(session, '"ää"');
  assert.throws(() => checkValue(session, '"ääa"'), {
    name: "RangeError",
    message: "Cannot set state: it has 7 bytes, maxValueBytes is 6",
  });
  checkValue(sessionOf(undefined), "1".repeat(1_000_000));
  checkChange(sessionOf(undefined), "a", "1".repeat(1_000_000), true);
});

Deno.test("checkChange counts the whole line, which is longer where it is the room's", () => {
  const line = '{"$set":{"key":"a","value":1}}'.length;
  checkChange(sessionOf({ maxLineBytes: line }), "a", "1", false);
  assert.throws(() => checkChange(sessionOf({ maxLineBytes: line }), "a", "1", true), /with its key it has/);
});

Deno.test("checkChange counts the member's own keys, and lets a key that is there be set again", () => {
  const session = sessionOf({ maxKeys: 2 }, { a: 1, b: 1, c: 1 });
  for (const key of ["a", "b"]) session.source.set(key, "1", false);
  checkChange(session, "a", "2", false);
  assert.throws(() => checkChange(session, "c", "1", false), /2 keys are set, maxKeys is 2/);
  session.source.set("a", undefined, false);
  checkChange(session, "c", "1", false);
});

Deno.test("checkChange counts the room's keys: those that are there, those on their way, not those going", () => {
  const session = sessionOf({ maxKeys: 3 }, { theirs: 1, going: 1 });
  checkChange(session, "new", "1", true);
  session.source.set("waits", "1", true);
  assert.throws(() => checkChange(session, "new", "1", true), /3 keys are set/);
  checkChange(session, "waits", "2", true);
  checkChange(session, "theirs", "2", true);
  session.source.set("going", undefined, true);
  checkChange(session, "new", "1", true);
  session.source.set("told", "1", true);
  write(session);
  assert.throws(() => checkChange(session, "new", "1", true), RangeError, "told, but not confirmed");
});
