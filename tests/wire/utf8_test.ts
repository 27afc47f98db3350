// Tests src/wire/utf8.ts, and that there is no other way from the bytes of the wire to text.

import assert from "node:assert/strict";
import { decodeUtf8, decodeValidUtf8 } from "../../src/wire/utf8.ts";

Deno.test("decodeUtf8 and decodeValidUtf8 keep all that stands there, a byte order mark, too", () => {
  for (const text of ["", "\ufeff", "\ufeff\ufeff{}", "ä\ufeff🎈"]) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(decodeUtf8(bytes), text);
    assert.equal(decodeValidUtf8(bytes), text);
  }
  const broken = Uint8Array.of(0x61, 0xff, 0x62);
  assert.equal(decodeUtf8(broken), "a\ufffdb");
  assert.throws(() => decodeValidUtf8(broken), TypeError);
});

Deno.test("all of src/ reads text by src/wire/utf8.ts, but for the files that an operator names", () => {
  const found: string[] = [];
  const look = (folder: URL) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory && name !== "assets") look(new URL(`${name}/`, folder));
      if (!name.endsWith(".ts") || name === "embedded.ts") continue;
      const url = new URL(name, folder);
      if (/new TextDecoder\b/.test(Deno.readTextFileSync(url))) found.push(url.pathname.split("/src/")[1]);
    }
  };
  look(new URL("../../src/", import.meta.url));
  assert.deepEqual(found.sort(), ["program/files.ts", "wire/utf8.ts"]);
});
