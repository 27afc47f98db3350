// Tests src/client/json_text.ts against JSON.stringify.

import assert from "node:assert/strict";
import { jsonText } from "../../src/client/json_text.ts";

Deno.test("jsonText makes what JSON.stringify makes", () => {
  const dated = { at: new Date(0), left: undefined, f() {} };
  for (const value of [null, 0, NaN, -0, "", "ä\u2028", [undefined], {}, dated, { toJSON: () => 5 }]) {
    assert.equal(jsonText("send event", value), JSON.stringify(value));
  }
});

Deno.test("jsonText refuses what JSON can't hold, and says what it is and can't be done", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const thrower = {
    toJSON() {
      throw "no error";
    },
  };
  const oddThrower = {
    toJSON() {
      throw Object.create(null);
    },
  };
  for (
    const [value, pattern] of [
      [undefined, /^Cannot set state: it is undefined, what JSON can hold is allowed$/],
      [() => {}, /it is a function,/],
      [Symbol("s"), /it is a symbol,/],
      [{ toJSON() {} }, /it is an object,/],
      [1n, /BigInt/],
      [cycle, /^Cannot set state: [^\n]*circular[^\n]*, what JSON can hold is allowed$/i],
      [thrower, /^Cannot set state: no error, what JSON can hold is allowed$/],
      [oddThrower, /^Cannot set state: it threw what has no text, what JSON can hold is allowed$/],
    ] as const
  ) {
    assert.throws(() => jsonText("set state", value), (error) => {
      return error instanceof TypeError && pattern.test(error.message);
    });
  }
});
