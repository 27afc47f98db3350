// Tests src/client/session/welcome.ts: what is taken for the answer to a hello. How it is found among other
// lines is tested in opening_test.ts.

import assert from "node:assert/strict";
import { readAnswer } from "../../../src/client/session/welcome.ts";

const NONCE = "0123456789abcdef";

Deno.test("readAnswer takes a limit that the relay names, and a default for any other", () => {
  const { limits } = readAnswer(
    '{"$welcome":{"id":"k1","room":"a","session":"s","time":1,"limits":{"maxLagMs":7,"windowBytes":"x","new":1}}}',
    NONCE,
    true,
  )!;
  assert.equal(limits.maxLagMs, 7);
  assert.equal(limits.windowBytes, 256 * 1024);
  assert.equal("new" in limits, false);
});

const WELCOME = `"id":"k1","room":"a","session":"s","time":1`;
const ERROR = `"code":"bad_token","message":"m"`;

/** What may come in place of the answer; whether it is surely the relay's; what is made of it. */
const ANSWERS: [string, boolean, "welcome" | "refused" | "unreadable" | "ignored"][] = [
  [`{"$welcome":{${WELCOME},"nonce":"${NONCE}"}}`, false, "welcome"],
  [`{"$error":{${ERROR},"nonce":"${NONCE}"}}`, false, "refused"],
  [`{"$welcome":{${WELCOME}}}`, true, "welcome"],
  [`{"$error":{${ERROR}}}`, true, "refused"],
  [`{"$welcome":{${WELCOME}}}`, false, "ignored"],
  [`{"$error":{${ERROR}}}`, false, "ignored"],
  [`{"$welcome":{${WELCOME},"nonce":"another"}}`, true, "ignored"],
  [`{"$error":{${ERROR},"nonce":"another"}}`, true, "ignored"],
  [`{"$error":{${ERROR},"nonce":null}}`, true, "ignored"],
  [`{"$welcome":{"nonce":"${NONCE}"}}`, false, "unreadable"],
  [`{"$error":{"nonce":"${NONCE}"}}`, false, "unreadable"],
  [`{"$welcome":${NONCE}`, false, "unreadable"],
  [`{"$welcome":5}`, true, "unreadable"],
  [`{"$welcome":5}`, false, "ignored"],
  [`{"$welcome":{"id":"k1","room":"a","session":"s","time":1e300,"nonce":"${NONCE}"}}`, false, "unreadable"],
];

for (const [line, isCertain, expected] of ANSWERS) {
  Deno.test(`readAnswer: ${line} is ${expected}, ${isCertain ? "early" : "late"}`, () => {
    if (expected === "welcome") assert.equal(readAnswer(line, NONCE, isCertain)?.room, "a");
    else if (expected === "ignored") assert.equal(readAnswer(line, NONCE, isCertain), undefined);
    else {
      const name = expected === "refused" ? "RefusedError" : "TypeError";
      assert.throws(() => readAnswer(line, NONCE, isCertain), { name });
    }
  });
}
