// Tests src/client/session/relay_control.ts: only the relay's own form of an error is taken out of the
// events.

import assert from "node:assert/strict";
import { readError, readErrorLine, readPlainFrom } from "../../../src/client/session/relay_control.ts";
import { encodeControl } from "../../../src/wire/protocol.ts";

Deno.test("readErrorLine reads what the relay writes", () => {
  const error = { code: "invalid_json" as const, message: "Cannot relay line 3: it is not JSON", line: 3 };
  assert.deepEqual(readErrorLine(new TextDecoder().decode(encodeControl("error", error))), error);
  assert.deepEqual(readErrorLine('{"$error":{"code":"new_code","message":"m"}}\r'), {
    code: "new_code",
    message: "m",
  });
});

Deno.test("readError takes what an error is about, and leaves out what can't be that", () => {
  const known = { code: "x", message: "m" };
  for (
    const [about, read] of [
      [{ ids: ["k1", "k2"] }, { ids: ["k1", "k2"] }],
      [{ ids: ["k1", 2] }, {}],
      [{ ids: "k1" }, {}],
      [{ key: "k", room: true }, { key: "k", room: true }],
      [{ key: "k", room: 1 }, { key: "k", room: false }],
      [{ key: 1, room: true }, {}],
      [{ line: "3" }, {}],
    ]
  ) {
    assert.deepEqual(readError({ ...known, ...about }), { ...known, ...read });
  }
});

Deno.test("readPlainFrom reads the id of who says an event, and leaves all else to be decoded", () => {
  assert.equal(readPlainFrom('{"$from":{"id":"k1"}}'), "k1");
  for (
    const line of [
      '{"$from":{"id":"k1"}} ',
      '{"$from":{"id":"k1","at":5}}',
      '{"$from":{"id":"k1}}',
      '{"$from":{"id":"k1"]}',
      '{"$from":{"id":"k\\u0031"}}',
      '{"$from":{"id":"k"1"}}',
      '{"$from":{"id":1}}',
      ' {"$from":{"id":"k1"}}',
    ]
  ) assert.equal(readPlainFrom(line), undefined, line);
});

const EVENTS = [
  "1",
  "{}",
  '{"$error":1}',
  '{"$error":null}',
  '{"$error":{"code":"x"}}',
  '{"$error":{"code":1,"message":"m"}}',
  '{"$error":{"code":"x","message":"m"},"more":1}',
  '{"$error":{"code":"x","message":"m"}',
  '{"$errors":{"code":"x","message":"m"}}',
  '{"a":1,"$error":{"code":"x","message":"m"}}',
  ' {"$error":{"code":"x","message":"m"}}',
];

for (const line of EVENTS) {
  Deno.test(`readErrorLine leaves ${line} to others`, () => assert.equal(readErrorLine(line), undefined));
}
