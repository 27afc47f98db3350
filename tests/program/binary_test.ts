// Holds the compiled relay against the promise that one file is enough: outside the checkout, with an empty
// environment and no Deno on the path. EVENTRELAY_BINARY names another file than dist/eventrelay; where
// neither is there, the test says so and is left out.

import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { LineClient } from "../support/line_client.ts";
import { type Launch, Program } from "../support/program.ts";
import { runByUrl } from "../support/url_program.ts";
import { isFile } from "../support/needed_program.ts";

const NAMED_BINARY = Deno.env.get("EVENTRELAY_BINARY");
const BINARY = NAMED_BINARY ?? new URL("../../dist/eventrelay", import.meta.url).pathname;
const IS_LEFT_OUT = NAMED_BINARY === undefined && !isFile(BINARY);

if (IS_LEFT_OUT) console.log("no dist/eventrelay here, so it is not tested: `deno task compile` makes it");

/** The binary alone in a directory of its own. */
class LoneBinary implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "eventrelay_test_" });
  readonly launch: Launch = { program: `${this.#directory}/relay`, args: [], cwd: this.#directory };

  constructor() {
    Deno.copyFileSync(BINARY, this.launch.program);
    Deno.chmodSync(this.launch.program, 0o755);
  }

  /** Lists what is in the directory. */
  files(): string[] {
    return Array.from(Deno.readDirSync(this.#directory), ({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: IS_LEFT_OUT || Deno.build.os === "windows" });
}

test("the binary takes clients by WebSocket beside those by TCP", async () => {
  await using binary = new LoneBinary();
  await using program = new Program(binary.launch, ["0", "--host", "127.0.0.1"]);
  const port = await program.port();
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port, { transport: "websocket" });
  const line = JSON.stringify("ä🎈".repeat(5000));
  for (const client of [ada, bo]) await client.send("\n");
  await bo.send(`${line}\n`);
  assert.equal(await ada.line(1), line);
  await ada.send(`${line}\n1\n`);
  await bo.line(2);
  assert.deepEqual(bo.lines, [line, "1"]);
});

test("the binary serves its pages' modules, its sources for Deno by URL, the files of a folder, and its numbers", async () => {
  await using binary = new LoneBinary();
  Deno.mkdirSync(`${binary.launch.cwd}/game`);
  Deno.writeTextFileSync(`${binary.launch.cwd}/game/index.html`, "<!doctype html>a game");
  await using program = new Program(binary.launch, ["0", "--host", "127.0.0.1", "--web", "game/"]);
  const port = await program.port(), url = `http://127.0.0.1:${port}`;
  for (
    const path of [
      "/client.js",
      "/motion.js",
      "/client.ts",
      "/python/relay_client.py",
      "/healthz",
      "/metrics",
    ]
  ) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.ok((await response.text()).length > 2, path);
  }
  const page = await fetch(`${url}/`);
  assert.deepEqual([page.status, await page.text()], [200, "<!doctype html>a game"]);
  const { code, stdout, stderr } = await runByUrl(port, `/v${config.version}`);
  assert.deepEqual([code, stdout], [0, "n 7 function\n"], stderr);
});

test("the binary relays, alone and with an empty environment, and exits with 0 on SIGTERM", async () => {
  await using binary = new LoneBinary();
  await using program = new Program(binary.launch, ["0", "--host", "127.0.0.1"]);
  const port = await program.port();
  assert.equal(program.stdout.split("\n")[0], `eventrelay ${config.version} listening on 127.0.0.1:${port}`);
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  bo.send("0\n");
  await ada.line(1);
  ada.send('{"id":1152921504606846975}\n{bad\n"last"\n');
  await bo.line(2);
  assert.deepEqual(bo.lines, ['{"id":1152921504606846975}', '"last"']);
  assert.equal(JSON.parse(await ada.line(2)).$error.code, "invalid_json");
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
  await bo.ended();
  assert.deepEqual(binary.files(), ["relay"], "it leaves nothing behind");
});

test("the binary reads its environment twins and names its host, with the permissions it was given", async () => {
  await using binary = new LoneBinary();
  const env = { EVENTRELAY_PORT: "0", EVENTRELAY_MAX_LINE: "20", EVENTRELAY_LOG: "json" };
  await using program = new Program(binary.launch, [], env);
  const port = await program.port();
  assert.ok(program.stdout.endsWith(`clients on other machines connect to ${Deno.hostname()}:${port}\n`));
  using ada = await LineClient.connect(port);
  ada.send('"3456789012345678901"\n');
  assert.equal(JSON.parse(await ada.line(1)).$error.code, "line_too_long");
});

test("the binary logs a line for each member on SIGUSR1 and on SIGUSR2, and goes on", async () => {
  await using binary = new LoneBinary();
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) {
    await using program = new Program(binary.launch, ["0", "--host", "127.0.0.1"]);
    const port = await program.port();
    using ada = await LineClient.connect(port);
    ada.send("bad\n");
    await ada.line(1);
    program.signal(signal);
    await program.logs(
      new RegExp(` info status members=1 [^]* info member address=${ada.address} .* errors=1\n`),
    );
    ada.send("bad\n");
    await ada.line(2);
  }
});

test("the binary refuses a bad flag with one line and exit code 2", async () => {
  await using binary = new LoneBinary();
  await using program = new Program(binary.launch, ["--max-line", "many"]);
  assert.equal(await program.code(), 2);
  assert.match(program.stderr, /^eventrelay: Cannot use --max-line "many": [^\n]+\n$/);
});
