// Tests src/program/files.ts with files and folders that are there, and with what an operator may name by mistake.

import assert from "node:assert/strict";
import { checkFolder, OperatorError, readFile, readToken } from "../../src/program/files.ts";

Deno.test("what can't be read is told in plain words, without the system's numbers", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_files_" });
  try {
    const file = `${folder}/token.txt`, empty = `${folder}/empty.txt`;
    await Deno.writeTextFile(file, " secret\n");
    await Deno.writeTextFile(empty, "\n");
    assert.equal(readToken(file), "secret");
    assert.equal(readFile("key", file), " secret\n");
    assert.equal(checkFolder(folder), await Deno.realPath(folder));
    const mistakes: [read: () => void, message: string][] = [
      [() => readToken(`${folder}/no`), `Cannot read token file "${folder}/no": there is no such file`],
      [() => readFile("key", folder), `Cannot read key file "${folder}": it is a folder`],
      [
        () => readFile("key", `${file}/x`),
        `Cannot read key file "${file}/x": it is in what is no folder`,
      ],
      [() => readToken(empty), `Cannot use token file "${empty}": it is empty`],
      [() => checkFolder(`${folder}/no`), `Cannot serve folder "${folder}/no": there is no such folder`],
      [() => checkFolder(file), `Cannot serve folder "${file}": it is no folder`],
    ];
    for (const [read, message] of mistakes) {
      assert.throws(read, (error) => error instanceof OperatorError && error.message === message, message);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "a file that this user may not read is told so",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0, // root may read all
  fn: async () => {
    const file = await Deno.makeTempFile({ prefix: "eventrelay_files_" });
    try {
      await Deno.chmod(file, 0);
      assert.throws(() => readFile("key", file), /the system does not let this user read it$/);
    } finally {
      await Deno.remove(file);
    }
  },
});
