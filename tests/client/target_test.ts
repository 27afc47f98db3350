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
  ["x".repeat(254), TypeError, /^Cannot connect to "x{40}…": no host can have such a name, up to 253/],
  [{ hostname: "\ud800" }, TypeError, /no host can have such a name/],
  ["a\0b:5", TypeError, /no host can have such a name/],
  ["", TypeError, /^Cannot connect to "": it is empty, a target is "host"/],
  ["host:", TypeError, /"" is not a port/],
  ["host:abc", TypeError, /"abc" is not a port/],
  ["host:-1", TypeError, /"-1" is not a port/],
  ["host:1.5", TypeError, /"1.5" is not a port/],
  [":32100", TypeError, /it is not a host/],
  ["two words", TypeError, /it is not a host/],
  ["::1", TypeError, /it has several colons/],
  ["[::1", TypeError, /is not a/],
  ["http://host:32100", TypeError, /: write ws:\/\/ for http:\/\/, a target is "host"/],
  ["HTTPS://host/", TypeError, /: write wss:\/\/ for HTTPS:\/\/, a target is "host"/],
  ["tcp://host:32100", TypeError, /"tcp:" is not ws: or wss:/],
  ["://host", TypeError, /it is not an address/],
  ["ws://", TypeError, /it is empty/],
  ["ws:///pong", TypeError, /it is empty/],
  ["ws://host:/pong", TypeError, /"" is not a port/],
  ["ws://host:abc", TypeError, /"abc" is not a port/],
  ["ws://[::1", TypeError, /is not a/],
  ["ws://two words/", TypeError, /it is not a host/],
  ["ws://[fe80::1%eth0]/", TypeError, /it is not an address/],
  ["ws://ada@host/pong", TypeError, /it names a user/],
  ["ws://ada:secret@host/pong", TypeError, /it names a user/],
  ["ws://host/pong?token=x", TypeError, /it has a "\?" or a "#", a path is allowed/],
  ["ws://host/pong#x", TypeError, /it has a "\?" or a "#"/],
  ["ws://host/100%", TypeError, /it has a "%" that stands for nothing, %25 is one/],
  ["ws://host:0", RangeError, /^Cannot connect to host:0: a port is 1 to 65535$/],
  ["ws://host:65536/x", RangeError, /^Cannot connect to host:65536: a port is 1 to 65535$/],
  ["/pong", TypeError, /it names no host, only a page may leave out the relay it came from/],
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
  assert.deepEqual(parseTarget("host:5/"), { hostname: "host", port: 5, label: "host:5" });
  assert.throws(() => parseTarget(`host/${"x".repeat(65)}`), {
    message: /65 characters, 1 to 64 are allowed/,
  });
  assert.throws(() => parseTarget("host/a\tb"), { name: "TypeError", message: /control character/ });
});

const URLS: [string, ReturnType<typeof parseTarget>][] = [
  ["ws://host:5/pong", { hostname: "host", port: 5, label: "host:5", url: "ws://host:5/pong", room: "pong" }],
  ["ws://host:5", { hostname: "host", port: 5, label: "host:5", url: "ws://host:5/" }],
  ["ws://host", { hostname: "host", port: 80, label: "host:80", url: "ws://host/" }],
  ["wss://host/", { hostname: "host", port: 443, label: "host:443", url: "wss://host/" }],
  ["WSS://Host:444/A", {
    hostname: "Host",
    port: 444,
    label: "Host:444",
    url: "wss://host:444/A",
    room: "A",
  }],
  ["ws://[::1]:5/x", { hostname: "::1", port: 5, label: "[::1]:5", url: "ws://[::1]:5/x", room: "x" }],
  ["ws://h/a/b", { hostname: "h", port: 80, label: "h:80", url: "ws://h/a/b", room: "a/b" }],
  ["ws://h/a%20%C3%A9", { hostname: "h", port: 80, label: "h:80", url: "ws://h/a%20%C3%A9", room: "a é" }],
  ["ws://h/a%2Fb%5cc", { hostname: "h", port: 80, label: "h:80", url: "ws://h/a/b/c", room: "a/b\\c" }],
  ["wss://h/relay/", { hostname: "h", port: 443, label: "h:443", url: "wss://h/relay/" }],
];

for (const [target, address] of URLS) {
  Deno.test(`parseTarget reads ${target}`, () => assert.deepEqual(parseTarget(target), address));
}

const PAGE = { protocol: "http:", hostname: "ifilab100", port: "32000" };

const IN_PAGES: [Target | undefined, typeof PAGE, ReturnType<typeof parseTarget>][] = [
  [undefined, PAGE, {
    hostname: "ifilab100",
    port: 32000,
    label: "ifilab100:32000",
    url: "ws://ifilab100:32000/",
  }],
  ["/", PAGE, { hostname: "ifilab100", port: 32000, label: "ifilab100:32000", url: "ws://ifilab100:32000/" }],
  ["/pong", { ...PAGE, port: "" }, {
    ...{ hostname: "ifilab100", port: 80, label: "ifilab100:80", url: "ws://ifilab100:80/" },
    room: "pong",
  }],
  [undefined, { protocol: "https:", hostname: "h", port: "" }, {
    ...{ hostname: "h", port: 443, label: "h:443", url: "wss://h:443/" },
  }],
  [undefined, { ...PAGE, hostname: "[::1]" }, {
    ...{ hostname: "::1", port: 32000, label: "[::1]:32000", url: "ws://[::1]:32000/" },
  }],
  ["host:5/x", PAGE, { hostname: "host", port: 5, label: "host:5", room: "x" }],
];

for (const [target, page, address] of IN_PAGES) {
  Deno.test(`parseTarget reads ${target} in a page of ${page.protocol}//${page.hostname}:${page.port}`, () => {
    assert.deepEqual(parseTarget(target, page), address);
  });
}

Deno.test("parseTarget wants a relay named in a page that came from none", () => {
  for (const [protocol, hostname] of [["file:", ""], ["chrome-extension:", "abcdef"]]) {
    assert.throws(() => parseTarget(undefined, { protocol, hostname, port: "" }), {
      name: "TypeError",
      message: new RegExp(
        `^Cannot connect to undefined: it names no host, and this page \\(${protocol}\\) came from none, a target is`,
      ),
    });
  }
});
