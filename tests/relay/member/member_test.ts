// Holds what all members have in common, on a plain one, against its limits: replies that nobody reads, and
// the memory of who has left.

import assert from "node:assert/strict";
import type { Outlet } from "../../../src/relay/member/member.ts";
import { PlainMember } from "../../../src/relay/member/plain_member.ts";
import { REAL_ENVIRONMENT, resolveOptions } from "../../../src/relay/options.ts";
import { Room } from "../../../src/relay/room/room.ts";
import type { WireError } from "../../../src/wire/protocol.ts";
import { fromBytes } from "../../support/bytes_of_text.ts";
import { ManualTime } from "../../support/manual_time.ts";

const OUTLET: Outlet = { address: "", wake() {}, simulate() {}, leave() {}, cut() {} };

function setUp() {
  const settings = resolveOptions({ maxMemoryBytes: 2 ** 24 }, { ...REAL_ENVIRONMENT, ...new ManualTime() });
  const room = new Room("lobby", settings, () => {});
  return {
    member: new PlainMember(room, OUTLET, settings, room.plain.openCursor()),
    memory: settings.memory,
  };
}

function errorOf(length: number): WireError {
  return { code: "invalid_json", message: "x".repeat(length) };
}

Deno.test("Member keeps 64 KiB of replies for who reads none, and one that is not long while memory is short", () => {
  const { member, memory } = setUp();
  let kept = 0;
  while (member.replyError(errorOf(1000))) kept++;
  assert.ok(kept >= 60 && kept <= 65, `${kept} of 1 KB`);
  member.takeReplies()!.written();
  const others = memory.open();
  others.grow(memory.maxBytes);
  assert.deepEqual([4096, 1000, 10].map((length) => member.replyError(errorOf(length))), [
    false,
    true,
    false,
  ]);
  assert.match(fromBytes(member.takeReplies()!.bytes), /"x{1000}"/);
  assert.equal(member.replyError(errorOf(10)), true);
});

Deno.test("Member that has left counts nothing of what it is still told", () => {
  const { member, memory } = setUp();
  member.replyError(errorOf(1000));
  member.detach(OUTLET, "closed");
  const { usedBytes } = memory;
  member.replyError(errorOf(1000));
  assert.equal(memory.usedBytes, usedBytes);
});

Deno.test("Member counts replies as memory until they are taken", () => {
  const { member, memory } = setUp();
  const { usedBytes } = memory;
  for (let i = 0; i < 3; i++) member.replyError(errorOf(1000));
  assert.ok(memory.usedBytes - usedBytes > 3000);
  member.takeReplies()!.written();
  assert.equal(memory.usedBytes, usedBytes);
});
