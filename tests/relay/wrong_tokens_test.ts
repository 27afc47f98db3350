// Holds WrongTokens against its contract: who has to wait, for how long, and that it remembers no more than
// it should.

import assert from "node:assert/strict";
import { WrongTokens } from "../../src/relay/wrong_tokens.ts";

Deno.test("WrongTokens lets a host try ten different ones at once, and then one a second", () => {
  const tokens = new WrongTokens();
  for (let i = 0; i < 10; i++) {
    assert.equal(tokens.waitMs("a", 1000), 0);
    tokens.note("a", `${i}`, 1000);
  }
  assert.deepEqual([tokens.waitMs("a", 1000), tokens.waitMs("a", 1400), tokens.waitMs("b", 1000)], [
    1000,
    600,
    0,
  ]);
  assert.equal(tokens.waitMs("a", 2000), 0);
  tokens.note("a", "10", 2000);
  assert.equal(tokens.waitMs("a", 2500), 500);
  assert.equal(tokens.waitMs("a", 60_000), 0);
  for (let i = 0; i < 10; i++) tokens.note("a", `later ${i}`, 60_000);
  assert.equal(tokens.waitMs("a", 60_000), 1000, "an hour of good behaviour saves no more than ten");
});

Deno.test("WrongTokens counts the same wrong one once", () => {
  const tokens = new WrongTokens();
  for (let i = 0; i < 1000; i++) tokens.note("a", i % 2 ? "typo" : "other typo", i);
  assert.equal(tokens.waitMs("a", 1000), 0);
});

Deno.test("WrongTokens remembers the last ten of a host, and counts what it has forgotten again", () => {
  const tokens = new WrongTokens();
  for (let i = 0; i <= 10; i++) tokens.note("a", `${i}`, 1000 * i);
  for (let i = 1; i <= 10; i++) tokens.note("a", `${i}`, 100_000);
  for (let i = 0; i < 9; i++) tokens.note("a", `later ${i}`, 100_000);
  assert.equal(tokens.waitMs("a", 100_000), 0, "nine have counted");
  tokens.note("a", "0", 100_000);
  assert.equal(tokens.waitMs("a", 100_000), 1000);
});

Deno.test("WrongTokens takes the addresses of one IPv6 network for one host", () => {
  const tokens = new WrongTokens();
  for (let i = 0; i < 10; i++) tokens.note(`2001:db8:1:2:${i}::7`, `${i}`, 0);
  assert.equal(tokens.waitMs("2001:db8:1:2::1", 0), 1000);
  assert.equal(tokens.waitMs("2001:db8:1:2:9:9:9:9", 0), 1000);
  for (const other of ["2001:db8:1:3::1", "2001:db8::1", "::1", "10.0.0.1"]) {
    assert.equal(tokens.waitMs(other, 0), 0, other);
  }
});

Deno.test("WrongTokens remembers a thousand hosts, and forgets the oldest", () => {
  const tokens = new WrongTokens();
  for (let host = 0; host <= 1000; host++) {
    for (let i = 0; i < 10; i++) tokens.note(`host ${host}`, `${i}`, 0);
  }
  assert.deepEqual([0, 1, 1000].map((host) => tokens.waitMs(`host ${host}`, 0)), [0, 1000, 1000]);
});
