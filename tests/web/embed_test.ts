// Tests that the relay carries all files that it should serve, and no others.

import assert from "node:assert/strict";
import { EMBEDDED, embeddedModule, filesToEmbed } from "../../web/embed.ts";
import { EMBEDDED as TEXTS } from "../../src/relay/web/embedded.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("embedded.ts is fresh: it lists what client.ts and motion.ts are made of, the Python clients, and the assets", () => {
  const files = filesToEmbed();
  const isFresh = Deno.readTextFileSync(new URL(EMBEDDED, ROOT)) === embeddedModule(files);
  assert.ok(isFresh, `${EMBEDDED} is out of date: run deno task bundle, and commit what it makes`);
  for (const file of ["client.ts", "motion.ts", "src/wire/protocol.ts", "src/client/relay.ts"]) {
    assert.ok(files.includes(file), file);
  }
  assert.ok(
    !files.some((file) => file.startsWith("src/relay/") && !file.startsWith("src/relay/web/assets/")),
  );
});

Deno.test("embedded.ts holds the texts as they are", () => {
  for (const [file, text] of TEXTS) assert.equal(text, Deno.readTextFileSync(new URL(file, ROOT)), file);
});
