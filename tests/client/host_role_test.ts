// Tests src/client/host_role.ts: when a page passes the host on by itself, and what it writes.

import assert from "node:assert/strict";
import { HostRole } from "../../src/client/host_role.ts";

function roleOf(session: { isHost: boolean } | undefined): { role: HostRole; lines: string[] } {
  const lines: string[] = [];
  const sendControl = (line: Uint8Array) => void lines.push(new TextDecoder().decode(line));
  return { role: new HostRole(session, { sendControl }), lines };
}

Deno.test("HostRole.pass names a member or nobody, and does nothing for who is not host, or after close()", () => {
  const session = { isHost: true };
  const { role, lines } = roleOf(session);
  role.pass();
  role.pass("k1");
  role.pass({ id: 'k"2' });
  assert.deepEqual(lines, ['{"$host":{}}\n', '{"$host":{"id":"k1"}}\n', '{"$host":{"id":"k\\"2"}}\n']);
  session.isHost = false;
  role.pass();
  session.isHost = true;
  role.close();
  role.pass();
  assert.equal(lines.length, 3);
  assert.throws(() => role.pass(7 as never), TypeError, "what is wrong is wrong in any case");
  assert.throws(() => roleOf(undefined).role.pass(), /a plain client has no session/);
});

Deno.test("HostRole passes on once while the page is hidden, when it is host then or becomes it", () => {
  const session = { isHost: false };
  const { role, lines } = roleOf(session);
  session.isHost = true;
  role.noteHost();
  assert.equal(lines.length, 0, "it can be seen");
  role.noteHidden();
  assert.equal(lines.length, 1);
  role.noteHost();
  role.noteHidden();
  assert.equal(lines.length, 1, "it came back: where all are hidden, one has to be it");
  role.noteShown();
  session.isHost = false;
  role.noteHidden();
  session.isHost = true;
  role.noteHost();
  assert.equal(lines.length, 2);
  roleOf(undefined).role.noteHidden();
});
