// Tests that a program can import client.ts by URL: from a file server that this test starts, into an empty
// cache, without a configuration or lock file, and with the least permissions.

import assert from "node:assert/strict";
import { VERSION } from "../../src/wire/version.ts";
import { NewRelay } from "../support/new_relay.ts";
import { OldRelay } from "../support/old_relay.ts";

const ROOT = new URL("../../", import.meta.url);

/** A program of a user. It answers what it gets, so that both directions are seen. */
function program(target: string): string {
  return `
    import { connect, frames, rateLimit } from "../client.ts";
    await using relay = await connect<{ n: number }>(${JSON.stringify(target)}, { plain: true });
    const isTimeToSend = rateLimit(1000);
    let sum = 0;
    relay.send("ready");
    for await (const _seconds of frames(100)) {
      for (const event of relay.drain()) sum += event.n;
      if (sum >= 6 && isTimeToSend()) break;
    }
    relay.send({ sum });
    console.log("sum", sum);
  `;
}

/** Serves the repository's files, and one more; what is asked for is noted. */
function serveFiles(
  extra: Map<string, string>,
  toText: (path: string, text: string) => string = (_, text) => text,
) {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    try {
      const text = extra.get(pathname) ??
        toText(pathname, await Deno.readTextFile(new URL(`.${pathname}`, ROOT)));
      return new Response(text, { headers: { "content-type": "application/typescript" } });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
  return { server, asked };
}

Deno.test("client.ts can be imported by URL and imports nothing but files of this repository", async () => {
  await using relay = new OldRelay();
  const { server, asked } = serveFiles(new Map([["/x.ts", program(relay.target)]]));
  const cache = await Deno.makeTempDir();
  try {
    const host = `127.0.0.1:${server.addr.port}`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--no-prompt",
        `--allow-net=${relay.target}`,
        `--allow-import=${host}`,
        "--check",
        `http://${host}/x.ts`,
      ],
      env: {
        DENO_DIR: cache,
        NO_COLOR: "1",
        JSR_URL: "http://127.0.0.1:1",
        NPM_CONFIG_REGISTRY: "http://127.0.0.1:1",
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = child.output();
    // How long it takes to check the types depends on the machine: the program's own end is the deadline.
    const member = await Promise.race([
      relay.member(0, Infinity),
      output.then(({ stderr }) => Promise.reject(new Error(new TextDecoder().decode(stderr)))),
    ]);
    await member.write('{"n":1}\n{"n":2}\n{"n":3}\n');
    const { code, stdout, stderr } = await output;
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), "sum 6\n");
    await member.ended;
    assert.deepEqual(member.lines, ['"ready"', '{"sum":6}']);
    assert.ok(asked.includes("/client.ts"));
    assert.deepEqual(asked.filter((path) => !/^\/(x|client|src\/[a-z0-9_\/]+)\.ts$/.test(path)), []);
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("client.ts that Deno has kept warns once about a relay of another version, and can be got anew as it says", async () => {
  await using relay = new NewRelay();
  let version = "0.0.1";
  const toText = (path: string, text: string) =>
    path === "/src/wire/version.ts" ? text.replace(VERSION, version) : text;
  const program = `
    import { connect } from "./client.ts";
    for (let i = 0; i < 2; i++) await (await connect("${relay.target}")).close();
  `;
  const { server } = serveFiles(new Map([["/x.ts", program]]), toText);
  const cache = await Deno.makeTempDir();
  const root = `http://127.0.0.1:${server.addr.port}/`;
  const run = async (...flags: string[]) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-config", "--no-lock", "--no-check", "-NI", ...flags, `${root}x.ts`],
      env: { DENO_DIR: cache, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assert.equal(code, 0);
    return new TextDecoder().decode(stderr);
  };
  try {
    const warning = await run();
    assert.equal(
      warning,
      `eventrelay: client.ts is of version 0.0.1 and the relay of ${VERSION}. Deno keeps what it has fetched once; ` +
        `get it anew with: deno run --reload=${root.slice(0, -1)} …\n`,
    );
    version = VERSION;
    assert.equal(await run(), warning, "it is kept");
    assert.equal(await run(/--reload=\S+/.exec(warning)![0]), "");
    assert.equal(await run(), "");
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
});
