// What the page says to paste is pasted: each recipe is done step by step, against a relay, and has to reach
// somebody else who is there, and to hear from them.

import assert from "node:assert/strict";
import { VERSION } from "../../../src/wire/version.ts";
import { placeOf } from "../../../web/shared/place.ts";
import { recipes, type Recipient, type Step } from "../../../web/landing/snippets.ts";
import { testInChromium } from "../../support/browser.ts";
import { findProgram, testWith } from "../../support/needed_program.ts";
import { LineClient } from "../../support/line_client.ts";
import { RUNTIMES } from "../../support/runtimes.ts";
import { WebTable } from "../../support/web_table.ts";
import { inTime } from "../../support/deadline.ts";

const NODE = RUNTIMES.find(({ name, program }) => name.startsWith("Node") && program !== undefined)?.program;

const HTTP = { protocol: "http:", hostname: "127.0.0.1" };

/** What each program sends as it is pasted, and what needs to be here for it. */
const PROGRAMS: Readonly<Record<string, { sends: string; needs: string[] }>> = {
  deno: { sends: `{"hello":"from Deno"}`, needs: [] },
  node: { sends: `{"hello":"from Node"}`, needs: ["curl"] },
  python: { sends: `{"hello":"from Python"}`, needs: ["python3", "curl"] },
  nc: { sends: `{"hello":"from a terminal"}`, needs: ["nc"] },
};

function recipient(port: number, more: Partial<Recipient> = {}): Recipient {
  const place = placeOf({ ...HTTP, port: `${port}` });
  return { place, version: VERSION, hasToken: false, ...more };
}

/** Does what a recipe says, in a folder; the last command is left running, and its input open. */
async function follow(steps: readonly Step[], folder: string): Promise<Deno.ChildProcess> {
  const commands: string[] = [], typed: string[] = [];
  for (const { file, code } of steps) {
    if (file === undefined) commands.push(code);
    else if (file === "-") typed.push(code);
    else await Deno.writeTextFile(`${folder}/${file}`, code);
  }
  const last = commands.pop()!.trim().replace(/^deno /, `'${Deno.execPath()}' `).replace(
    /^node /,
    `'${NODE}' `,
  );
  for (const command of commands) {
    const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", command], cwd: folder })
      .output();
    assert.ok(success, `${command}: ${new TextDecoder().decode(stderr)}`);
  }
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${last}`],
    cwd: folder,
    env: { DENO_DIR: `${folder}/deno`, PYTHONUNBUFFERED: "1", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(typed.join("")));
  writer.releaseLock();
  return child;
}

async function readUntil(child: Deno.ChildProcess, wanted: RegExp): Promise<string> {
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (wanted.test(text)) return text;
  }
  throw new Error(`it ended, and had said: ${text}`);
}

for (const [id, { sends, needs }] of Object.entries(PROGRAMS)) {
  const missing = needs.find((name) => findProgram([name]) === undefined) ??
    (id === "node" && NODE === undefined ? "Node 22 or newer" : undefined);
  testWith(
    missing === undefined ? "all" : undefined,
    missing ?? "",
    `${id}: what is to be pasted speaks and hears`,
    async () => {
      await using table = new WebTable();
      using other = await LineClient.connect(table.port);
      await other.send("\n");
      const folder = await Deno.makeTempDir({ prefix: "eventrelay_paste_" });
      const { steps } = recipes(recipient(table.port)).find((recipe) => recipe.id === id)!;
      const child = await follow(steps, folder);
      try {
        assert.equal(await other.line(1), sends);
        await other.send(`{"heard":"by all"}\n`);
        const said = await inTime(readUntil(child, /heard[^\n]*by all/), `what ${id} prints`);
        assert.match(said, /heard/);
      } finally {
        child.kill("SIGKILL");
        await child.stdin.close().catch(() => {});
        await child.status;
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

testInChromium("page: what is to be pasted is a page that hears what another of it says", async (browser) => {
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_paste_" });
  try {
    await using table = new WebTable({ webFolder: folder });
    const { steps } = recipes(recipient(table.port))[0];
    await Deno.writeTextFile(`${folder}/index.html`, steps[0].code);
    assert.match(steps[1].code, new RegExp(`^\\./eventrelay ${table.port} --web mygame/$`, "m"));
    const one = await browser.newPage(`${table.url}/`);
    const two = await browser.newPage(`${table.url}/`);
    await one.until(`document.querySelector("button").onclick !== null`);
    await two.until(`document.querySelector("button").onclick !== null`);
    await one.evaluate(`document.querySelector("button").click()`);
    assert.equal(await two.until(`document.querySelector("pre").textContent`), `{"wave":"hello"}\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("recipes name host and port as they are, over TLS too, and where the token goes", () => {
  const place = placeOf({ protocol: "https:", hostname: "lab.example", port: "" });
  const all = recipes({ place, version: "", hasToken: true });
  const text = all.flatMap(({ steps }) => steps.map(({ code }) => code)).join("");
  for (
    const part of [
      `from "https://lab.example/client.ts"`,
      `connect("wss://lab.example:443", { name: "ada", token: "…" })`,
      `--allow-import=lab.example:443`,
      `curl https://lab.example/client.js`,
      `connect("/lobby", { token: "…" })`,
      `openssl s_client -quiet -connect lab.example:443`,
      `Session("lab.example:32100", name="ada", token="…")`,
    ]
  ) assert.ok(text.includes(part), part);
  const said = all.flatMap(({ steps }) => steps.map(({ says }) => says)).join("");
  assert.ok(said.includes("It speaks no TLS"), "Python's client");
  const v6 = recipes({
    ...recipient(1),
    place: placeOf({ protocol: "http:", hostname: "[fe80::1]", port: "32000" }),
  });
  const v6Text = v6.flatMap(({ steps }) => steps.map(({ code }) => code)).join("");
  assert.ok(v6Text.includes("nc fe80::1 32000\n") && v6Text.includes(`connect("[fe80::1]:32000"`));
});
