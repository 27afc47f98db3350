// Tests src/client/session/relay_control.ts: only the relay's own form of an error is taken out of the
// events.

import assert from "node:assert/strict";
import { readErrorLine } from "../../../src/client/session/relay_control.ts";
import { encodeControl } from "../../../src/wire/protocol.ts";

Deno.test("readErrorLine reads what the relay writes", () => {
  const error = { code: "invalid_json" as const, message: "Cannot relay line 3: it is not JSON", line: 3 };
  assert.deepEqual(readErrorLine(new TextDecoder().decode(encodeControl("error", error))), error);
  assert.deepEqual(readErrorLine('{"$error":{"code":"new_code","message":"m"}}\r'), {
    code: "new_code",
    message: "m",
  });
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
