// Tests src/client/session/hello.ts: the answer to a hello, found wherever the bytes are cut; session_talk_test.ts tests its reading.

import assert from "node:assert/strict";
import { AnswerFinder, encodeHello } from "../../../src/client/session/hello.ts";
import { readAnswer } from "../../../src/client/session/welcome.ts";

Deno.test("encodeHello leaves out what is empty", () => {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(
    decode(encodeHello({ room: "a", name: "", token: "", simulate: "" })),
    '{"$hello":{"version":1,"room":"a"}}\n',
  );
  assert.equal(
    decode(
      encodeHello({ room: "a", name: "b", token: "c", simulate: "lan", resume: { session: "d", bytes: 5 } }),
    ),
    '{"$hello":{"version":1,"room":"a","name":"b","token":"c","simulate":"lan","resume":{"session":"d","bytes":5}}}\n',
  );
});

Deno.test("AnswerFinder skips other lines, however long, and splits at the answer's end", () => {
  const bytes = new TextEncoder().encode(
    `{"$hello":{}}\n\n"€"\n"${"x".repeat(70_000)}"\n{"$welcome":{"€":1}}\n{"$error":{}}\nrest`,
  );
  for (const size of [1, 2, 3, 7, 1000, 65_000, bytes.length]) {
    const finder = new AnswerFinder();
    let found: { line: string; rest: Uint8Array } | undefined;
    let offset = 0;
    for (; found === undefined; offset += size) found = finder.push(bytes.subarray(offset, offset + size));
    const rest = new TextDecoder().decode(found.rest) + new TextDecoder().decode(bytes.subarray(offset));
    assert.deepEqual(
      [found.line, rest],
      ['{"$welcome":{"€":1}}', '{"$error":{}}\nrest'],
      `${size} at a time`,
    );
  }
});

Deno.test("readAnswer takes a limit that the relay names, and a default for any other", () => {
  const { limits } = readAnswer(
    '{"$welcome":{"id":"k1","room":"a","session":"s","time":1,"limits":{"maxLagMs":7,"windowBytes":"x","new":1}}}',
  );
  assert.equal(limits.maxLagMs, 7);
  assert.equal(limits.windowBytes, 256 * 1024);
  assert.equal("new" in limits, false);
});
