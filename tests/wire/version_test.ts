// Holds the version in the code against the one of the project.

import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { VERSION } from "../../src/wire/version.ts";

Deno.test("VERSION is the one in deno.json", () => {
  assert.equal(VERSION, config.version);
});
