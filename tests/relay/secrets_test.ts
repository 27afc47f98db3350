// Holds secrets against what they are for: texts that nobody guesses and every address can carry, and comparing with them.

import assert from "node:assert/strict";
import { isSame, makeSecret, RUN_ID_BYTES, SECRET_BYTES } from "../../src/relay/secrets.ts";

Deno.test("makeSecret makes texts of so many random bytes, none twice, without what has to be escaped", () => {
  const secrets = Array.from({ length: 1000 }, () => makeSecret(SECRET_BYTES));
  assert.equal(new Set(secrets).size, 1000);
  for (const secret of secrets) assert.match(secret, /^[\w-]{22}$/);
  assert.match(makeSecret(RUN_ID_BYTES), /^[\w-]{8}$/);
  const characters = new Set(secrets.join(""));
  assert.equal(characters.size, 64, "every digit of base64 for URLs is there");
});

Deno.test("isSame compares texts of any length as they are", () => {
  for (const [a, b] of [["", ""], ["gehe😀im", "gehe😀im"], ["x".repeat(1e5), "x".repeat(1e5)]]) {
    assert.equal(isSame(a, b), true);
  }
  for (
    const [a, b] of [["", "a"], ["a", "A"], ["a", "aa"], ["é", "e\u0301"], [
      "x".repeat(1e5),
      "x".repeat(1e5 - 1),
    ]]
  ) {
    assert.equal(isSame(a, b), false, `${a.slice(0, 9)} ${b.slice(0, 9)}`);
  }
});
