// Holds parseTarget against addresses that servers have read in two ways: one path, or none.

import assert from "node:assert/strict";
import { HttpFault } from "../../../src/relay/web/head.ts";
import { parseTarget } from "../../../src/relay/web/target.ts";
import { headOf } from "../../support/request_head.ts";

Deno.test("parseTarget decodes a path once, and refuses what can be read in two ways", () => {
  const pathOf = (target: string, host = "h:1") => {
    const parsed = parseTarget(headOf({ Host: host }, target));
    return parsed instanceof HttpFault ? parsed.status : [parsed.path, parsed.search];
  };
  const good: [string, string, string][] = [
    ["/", "/", ""],
    ["/?", "/", "?"],
    ["/a/b%20c?d=%2e%2e/../x", "/a/b c", "?d=%2e%2e/../x"],
    ["/%c3%a4", "/ä", ""],
    ["/%252e%252e/x", "/%2e%2e/x", ""],
    ["/...", "/...", ""],
    ["//evil.example/x", "//evil.example/x", ""],
    ["http://h:1/a", "/a", ""],
    ["HTTP://H:1", "/", ""],
    ["http://h:1?a", "/", "?a"],
  ];
  for (const [target, path, search] of good) assert.deepEqual(pathOf(target), [path, search], target);
  const bad = [
    "/..",
    "/../x",
    "/a/..",
    "/a/./b",
    "/%2e%2e/x",
    "/.%2E/x",
    "/a%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/%00",
    "/a%0d%0aX:1",
    "/%7f",
    "/%",
    "/%zz",
    "/%c3",
    "/%ff",
    "/#a",
    "*",
    "a",
    "h:1",
    "http://other/a",
    "http://h/a",
    "http://h:1@evil/",
    "ftp://h:1/",
    "http:///a",
    "?a",
  ];
  for (const target of bad) assert.equal(pathOf(target), 400, target);
  assert.deepEqual(pathOf("http://h/a", "h:80"), ["/a", ""]);
  assert.deepEqual(pathOf("https://h:443/a", "h"), ["/a", ""]);
  assert.equal(pathOf("https://h/a", "h:80"), 400);
  const old = parseTarget(headOf({}, "http://h:1/a", "1.0")); // HTTP/1.0
  assert.equal(old instanceof HttpFault ? old.status : old.path, "/a");
});
