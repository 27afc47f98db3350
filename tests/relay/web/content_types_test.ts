// Holds contentTypeOf against names: what browsers run or show needs its type, and nothing gets another
// one's.

import assert from "node:assert/strict";
import { contentTypeOf } from "../../../src/relay/web/content_types.ts";

Deno.test("contentTypeOf knows what pages are made of, in small and large letters, wherever it lies", () => {
  const cases: [name: string, type: string][] = [
    ["index.html", "text/html; charset=utf-8"],
    ["/play/MAIN.JS", "text/javascript; charset=utf-8"],
    ["client.d.ts", "application/typescript; charset=utf-8"],
    ["a.b.css", "text/css; charset=utf-8"],
    ["sprite.PnG", "image/png"],
    ["world.wasm", "application/wasm"],
    ["hit.opus", "audio/ogg"],
    ["intro.MOV", "video/quicktime"],
    ["water.frag", "text/plain; charset=utf-8"],
    ["balls.py", "text/x-python; charset=utf-8"],
  ];
  for (const [name, type] of cases) assert.equal(contentTypeOf(name), type, name);
});

Deno.test("contentTypeOf calls bytes what it does not know, also where its name is that of something in every object", () => {
  for (const name of ["README", "game.xyz", "js", "a.constructor", "a.toString", "a.js/b", "a.js.", ""]) {
    assert.equal(contentTypeOf(name), "application/octet-stream", name);
  }
});
