// Holds what the relay serves out of itself against WEB's table: paths, types, tags, and who may use it.

import assert from "node:assert/strict";
import { findResource } from "../../../src/relay/web/resources.ts";
import { VERSION } from "../../../src/wire/version.ts";
import { WebTable } from "../../support/web_table.ts";

const FOREVER = `/v${VERSION}`;

Deno.test("resources are served with their type and tag, modules to everybody", async () => {
  await using table = new WebTable();
  for (
    const [path, type] of [
      ["/client.js", "text/javascript; charset=utf-8"],
      ["/motion.js", "text/javascript; charset=utf-8"],
      ["/client.d.ts", "application/typescript; charset=utf-8"],
      ["/client.ts", "application/typescript; charset=utf-8"],
      ["/src/client/relay.ts", "application/typescript; charset=utf-8"],
    ]
  ) {
    const strange = { Origin: "https://strange.example" };
    for (const [prefix, cache] of [["", "no-cache"], [FOREVER, "public, max-age=31536000, immutable"]]) {
      const { status, fields, bytes } = await table.get(prefix + path, strange);
      assert.equal(status, 200, path);
      assert.equal(fields["content-type"], type, path);
      assert.equal(fields["cache-control"], cache, path);
      assert.equal(fields["access-control-allow-origin"], "*");
      assert.equal(fields["x-content-type-options"], "nosniff");
      assert.deepEqual(bytes, findResource(path)!.bytes);
      for (const tag of [fields["etag"], `"x", W/${fields["etag"]}`, "*"]) {
        const again = await table.get(prefix + path, { "If-None-Match": tag });
        assert.deepEqual([again.status, again.bytes.length, again.fields["etag"]], [304, 0, fields["etag"]]);
      }
    }
  }
  assert.equal((await table.get("/client.js", { "If-None-Match": '"x"' })).status, 200);
  assert.equal((await table.get("/client.js")).fields["x-typescript-types"], "./client.d.ts");
});

Deno.test("resources of the Python clients are the files of the same version, for no page of others", async () => {
  await using table = new WebTable();
  const { bytes, fields } = await table.get("/python/relay_client.py");
  assert.deepEqual(
    bytes,
    Deno.readFileSync(new URL("../../../example/python/relay_client.py", import.meta.url)),
  );
  assert.deepEqual([fields["content-type"], fields["access-control-allow-origin"]], [
    "text/x-python; charset=utf-8",
    undefined,
  ]);
  const strange = await table.get("/python/relay_client.py", { Origin: "https://strange.example" });
  assert.equal(strange.status, 403);
});

Deno.test("pages are found with a slash too many or too few, and browsers get an icon, but where a folder has its own", async () => {
  await using table = new WebTable();
  for (
    const [path, meant] of [
      ["/eventrelay", "/eventrelay/"],
      ["/play/", "/play"],
      ["/watch/?x=1", "/watch"],
      ["/try/", "/try"],
    ]
  ) {
    const { status, fields, text } = await table.get(path);
    assert.deepEqual([status, fields["location"], text], [302, meant, ""], path);
    assert.equal((await table.get(meant)).status, 200, meant);
  }
  for (const path of ["/play//", "//eventrelay", "/client.ts/"]) {
    const { status, text } = await table.get(path);
    assert.deepEqual(
      [status, text],
      [404, "There is nothing here: /eventrelay/ says what there is.\n"],
      path,
    );
  }
  const icon = await table.get("/favicon.ico");
  assert.deepEqual([icon.status, icon.fields["content-type"]], [200, "image/svg+xml; charset=utf-8"]);
  assert.deepEqual(icon.bytes, findResource("/eventrelay/icon.svg")!.bytes);

  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/favicon.ico`, "mine");
    await Deno.mkdir(`${folder}/play`);
    await Deno.writeTextFile(`${folder}/play/index.html`, "my play");
    await using own = new WebTable({ webFolder: folder });
    assert.equal((await own.get("/favicon.ico")).text, "mine");
    assert.equal((await own.get("/play/")).text, "my play");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("resources have no other names than their own", async () => {
  await using table = new WebTable();
  for (
    const path of [
      "/server.ts",
      "/deno.json",
      "/src/relay/relay.ts",
      "/src/relay/web/assets/client.js",
      "/example/python/balls.py",
      `${FOREVER}/python/balls.py`,
      "/v9.9.9/client.ts",
      `${FOREVER}${FOREVER}/client.ts`,
      "/client.ts/",
      "//client.ts",
      "/CLIENT.TS",
      "/constructor",
      "/__proto__",
    ]
  ) assert.equal((await table.get(path)).status, 404, path);
  assert.equal((await table.get("/%63lient.ts?x=1")).status, 200);
});
