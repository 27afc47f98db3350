// Tests src/client/session/hello.ts: what is said first.

import assert from "node:assert/strict";
import { encodeHello, makeNonce } from "../../../src/client/session/hello.ts";

Deno.test("encodeHello leaves out what is empty", () => {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(
    decode(encodeHello({ room: "a", name: "", token: "", simulate: "", nonce: "n" })),
    '{"$hello":{"version":1,"room":"a","nonce":"n"}}\n',
  );
  assert.equal(
    decode(
      encodeHello({
        room: "a",
        name: "b",
        token: "c",
        simulate: "lan",
        nonce: "n",
        resume: { session: "d", bytes: 5 },
      }),
    ),
    '{"$hello":{"version":1,"room":"a","name":"b","token":"c","simulate":"lan","nonce":"n","resume":{"session":"d","bytes":5}}}\n',
  );
});

Deno.test("encodeHello says what a member wishes for, and of the rest nothing", () => {
  const hello = { room: "a", name: "", token: "", simulate: "", nonce: "n" };
  const wishes = (more: Record<string, unknown>) =>
    JSON.parse(new TextDecoder().decode(encodeHello({ ...hello, ...more }))).$hello;
  const plain = { version: 1, room: "a", nonce: "n" };
  assert.deepEqual(wishes({ echo: true, canHost: true, maxMembers: 2, any: true }), {
    ...plain,
    ...{ echo: true, canHost: true, maxMembers: 2, any: true },
  });
  assert.deepEqual(wishes({ echo: false, canHost: false, any: false }), plain);
});

Deno.test("makeNonce makes another one each time, as long as a key", () => {
  const nonces = Array.from({ length: 100 }, makeNonce);
  assert.equal(new Set(nonces).size, 100);
  assert.ok(nonces.every((nonce) => /^[0-9a-f]{32}$/.test(nonce)));
});
