// Lets WebSocket clients that others wrote speak to a relay: Deno's in any case; those of Node 22 and 24 and
// of Bun, the package "ws" on Node and Debian's python3-websockets where .ci/run has put them. What is
// missing is skipped, visibly.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { serve } from "../../src/relay/relay.ts";
import { LineClient } from "../support/line_client.ts";
import { CI_CACHE, isFile } from "../support/needed_program.ts";
import { pause } from "../support/pause.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { inTime } from "../support/deadline.ts";

const ECHO_JS = fileURLToPath(import.meta.resolve("../support/websocket_echo.mjs"));
const ECHO_PY = fileURLToPath(import.meta.resolve("../support/websocket_echo.py"));

const WS_MODULE = `${CI_CACHE}/ws/node_modules/ws/wrapper.mjs`;

/** Finds a Python that has the package: Debian's, also where another one comes first in the PATH. */
function findPython(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((python) => {
    try {
      return new Deno.Command(python, { args: ["-c", "import websockets"], stdin: "null", stderr: "null" })
        .outputSync().success;
    } catch {
      return false;
    }
  });
}

const node = RUNTIMES.find(({ name }) => name === "Node 24")!.program;
const python = findPython();

/** What is tried, by name, and the command that runs it; none if it is not there. */
const CLIENTS: [name: string, command: string[] | undefined][] = [
  ["Deno", [Deno.execPath(), "run", "--quiet", "--allow-net", ECHO_JS]],
  ...RUNTIMES.map((
    { name, program },
  ): [string, string[] | undefined] => [name, program === undefined ? undefined : [program, ECHO_JS]]),
  ["ws on Node 24", node !== undefined && isFile(WS_MODULE) ? [node, ECHO_JS] : undefined],
  ["python3-websockets", python === undefined ? undefined : [python, ECHO_PY]],
];

/** Lines of many lengths, around those where a header changes, and up to the longest. */
const LINES = Array.from(
  { length: 120 },
  (_, n) => JSON.stringify({ n, text: "aé日🎈".repeat([0, 3, 10, 11, 40, 3000][n % 6] + n % 5) }),
);

for (const [name, command] of CLIENTS) {
  const isMissing = command === undefined;
  const title = `${name}: a WebSocket passes lines both ways, lives in silence, closes and is closed`;
  Deno.test(
    { name: isMissing ? `NOT TESTED, not installed: ${title}` : title, ignore: isMissing },
    async () => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
      const pingTimeoutMs = 1500; // in silence it lives by its pongs alone
      const warnings: string[] = [];
      const relay = serve(listener, {
        pingTimeoutMs,
        log: (level, message, fields) => {
          if (level === "warn" && message !== "slow turn") {
            warnings.push(`${message} ${JSON.stringify(fields)}`);
          }
        },
      });
      using peer = await LineClient.connect(port);
      await peer.send("\n");
      const args = [...command!.slice(1), `ws://127.0.0.1:${port}/`];
      if (name.startsWith("ws ")) args.push(WS_MODULE);
      const start = () =>
        new Deno.Command(command![0], { args, stdin: "null", stdout: "piped", stderr: "inherit" }).output();

      const first = start();
      assert.equal(await peer.line(1), '"ready"');
      for (let at = 0; at < LINES.length; at += 7) await peer.send(LINES.slice(at, at + 7).join("\n") + "\n");
      await peer.line(1 + LINES.length);
      const answers = peer.lines.slice(1).map((line) => JSON.stringify(JSON.parse(line).back));
      assert.deepEqual(answers, LINES);
      await pause(2 * pingTimeoutMs);
      await peer.send('{"end":true}\n');
      assert.deepEqual(await endOf(first), { code: 4001, reason: "später", wasClean: true });

      const before = peer.lines.length, second = start();
      while (!peer.lines.slice(before).includes('"ready"')) await inTime(pause(5), "the second one");
      await relay.close();
      assert.deepEqual(await endOf(second), { code: 1001, reason: "shutdown", wasClean: true });
      assert.deepEqual(warnings, []);
    },
  );
}

async function endOf(output: Promise<Deno.CommandOutput>): Promise<unknown> {
  const { stdout } = await inTime(output, "the end of the client");
  return JSON.parse(new TextDecoder().decode(stdout));
}
