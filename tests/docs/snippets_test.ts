// Runs the programs in README and docs/, TypeScript and Python, against a relay on which strangers say what
// nobody should: they must connect, take what comes, and still be there. Types are checked by the gate
// (`deno check --doc-only`).

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type ConnectionStats, type RelayServer, serve } from "../../src/relay/relay.ts";
import { DEADLINE_MS, inTime } from "../support/deadline.ts";
import { LineClient } from "../support/line_client.ts";
import { type Block, blocksOf, readPages, ROOT } from "./pages.ts";
import { pause } from "../support/pause.ts";
import { hasPython } from "../support/python.ts";

/** What strangers send and set: any JSON value may come. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  7,
  -1e308,
  "text",
  [],
  [null],
  {},
  { id: null },
  { id: 5, pos: 5 },
  { id: "x" },
  { id: "x", x: null },
  { id: "x", pos: null, vel: null },
  { id: "x", pos: [] },
  { id: "x", pos: ["1", {}] },
  { id: "x", t: "now", pos: [1, null] },
  { id: "__proto__", pos: [1, 2], x: 3 },
  { id: "x", t: 1, pos: [3, 4], vel: [1e308, 0] },
  { id: ["x"], pos: [1, 2], constructor: null },
];

/** How long a program goes on after all of it has reached it, in ms: some frames. */
const AFTERWARDS_MS = 300;

/** How often a test looks whether something has happened, in ms. */
const POLL_MS = 10;

/** How many connections strangers have. */
const STRANGERS = 2;

/** Ends the program in order once its stdin ends: from then on what it does wrong would not be seen. */
const TS_PRELUDE = `(async () => {
  for await (const _ of Deno.stdin.readable);
  setTimeout(() => Deno.exit(0), ${AFTERWARDS_MS});
})();
`;
const PYTHON_PRELUDE = `import os, sys, threading, time
def _end():
    sys.stdin.read()
    time.sleep(${AFTERWARDS_MS / 1000})
    os._exit(0)
threading.Thread(target=_end, daemon=True).start()
`;

const PROGRAMS = readPages().flatMap(blocksOf);

/** Puts a relay of this test in the place of the one that a page names. */
function aimed(code: string, port: number): string {
  return code.replaceAll(
    /"(?:localhost|ifilab100)(?::\d+)?(\/\w+)?"/g,
    (_, room = "") => `"127.0.0.1:${port}${room}"`,
  );
}

/** Whether a block connects by itself when it is run. */
function connects({ info, code }: Block): boolean {
  if (info === "python") return true;
  return info === "ts" && /^await using relay = await connect[<(]/m.test(code);
}

class Stranger implements Disposable {
  private constructor(readonly client: LineClient) {}

  static async enter(port: number, room: string): Promise<Stranger> {
    const stranger = new Stranger(await LineClient.connect(port));
    const hello = { version: 1, room, name: "stranger\u202e" };
    await stranger.client.send(`${JSON.stringify({ $hello: hello })}\n`);
    await stranger.client.line(1);
    return stranger;
  }

  async rave(): Promise<void> {
    for (const value of STRANGE) {
      await this.client.send(` ${JSON.stringify(value)}\n`);
      await this.client.send(`${JSON.stringify({ $set: { key: "colour", value } })}\n`);
      await this.client.send(`${JSON.stringify({ $set: { key: "round", value, room: true } })}\n`);
    }
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** Waits until `isDone` says so of the program's connection, the newest one, or the program is over. */
async function until(
  relay: RelayServer,
  isOver: () => boolean,
  isDone: (program: ConnectionStats) => boolean,
  what: string,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!isOver()) {
    const program = relay.connectionStats()[STRANGERS];
    if (program !== undefined && isDone(program)) return;
    assert.ok(performance.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}`);
    await pause(POLL_MS);
  }
}

async function runBlock(block: Block): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using relay = serve(listener);
  const { port } = listener.addr;
  using inLobby = await Stranger.enter(port, "lobby");
  using inPong = await Stranger.enter(port, "pong");
  const raveAll = () => Promise.all([inLobby.rave(), inPong.rave()]);
  const isPython = block.info === "python";
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_docs_" });
  try {
    const isEndless = /for await|while /.test(block.code);
    if (!isEndless) await raveAll();
    const file = `${folder}/program.${isPython ? "py" : "ts"}`;
    const code = aimed(block.code, port).replaceAll(
      /from "\.\.?\/((?:client|motion)\.ts)"/g,
      `from "${ROOT}$1"`,
    );
    const prelude = !isEndless ? "" : isPython ? PYTHON_PRELUDE : TS_PRELUDE;
    await Deno.writeTextFile(file, prelude + code);
    const program = isPython
      ? new Deno.Command("python3", {
        args: [file],
        env: { PYTHONPATH: fileURLToPath(new URL("example/python/", ROOT)), PYTHONDONTWRITEBYTECODE: "1" },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      })
      : new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-config", "--allow-net", file],
        env: { NO_COLOR: "1" },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      });
    const child = program.spawn();
    const output = child.output();
    let isOver = false;
    void child.status.then(() => isOver = true);
    if (isEndless) {
      const isPlain = block.code.includes("import Relay");
      await until(relay, () => isOver, ({ id }) => isPlain || id !== "", "the program is in its room");
      await raveAll();
      const isSent = ({ sentLines, behindBytes }: ConnectionStats) =>
        sentLines >= STRANGE.length && behindBytes === 0;
      await until(relay, () => isOver, isSent, "the program has been sent everything");
      assert.ok(!isOver, "it goes on until it is stopped");
    }
    await child.stdin.close().catch(() => {}); // it may have ended already
    const { code: exitCode, stderr, stdout } = await inTime(output, "the program ends");
    const told = new TextDecoder().decode(stderr);
    assert.equal(exitCode, 0, `${told}\n${new TextDecoder().decode(stdout)}`);
    assert.doesNotMatch(told, /error|exception|traceback/i);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const isWithoutPython = !hasPython("");
const running = PROGRAMS.filter(connects);

Deno.test("README and docs have programs in TypeScript and in Python that connect", () => {
  assert.ok(running.filter(({ info }) => info === "ts").length >= 6);
  assert.ok(running.filter(({ info }) => info === "python").length >= 2);
});

for (const block of running) {
  Deno.test({
    name: `${block.page.path}, line ${block.line}: the program runs, whatever strangers send`,
    ignore: block.info === "python" && isWithoutPython,
    fn: () => runBlock(block),
  });
}

for (const block of PROGRAMS.filter((each) => each.info === "ts" && !connects(each))) {
  Deno.test(`${block.page.path}, line ${block.line}: the code runs`, async () => {
    const code = block.code.replaceAll(/from "\.\.?\/((?:client|motion)\.ts)"/g, `from "${ROOT}$1"`);
    await import(`data:application/typescript;charset=utf-8,${encodeURIComponent(code)}`);
  });
}
