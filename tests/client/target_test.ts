// Tests src/client/target.ts: every form, and what is said about everything else.

import assert from "node:assert/strict";
import { DEFAULT_PORT } from "../../src/wire/protocol.ts";
import { parseTarget, type Target } from "../../src/client/target.ts";

const GOOD: [Target, string, number, string][] = [
  ["ifilab100", "ifilab100", DEFAULT_PORT, "ifilab100:32100"],
  ["ifilab100:32101", "ifilab100", 32101, "ifilab100:32101"],
  ["host.example.org:1", "host.example.org", 1, "host.example.org:1"],
  ["127.0.0.1:65535", "127.0.0.1", 65535, "127.0.0.1:65535"],
  ["[::1]:32100", "::1", 32100, "[::1]:32100"],
  ["[fe80::1%eth0]", "fe80::1%eth0", DEFAULT_PORT, "[fe80::1%eth0]:32100"],
  [{ hostname: "host" }, "host", DEFAULT_PORT, "host:32100"],
  [{ hostname: "host", port: 1 }, "host", 1, "host:1"],
  [{ hostname: "::1", port: 5 }, "::1", 5, "[::1]:5"],
  [{ hostname: "[::1]", port: 5 }, "::1", 5, "[::1]:5"],
];

for (const [target, hostname, port, label] of GOOD) {
  Deno.test(`parseTarget reads ${JSON.stringify(target)}`, () => {
    assert.deepEqual(parseTarget(target), { hostname, port, label });
  });
}

const BAD: [unknown, new (message: string) => Error, RegExp][] = [
  ["", TypeError, /^Cannot connect to "": it is empty, a target is "host"/],
  ["host:", TypeError, /"" is not a port/],
  ["host:abc", TypeError, /"abc" is not a port/],
  ["host:-1", TypeError, /"-1" is not a port/],
  ["host:1.5", TypeError, /"1.5" is not a port/],
  [":32100", TypeError, /it is not a host/],
  ["two words", TypeError, /it is not a host/],
  ["::1", TypeError, /it has several colons/],
  ["[::1", TypeError, /is not a/],
  ["http://host:32100", TypeError, /it has a "\/" before the room/],
  ["host:0", RangeError, /^Cannot connect to host:0: a port is 1 to 65535$/],
  ["host:65536", RangeError, /^Cannot connect to host:65536: a port is 1 to 65535$/],
  [{ hostname: "host", port: 70000 }, RangeError, /^Cannot connect to host:70000: a port is 1 to 65535$/],
  [{ hostname: "host", port: 1.5 }, RangeError, /a port is 1 to 65535/],
  [{ hostname: "host", port: NaN }, RangeError, /a port is 1 to 65535/],
  [{ hostname: "host", port: "80" }, TypeError, /its port is a string, a number is allowed/],
  [{ hostname: "", port: 80 }, TypeError, /it is not a host/],
  [{ hostname: "a b" }, TypeError, /it is not a host/],
  [{}, TypeError, /it names no host/],
  [null, TypeError, /it names no host/],
  [undefined, TypeError, /it names no host/],
  [32100, TypeError, /it names no host/],
];

for (const [target, kind, message] of BAD) {
  Deno.test(`parseTarget refuses ${JSON.stringify(target) ?? "undefined"}`, () => {
    assert.throws(() => parseTarget(target as Target), (error) => {
      assert.ok(error instanceof kind);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("parseTarget takes all after the first slash as the room", () => {
  assert.deepEqual(parseTarget("host:5/pong"), { hostname: "host", port: 5, label: "host:5", room: "pong" });
  assert.equal(parseTarget("host/a/b c€").room, "a/b c€");
  assert.equal(parseTarget("[::1]/x").room, "x");
  assert.equal(parseTarget("host").room, undefined);
  assert.throws(() => parseTarget("host/"), { name: "RangeError", message: /room has 0 characters/ });
  assert.throws(() => parseTarget(`host/${"x".repeat(65)}`), {
    message: /65 characters, 1 to 64 are allowed/,
  });
  assert.throws(() => parseTarget("host/a\tb"), { name: "TypeError", message: /control character/ });
});
