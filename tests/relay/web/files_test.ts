// Holds the files of an operator's folder against what is in it: types, tags, ranges, what is hidden, what
// lies outside, also while somebody moves links about, and files that are larger than anybody reads at once.

import assert from "node:assert/strict";
import { WebTable } from "../../support/web_table.ts";

/** A folder with files, in a folder with a secret. */
class Folder implements AsyncDisposable {
  readonly path: string;
  readonly #outer: string;

  constructor(files: Record<string, string | Uint8Array>) {
    this.#outer = Deno.makeTempDirSync();
    this.path = `${this.#outer}/site`;
    Deno.mkdirSync(this.path);
    Deno.writeTextFileSync(`${this.#outer}/secret.txt`, "SECRET");
    Deno.mkdirSync(`${this.#outer}/site2`);
    Deno.writeTextFileSync(`${this.#outer}/site2/secret.txt`, "SECRET");
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  get outer(): string {
    return this.#outer;
  }

  write(name: string, text: string | Uint8Array): void {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (typeof text === "string") Deno.writeTextFileSync(path, text);
    else Deno.writeFileSync(path, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#outer, { recursive: true });
  }
}

Deno.test("files of a folder are served with their types, / as its index.html, and the relay's own paths stay its own", async () => {
  await using folder = new Folder({
    "index.html": "<!doctype html>",
    "game.js": "1",
    "style.CSS": "a",
    "sub dir/ä.png": Uint8Array.of(1, 2),
    "sub dir/index.html": "sub",
    "data": "?",
    "x.constructor": "x",
    "client.js": "mine",
    "eventrelay/x.txt": "x",
  });
  await using table = new WebTable({ webFolder: folder.path });
  for (
    const [path, type, text] of [
      ["/", "text/html; charset=utf-8", "<!doctype html>"],
      ["/index.html", "text/html; charset=utf-8", "<!doctype html>"],
      ["/?room=pong", "text/html; charset=utf-8", "<!doctype html>"],
      ["/game.js", "text/javascript; charset=utf-8", "1"],
      ["/style.CSS", "text/css; charset=utf-8", "a"],
      ["/sub%20dir/%C3%A4.png", "image/png", "\x01\x02"],
      ["/sub%20dir/", "text/html; charset=utf-8", "sub"],
      ["/data", "application/octet-stream", "?"],
      ["/x.constructor", "application/octet-stream", "x"],
      ["/eventrelay/x.txt", "text/plain; charset=utf-8", "x"],
    ]
  ) {
    const { status, fields, text: got } = await table.get(path);
    assert.deepEqual([status, fields["content-type"], got], [200, type, text], path);
    assert.equal(fields["x-content-type-options"], "nosniff");
    assert.equal(fields["cache-control"], "no-cache");
    assert.equal(fields["content-security-policy"], undefined, "a student's page may do what it likes");
    const again = await table.get(path, { "If-None-Match": `W/${fields["etag"]}` });
    assert.deepEqual([again.status, again.text, again.fields["etag"]], [304, "", fields["etag"]]);
  }
  assert.notEqual((await table.get("/client.js")).text, "mine");
  const moved = await table.get("/sub%20dir?a=%0d%0ab");
  assert.deepEqual([moved.status, moved.fields["location"]], [301, "/sub%20dir/?a=%0d%0ab"]);
  folder.write("game.js", "22");
  assert.equal((await table.get("/game.js")).text, "22");
  const strange = await table.get("/game.js", { Origin: "http://strange.example" });
  assert.equal(strange.status, 403);
});

Deno.test("files that are hidden, no files, or not there are not served, and folders are not listed", async () => {
  await using folder = new Folder({
    ".htaccess": "SECRET",
    ".git/config": "SECRET",
    "a/.x/b.txt": "SECRET",
    "empty/x.txt": "x",
    "a.txt": "a",
  });
  await new Deno.Command("mkfifo", { args: [`${folder.path}/pipe`] }).output();
  await using table = new WebTable({ webFolder: folder.path });
  for (
    const path of [
      "/.htaccess",
      "/.git/config",
      "/.git",
      "/a/.x/b.txt",
      "/%2egit/config",
      "/empty",
      "/empty/",
      "/a.txt/",
      "/a.txt/b",
      "//a.txt",
      "/empty//x.txt",
      "/pipe",
      "/none",
      "/.",
      `/${"a".repeat(300)}`,
      `/${"a/".repeat(3000)}`,
      "/a.txt%20",
      "/A.TXT",
    ].filter((path) => path !== "/." && path !== "/A.TXT" || Deno.build.os === "linux")
  ) {
    const { status, text } = await table.get(path);
    assert.ok(status === 404 || path === "/." && status === 400, `${path}: ${status}`);
    assert.doesNotMatch(text, /SECRET|x\.txt/);
  }
});

Deno.test("files outside of the folder are not served, by whatever way", async () => {
  await using folder = new Folder({ "in/a.txt": "inside", "index.html": "i" });
  const link = (to: string, name: string) => Deno.symlinkSync(to, `${folder.path}/${name}`);
  link("../secret.txt", "out.txt");
  link("..", "up");
  link("../site2", "sibling");
  link(`${folder.outer}/secret.txt`, "absolute.txt");
  link("in/a.txt", "alias.txt");
  link("in", "aliased");
  link("loop", "loop");
  link("/dev/zero", "zero");
  link("/etc", "etc");
  await using table = new WebTable({ webFolder: folder.path });
  for (
    const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/.%2e/secret.txt",
      "/in/../../secret.txt",
      "/in/%2e%2e%2f%2e%2e%2fsecret.txt",
      "/..%2fsecret.txt",
      "/..%5csecret.txt",
      "/..\\secret.txt",
      "/%252e%252e/secret.txt",
      "/..%00/secret.txt",
      "/..%c0%afsecret.txt",
      "/out.txt",
      "/up/secret.txt",
      "/up/site/index.html",
      "/up/",
      "/sibling/secret.txt",
      "/absolute.txt",
      "/loop",
      "/zero",
      "/etc/passwd",
      `/${folder.outer}/secret.txt`,
    ]
  ) {
    const { status, text } = await table.get(path);
    assert.ok(status === 404 || status === 400 || path === "/up/site/index.html", `${path}: ${status}`);
    assert.doesNotMatch(text, /SECRET|root:/);
  }
  for (const path of ["/alias.txt", "/aliased/a.txt"]) assert.equal((await table.get(path)).text, "inside");
});

Deno.test("a folder that is a link itself is served, also when that is moved", async () => {
  await using folder = new Folder({ "a.txt": "old" });
  Deno.mkdirSync(`${folder.outer}/new`);
  Deno.writeTextFileSync(`${folder.outer}/new/a.txt`, "new");
  const current = `${folder.outer}/current`;
  Deno.symlinkSync("site", current);
  await using table = new WebTable({ webFolder: current });
  assert.equal((await table.get("/a.txt")).text, "old");
  Deno.removeSync(current);
  Deno.symlinkSync("new", current);
  assert.equal((await table.get("/a.txt")).text, "new");
});

Deno.test("files outside are not served while links and folders change places as fast as they can", async () => {
  await using folder = new Folder({ "a/secret.txt": "inside" });
  await using table = new WebTable({ webFolder: folder.path });
  const script = `import ctypes, os, sys
libc = ctypes.CDLL(None)
site = sys.argv[1].encode()
os.symlink(b"../site2", site + b"/b")
print(flush=True)
while True:
    libc.renameat2(-100, site + b"/a", -100, site + b"/b", 2)
    for _ in range(int.from_bytes(os.urandom(1), "big") * 4): pass
`;
  const swapper = new Deno.Command("python3", {
    args: ["-c", script, folder.path],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = swapper.stdout.getReader();
  await reader.read();
  const untilMs = performance.now() + 1500;
  let asked = 0;
  while (performance.now() < untilMs) {
    for (const { text } of await Promise.all(Array.from({ length: 8 }, () => table.get("/a/secret.txt")))) {
      assert.doesNotMatch(text, /SECRET/);
      asked++;
    }
  }
  swapper.kill("SIGKILL");
  await reader.cancel();
  await swapper.status;
  assert.ok(asked > 8, `${asked} times`);
});

Deno.test("parts of a file are served, one at a time", async () => {
  await using folder = new Folder({ "a.txt": "0123456789", "empty.txt": "" });
  await using table = new WebTable({ webFolder: folder.path });
  const { fields } = await table.get("/a.txt");
  assert.equal(fields["accept-ranges"], "bytes");
  const tag = fields["etag"];
  const cases: [range: string, status: number, text: string, contentRange?: string][] = [
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-100", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=999999999999999-", 416, "", "bytes */10"],
    ["bytes=4-2", 200, "0123456789"],
    ["bytes=0-1,3-4", 200, "0123456789"],
    ["Bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=-", 200, "0123456789"],
    ["bytes= 1-2", 200, "0123456789"],
    ["bytes=1e1-", 200, "0123456789"],
    ["bytes=99999999999999999999-", 200, "0123456789"],
    ["lines=1-2", 200, "0123456789"],
    [`bytes=${"0-1,".repeat(1000)}0-1`, 200, "0123456789"],
  ];
  for (const [Range, status, text, contentRange] of cases) {
    const part = await table.get("/a.txt", { Range });
    assert.deepEqual(
      [part.status, part.text, part.fields["content-range"]],
      [status, text, contentRange],
      Range,
    );
  }
  assert.equal((await table.get("/a.txt", { "Range": "bytes=1-2", "If-Range": tag })).status, 206);
  assert.equal((await table.get("/a.txt", { "Range": "bytes=1-2", "If-Range": '"old"' })).status, 200);
  assert.equal((await table.get("/empty.txt")).text, "");
  assert.equal((await table.get("/empty.txt", { Range: "bytes=0-" })).status, 416);
  for (const range of ["bytes=1-2", "bytes=10-"]) {
    const request = `HEAD /a.txt HTTP/1.1\r\nHost: x\r\nRange: ${range}\r\n\r\n`;
    const [head] = await table.askAll([request], 1, true);
    assert.deepEqual([head.status, head.fields["content-length"]], [200, "10"], "a range is for GET");
  }
});

Deno.test("a large file is written as it is read, several times at once, and who does not read holds nobody up", async () => {
  const bytes = new Uint8Array(20_000_000);
  for (let i = 0; i < bytes.length; i += 1000) bytes[i] = i / 1000;
  await using folder = new Folder({ "big.bin": bytes });
  await using table = new WebTable({ webFolder: folder.path });
  const deaf: { close(): void }[] = [];
  for (let i = 0; i < 5; i++) {
    const client = await table.connect({ reads: false });
    await client.send("GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    deaf.push(client);
  }
  const heap = Deno.memoryUsage().external;
  const answers = await Promise.all(Array.from({ length: 3 }, async () => {
    const response = await fetch(`${table.url}/big.bin`);
    return new Uint8Array(await response.arrayBuffer());
  }));
  for (const answer of answers) {
    assert.ok(answer.length === bytes.length && answer.every((byte, i) => byte === bytes[i]));
  }
  assert.ok(
    Deno.memoryUsage().external - heap < 4 * bytes.length,
    "three answers are held here, none by the relay",
  );
  for (const client of deaf) client.close();
});

for (const inside of ["", "/deep/er"]) {
  const name = `a folder that never stands still${inside && `, as one${inside} inside of it,`} is told so`;
  Deno.test(`${name}, with a time to come back`, async () => {
    await using folder = new Folder({ [`${inside}/a.txt`.slice(1)]: "a" });
    await using table = new WebTable({ webFolder: folder.path });
    let i = 0;
    const changing = setInterval(() => Deno.writeTextFileSync(`${folder.path}${inside}/${i++}.tmp`, ""), 2);
    const { status, fields } = await table.get(`${inside}/a.txt`);
    clearInterval(changing);
    assert.deepEqual([status, fields["retry-after"]], [503, "1"]);
    assert.equal((await table.get(`${inside}/a.txt`)).status, 200);
  });
}
