// Holds what is answered to a request with conditions against RFC 9110, section 13: which ones count, in
// which order, and what does not.

import assert from "node:assert/strict";
import { conditionOf } from "../../../src/relay/web/conditions.ts";
import { HttpFault } from "../../../src/relay/web/head.ts";
import { WebTable } from "../../support/web_table.ts";

const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT", THEN = "Sun, 06 Nov 1994 08:49:37 GMT";
const VERSION = { tag: '"a"', changedMs: Date.parse(THEN) + 900 };

type Fields = Record<string, string | string[]>;

function outcomeOf(given: Fields, version = VERSION): string | number {
  const fields = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  const outcome = conditionOf({ method: "GET", target: "/", minor: 1, fields }, version);
  return outcome instanceof HttpFault ? outcome.status : outcome;
}

Deno.test("conditionOf answers 412 to who wants another version, and nothing to who has this one", () => {
  const cases: [Fields, string | number][] = [
    [{}, "send"],
    [{ "If-Match": '"a"' }, "send"],
    [{ "If-Match": "*" }, "send"],
    [{ "If-Match": '"b", "a"' }, "send"],
    [{ "If-Match": ['"b"', '"a"'] }, "send"],
    [{ "If-Match": '"b"' }, 412],
    [{ "If-Match": 'W/"a"' }, 412],
    [{ "If-Match": "a" }, 412],
    [{ "If-Match": "" }, 412],
    [{ "If-Match": '"x,*,y"' }, 412],
    [{ "If-Unmodified-Since": THEN }, "send"],
    [{ "If-Unmodified-Since": BEFORE }, 412],
    [{ "If-Unmodified-Since": "Sunday, 06-Nov-94 08:49:36 GMT" }, 412],
    [{ "If-Unmodified-Since": "Sun Nov  6 08:49:36 1994" }, 412],
    [{ "If-Unmodified-Since": "yesterday" }, "send"],
    [{ "If-Unmodified-Since": "0" }, "send"],
    [{ "If-Unmodified-Since": [BEFORE, BEFORE] }, "send"],
    [{ "If-Match": '"a"', "If-Unmodified-Since": BEFORE }, "send"],
    [{ "If-None-Match": '"a"' }, "had"],
    [{ "If-None-Match": 'W/"a"' }, "had"],
    [{ "If-None-Match": "*" }, "had"],
    [{ "If-None-Match": '"b"' }, "send"],
    [{ "If-None-Match": '"b", W/"a"' }, "had"],
    [{ "If-None-Match": '"x,*,y"' }, "send"],
    [{ "If-None-Match": '"b", *' }, "send"],
    [{ "If-None-Match": '"x,", "a"' }, "had"],
    [{ "If-None-Match": "a" }, "send"],
    [{ "If-Modified-Since": THEN }, "had"],
    [{ "If-Modified-Since": "Sun Nov  6 08:49:37 1994" }, "had"],
    [{ "If-Modified-Since": BEFORE }, "send"],
    [{ "If-Modified-Since": "0" }, "send"],
    [{ "If-None-Match": '"b"', "If-Modified-Since": THEN }, "send"],
    [{ "If-Match": '"b"', "If-None-Match": '"a"' }, 412],
    [{ "If-Match": '"a"', "If-None-Match": '"a"' }, "had"],
  ];
  for (const [fields, outcome] of cases) assert.equal(outcomeOf(fields), outcome, JSON.stringify(fields));
});

Deno.test("conditions hold for files, modules and numbers, and not for what is not there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "0123456789");
    await using table = new WebTable({ webFolder: folder });
    for (const path of ["/a.txt", "/client.js", "/play"]) {
      const { etag } = (await table.get(path)).fields;
      const statusOf = async (fields: Record<string, string>) => (await table.get(path, fields)).status;
      assert.equal(await statusOf({ "If-Match": etag }), 200, path);
      assert.equal(await statusOf({ "If-Match": '"old"' }), 412, path);
      assert.equal(await statusOf({ "If-Match": '"old"', "If-None-Match": etag }), 412, path);
    }
    const { fields } = await table.get("/a.txt");
    const part = { Range: "bytes=1-2" };
    assert.equal((await table.get("/a.txt", { ...part, "If-Match": fields["etag"] })).text, "12");
    assert.equal((await table.get("/a.txt", { ...part, "If-Match": '"old"' })).status, 412);
    assert.equal((await table.get("/a.txt", { "If-Modified-Since": fields["last-modified"] })).status, 304);
    for (const path of ["/healthz", "/stats.json", "/metrics"]) {
      assert.equal((await table.get(path, { "If-Match": '"old"' })).status, 412, path);
      assert.equal((await table.get(path, { "If-Match": "*", "If-None-Match": "*" })).status, 200, path);
    }
    assert.equal((await table.get("/nothing", { "If-Match": '"old"' })).status, 404);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
