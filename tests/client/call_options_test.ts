// Tests src/client/call_options.ts: the defaults of single calls, and what they refuse.

import assert from "node:assert/strict";
import { readClaimOptions, readRequestOptions, type RequestOptions } from "../../src/client/call_options.ts";

Deno.test("request, claim and rooms have their defaults, and take any time above 0", () => {
  assert.equal(readRequestOptions("request", {}), 10_000);
  assert.equal(readRequestOptions("list rooms", { timeoutMs: undefined }), 10_000);
  assert.deepEqual(readClaimOptions({}), { hold: false, timeoutMs: 30_000 });
  for (const timeoutMs of [0.5, 1e12, Infinity]) {
    assert.equal(readRequestOptions("request", { timeoutMs }), timeoutMs);
    assert.deepEqual(readClaimOptions({ hold: true, timeoutMs }), { hold: true, timeoutMs });
  }
});

Deno.test("request, claim and rooms refuse what is no time, and options that they don't have", () => {
  const readOf = (what: string) => (options: RequestOptions) => readRequestOptions(what, options);
  const calls = { request: readOf("request"), claim: readClaimOptions, "list rooms": readOf("list rooms") };
  for (const [what, read] of Object.entries(calls)) {
    for (const timeoutMs of [0, -1, NaN]) {
      const message = `Cannot ${what}: timeoutMs is ${timeoutMs}, more than 0 is allowed`;
      assert.throws(() => read({ timeoutMs }), { name: "RangeError", message });
    }
    for (const timeoutMs of ["1", null, 1n]) {
      assert.throws(() => read({ timeoutMs } as never), {
        name: "TypeError",
        message: /a number is allowed$/,
      });
    }
    assert.throws(() => read({ timeout: 1 } as never), {
      name: "TypeError",
      message: new RegExp(`^Cannot ${what}: "timeout" is no option`),
    });
    assert.throws(() => read(null as never), { name: "TypeError", message: /options is null/ });
  }
  assert.throws(() => readClaimOptions({ hold: 1 } as never), { name: "TypeError", message: /hold is 1/ });
});
