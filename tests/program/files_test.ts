// Tests src/program/files.ts with files and folders that are there, and with what an operator may name by
// mistake.

import assert from "node:assert/strict";
import { checkFolder, OperatorError, readFile, readToken, whyUnreadable } from "../../src/program/files.ts";

Deno.test("what can't be read is told in plain words, without the system's numbers", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_files_" });
  try {
    const file = `${folder}/token.txt`, empty = `${folder}/empty.txt`, bytes = `${folder}/bytes`;
    await Deno.writeTextFile(file, " secret\n");
    await Deno.writeTextFile(empty, "\n");
    await Deno.writeFile(bytes, Uint8Array.of(0x61, 0xf3, 0x9c, 0x62));
    assert.equal(readToken(file), "secret");
    assert.equal(readFile("key", file), " secret\n");
    assert.equal(checkFolder(folder), await Deno.realPath(folder));
    const mistakes: [read: () => void, message: string][] = [
      [() => readToken(`${folder}/no`), `Cannot read token file "${folder}/no": there is no such file`],
      [() => readFile("key", folder), `Cannot read key file "${folder}": it is a folder`],
      [() => readToken("/dev/zero"), 'Cannot read token file "/dev/zero": it has more than 1048576 bytes'],
      [
        () => readFile("key", `${file}/x`),
        `Cannot read key file "${file}/x": it is in what is no folder`,
      ],
      [() => readToken(empty), `Cannot use token file "${empty}": it is empty`],
      [() => readToken(bytes), `Cannot use token file "${bytes}": it is no text in UTF-8`],
      [() => checkFolder(`${folder}/no`), `Cannot serve folder "${folder}/no": there is no such folder`],
      [() => checkFolder(file), `Cannot serve folder "${file}": it is no folder`],
    ];
    await Deno.writeTextFile(file, "x".repeat(2 ** 20));
    assert.equal(readFile("key", file).length, 2 ** 20, "the longest one");
    for (const [read, message] of mistakes) {
      assert.throws(read, (error) => error instanceof OperatorError && error.message === message, message);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("whyUnreadable tells what the system refuses to this user, which a test as root never meets", () => {
  const { PermissionDenied, NotCapable } = Deno.errors;
  const denied = new PermissionDenied("Permission denied (os error 13)");
  assert.equal(whyUnreadable(denied, "file"), "the system does not let this user read it");
  const notAsked = new NotCapable("Requires read access");
  assert.equal(whyUnreadable(notAsked, "folder"), "deno was not allowed to, start it with --allow-read");
});
