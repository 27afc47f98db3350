// Holds the bodies of close frames against RFC 6455, section 7.4. Which codes may come, frame_reader_test.ts
// says.

import assert from "node:assert/strict";
import { encodeClosing, readClosing } from "../../../../src/relay/connection/websocket/close_code.ts";

Deno.test("encodeClosing writes what readClosing reads", () => {
  const cases: [code: number | undefined, reason: string][] = [
    [undefined, ""],
    [1000, ""],
    [1001, "shutdown"],
    [4999, "später 😀"],
    [3000, "\ufefflater"],
  ];
  for (const [code, reason] of cases) {
    assert.deepEqual(readClosing(encodeClosing(code, reason)), { code, reason });
  }
});

Deno.test("encodeClosing cuts a reason that is too long, between two characters", () => {
  assert.equal(encodeClosing(1008, "x".repeat(200)).length, 125);
  for (let before = 0; before < 5; before++) {
    const body = encodeClosing(1008, "x".repeat(before) + "😀".repeat(40));
    assert.ok(body.length <= 125 && body.length > 121);
    assert.equal("message" in readClosing(body), false, "the reason is UTF-8");
  }
});

Deno.test("readClosing says what is wrong, and what is allowed", () => {
  const cases: [body: number[], code: number, message: string][] = [
    [[3], 1002, "Cannot read close frame: its body has 1 byte, none or at least 2 are allowed"],
    [
      [0x03, 0xed],
      1002,
      "Cannot read close frame: its code is 1005, 1000-1003, 1007-1014 and 3000-4999 are allowed",
    ],
    [
      [0x03, 0xe8, 0xff],
      1007,
      "Cannot read close frame: its reason is not UTF-8, text in UTF-8 is allowed",
    ],
  ];
  for (const [body, code, message] of cases) {
    assert.deepEqual(readClosing(Uint8Array.from(body)), { code, message });
  }
});
