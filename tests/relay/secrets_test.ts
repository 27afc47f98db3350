// Holds secrets against what they are for: texts that nobody guesses and every address can carry, and
// comparing with them.

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

Deno.test("makeSecret makes as many bytes as are asked for, and uses none of them again", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    for (const length of [6, 16, 24]) {
      const secret = makeSecret(length);
      assert.match(secret, /^[\w-]+$/);
      const bytes = Uint8Array.fromBase64(secret, { alphabet: "base64url" });
      assert.equal(bytes.length, length);
      for (let at = 0; at + 6 <= length; at++) {
        const piece = bytes.subarray(at, at + 6).toHex();
        assert.ok(!seen.has(piece), `${piece} was there before`);
        seen.add(piece);
      }
    }
  }
});

Deno.test("makeSecret favours no bit", () => {
  const ones = new Array(128).fill(0);
  const count = 4000;
  for (let i = 0; i < count; i++) {
    const bytes = Uint8Array.fromBase64(makeSecret(16), { alphabet: "base64url" });
    for (let bit = 0; bit < 128; bit++) ones[bit] += bytes[bit >> 3] >> (bit & 7) & 1;
  }
  for (const each of ones) assert.ok(Math.abs(each / count - 0.5) < 0.06, `${each} of ${count}`); // 7 sigma
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
