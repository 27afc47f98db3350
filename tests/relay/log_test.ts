import assert from "node:assert/strict";
import { guardLog } from "../../src/relay/log.ts";
import { serve } from "../../src/relay/relay.ts";
import { LineClient } from "../support/line_client.ts";

const HOSTILE: [string, () => unknown][] = [
  ["throws", () => {
    throw new Error("disk full");
  }],
  ["throws undefined", () => {
    throw undefined;
  }],
  ["rejects", () => Promise.reject(new Error("disk full"))],
  ["never settles", () => new Promise(() => {})],
  ["returns a thenable that throws", () => ({
    then() {
      throw new Error("odd");
    },
  })],
];

for (const [what, log] of HOSTILE) {
  Deno.test(`serve goes on with a log function that ${what}`, async () => {
    let calls = 0;
    const options = {
      log: () => {
        calls++;
        return log() as void;
      },
    };
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await using _ = serve(listener, options);
    using ada = await LineClient.connect(port);
    using bo = await LineClient.connect(port);
    bo.send("bad\n");
    await bo.line(1);
    ada.send("bad\n1\n");
    await ada.line(1);
    await bo.line(2);
    assert.equal(bo.lines[1], "1");
    assert.ok(calls >= 3, `${calls}`);
  });
}

Deno.test("guardLog tells how many lines were not taken, once lines are taken again", async () => {
  const lines: string[] = [];
  let trouble: (() => unknown) | undefined;
  const log = guardLog((level, message, fields) => {
    if (trouble !== undefined) return trouble() as void;
    lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  });
  log("info", "a");
  trouble = () => Promise.reject(new Error());
  log("info", "b");
  await Promise.resolve();
  trouble = () => {
    throw new Error();
  };
  log("info", "c");
  log("info", "d");
  trouble = undefined;
  log("info", "e");
  log("info", "f");
  assert.deepEqual(lines, ["info a {}", "info e {}", 'warn log lines failed {"count":3}', "info f {}"]);
});
