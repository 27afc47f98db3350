// Tests that programs can import client.ts and motion.ts from a running relay by URL, the pinned version too;
// with types, into an empty cache.

import assert from "node:assert/strict";
import { VERSION } from "../../../src/wire/version.ts";
import { runByUrl } from "../../support/url_program.ts";
import { WebTable } from "../../support/web_table.ts";

for (const path of ["", `/v${VERSION}`]) {
  Deno.test(`a program imports ${path}/client.ts from the relay that it speaks to`, async () => {
    await using table = new WebTable();
    const { code, stdout, stderr } = await runByUrl(table.port, path);
    assert.deepEqual([code, stdout], [0, "n 7 function\n"], stderr);
  });
}
