// Tests src/client/options.ts: defaults, and what is said about wrong options. Limits are tested in client_test.ts.

import assert from "node:assert/strict";
import { type ConnectOptions, readOptions } from "../../src/client/options.ts";

Deno.test("readOptions puts in the defaults, and takes the room of the target", () => {
  assert.deepEqual(readOptions({}, undefined), {
    plain: false,
    room: "lobby",
    name: "",
    token: "",
    simulate: "",
    tls: undefined,
    offlineBytes: 256 * 1024,
    inboxLimit: 10_000,
    maxLineBytes: 64 * 1024,
  });
  assert.equal(readOptions({}, "pong").room, "pong");
  assert.equal(readOptions({ room: "pong" }, "pong").room, "pong");
  assert.equal(readOptions({ name: "😀".repeat(64) }, undefined).name.length, 128, "characters, not units");
  assert.deepEqual(readOptions({ tls: true }, undefined).tls, {});
  assert.equal(readOptions({ tls: false }, undefined).tls, undefined);
});

const BAD: [unknown, string | undefined, string, RegExp][] = [
  [{ room: "" }, undefined, "RangeError", /room has 0 characters, 1 to 64 are allowed/],
  [{ room: "x".repeat(65) }, undefined, "RangeError", /room has 65 characters/],
  [{ room: 5 }, undefined, "TypeError", /room is a number, a string is allowed/],
  [{ name: "a\nb" }, undefined, "TypeError", /name has a control character/],
  [{ name: "x".repeat(65) }, undefined, "RangeError", /name has 65 characters, 0 to 64 are allowed/],
  [{ token: 5 }, undefined, "TypeError", /token is a number/],
  [{ room: "a" }, "b", "TypeError", /the target names another room than the option room/],
  [{ plain: true }, "b", "TypeError", /a plain client is in the room "lobby", no other is allowed/],
  [{ tls: {} }, undefined, "TypeError", /tls is neither true nor false nor has it caCerts/],
  [{ tls: { caCerts: [1] } }, undefined, "TypeError", /an array of PEM texts is allowed/],
];

for (const [options, room, name, message] of BAD) {
  Deno.test(`readOptions refuses ${JSON.stringify(options)}${room === undefined ? "" : ` in "${room}"`}`, () => {
    assert.throws(() => readOptions(options as ConnectOptions<never>, room), { name, message });
  });
}
