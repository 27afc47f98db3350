import assert from "node:assert/strict";
import { encodeId } from "../../src/wire/protocol.ts";

Deno.test("encodeId gives short ids whose order as texts is that in which they are given out", () => {
  const cases: [n: number, id: string][] = [
    [0, "k0"],
    [1, "k1"],
    [34, "ky"],
    [35, "kz00"],
    [35 + 35 * 36 - 1, "kzyz"],
    [35 + 35 * 36, "kzz0000"],
    [35 + 35 * 36 + 35 * 36 ** 3, "kzzz000000"],
  ];
  for (const [n, id] of cases) assert.equal(encodeId(n), id);
  let before = "";
  for (let n = 0; n < 100_000; n++) {
    const id = encodeId(n);
    assert.ok(before < id, `${before} comes before ${id}`);
    before = id;
  }
});
