// Tests src/client/plain.ts without a network.

import assert from "node:assert/strict";
import { needSession, PlainSpeaker } from "../../src/client/plain.ts";

Deno.test("PlainSpeaker hands on whole lines, and forgets the rest of a connection that broke", () => {
  const lines: string[] = [];
  const speaker = new PlainSpeaker(1000, {
    onLine: (line) => void lines.push(line),
    onInvalidLine: (line) => void lines.push(`invalid ${line}`),
  });
  const receive = (text: string) => speaker.receive(new TextEncoder().encode(text));
  speaker.begin();
  receive("1\n2");
  receive("2\n3");
  speaker.end();
  speaker.begin();
  receive("4\n");
  assert.deepEqual(lines, ["1", "22", "4"]);
});

Deno.test("needSession returns the session, and says of a plain client what it lacks", () => {
  const session = {};
  assert.equal(needSession(session, "list rooms"), session);
  assert.throws(() => needSession(undefined, "list rooms"), {
    name: "TypeError",
    message: "Cannot list rooms: a plain client has no session, connect without { plain: true }",
  });
  assert.throws(() => needSession(undefined, "set state", "has none"), /a plain client has none, connect/);
});
