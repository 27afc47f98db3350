// Holds README, CHANGELOG and docs/ against the repository: links lead somewhere, files and tasks that they
// name are there, flags are those of the program, shell lines can be read. What their code does is tested in
// snippets_test.ts, what figures they tell in figures_test.ts.

import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { helpText, readCommand } from "../../src/program/flags.ts";
import { anchorsOf, type Block, blocksOf, linksOf, namesOf, readPages, ROOT } from "./pages.ts";

const PAGES = readPages();
const BLOCKS = PAGES.flatMap(blocksOf);

/** The most lines that README has: what is read in three minutes. */
const README_LINES = 150;

const TOP_FOLDERS = ["src", "example", "bench", "tests", "docs"];

function where({ page, line }: Block): string {
  return `${page.path}, line ${line}`;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)) !== undefined;
  } catch {
    return false;
  }
}

/** The commands of all shell blocks: what a line says before its remark. */
function* commands(): Generator<{ command: string; at: string }> {
  for (const block of BLOCKS.filter(({ info }) => info === "sh")) {
    for (const line of block.code.replaceAll("\\\n", " ").split("\n")) {
      const command = line.replace(/\s#.*$/, "").trim();
      if (command !== "") yield { command, at: where(block) };
    }
  }
}

Deno.test("README is a page", () => {
  const { text } = PAGES[0];
  assert.ok(text.split("\n").length - 1 <= README_LINES, `it has ${text.split("\n").length - 1} lines`);
});

Deno.test("web.md shows the game to copy as it is, and README how long that is", () => {
  const read = (name: string) => Deno.readTextFileSync(new URL(`example/web/${name}`, ROOT));
  const game = read("index.html"), lines = game.split("\n").length - 1;
  assert.ok(lines <= 60, `index.html has ${lines} lines`);
  assert.ok(BLOCKS.some(({ page, code }) => page.path === "docs/web.md" && code === game));
  assert.ok(PAGES[0].text.includes(`of ${lines} lines`));
  assert.equal(read("hello.html").split("\n").length - 1, 20);
});

Deno.test("pages have blocks of all kinds", () => {
  const kinds = new Set(BLOCKS.map(({ info }) => info));
  for (const kind of ["ts", "python", "sh", "text", "console"]) assert.ok(kinds.has(kind), kind);
});

for (const page of PAGES) {
  Deno.test(`${page.path}: links lead to files and headings that are there`, () => {
    for (const link of linksOf(page)) {
      if (/^https?:/.test(link)) continue;
      const [file, anchor] = link.split("#");
      const path = file === "" ? page.path : new URL(file, new URL(page.path, "file:///")).pathname.slice(1);
      assert.ok(exists(path), `${link}: there is no ${path}`);
      if (anchor === undefined) continue;
      const target = PAGES.find((each) => each.path === path);
      assert.ok(
        target !== undefined && anchorsOf(target).includes(anchor),
        `${link}: there is no such heading`,
      );
    }
  });

  Deno.test(`${page.path}: files and folders that it names are there`, () => {
    for (const name of namesOf(page)) {
      const isPath = TOP_FOLDERS.some((folder) => name.startsWith(`${folder}/`)) && /^[\w./-]+$/.test(name);
      if (isPath) assert.ok(exists(name), `there is no ${name}`);
    }
  });
}

Deno.test("tasks that the pages name are those of deno.json", () => {
  const named = PAGES.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:]*)/g), ([, task]) => ({ path, task }))
  );
  assert.ok(named.length > 10);
  for (const { path, task } of named) assert.ok(task in config.tasks, `${path} names the task ${task}`);
});

Deno.test("shell lines can be read by a shell, and the files they run are there", async () => {
  for (const { command, at } of commands()) {
    const { success, stderr } = await new Deno.Command("sh", { args: ["-n", "-c", command] }).output();
    assert.ok(success, `${at}: ${command}\n${new TextDecoder().decode(stderr)}`);
    for (const [path] of command.matchAll(/\b(?:example|bench|src|tests)\/[\w/.-]+/g)) {
      assert.ok(exists(path), `${at}: there is no ${path}`);
    }
  }
});

Deno.test("the relay takes the flags and variables that the pages start it with", () => {
  let started = 0;
  for (const { command, at } of commands()) {
    const match =
      /^((?:\w+=\S+ )*)(?:setsid |ssh (?:-t )?\S+ )?(?:\.\/eventrelay|(?:npx -y )?deno(?:@[\d.]+)? task start|deno run .*server\.ts)(.*)$/
        .exec(command);
    if (match === null) continue;
    started++;
    const env = new Map(match[1].trim().split(" ").map((pair) => pair.split("=") as [string, string]));
    const args = match[2].replace(/\s*[<>].*$/, "").replace(/;.*$/, "").trim().split(/\s+/).filter((arg) =>
      arg !== ""
    );
    const read = readCommand(args, (name) => env.get(name));
    assert.equal(read.kind, "serve", `${at}: ${command}: ${"message" in read ? read.message : ""}`);
  }
  assert.ok(started >= 8, `${started} commands start a relay`);
});

Deno.test("limits.md and lab-host.md explain every flag of the relay, and no page names another", () => {
  const flags = new Set(Array.from(helpText("1").matchAll(/--[a-z][a-z-]*/g), ([flag]) => flag));
  const explained = PAGES.filter(({ path }) =>
    ["docs/limits.md", "docs/lab-host.md", "docs/sessions.md"].includes(path)
  )
    .map(({ text }) => text).join("\n");
  for (const flag of flags) {
    if (flag === "--version") continue;
    assert.match(explained, new RegExp(`${flag}\\b(?!-)`), `${flag} is not explained`);
  }
  const named = namesOf(PAGES.find(({ path }) => path === "docs/limits.md")!).filter((name) =>
    name.startsWith("--")
  );
  for (const name of named) assert.ok(flags.has(name.split(/[ =]/)[0]), `limits.md names ${name}`);
});

Deno.test("limits.md has the defaults that --help tells", () => {
  const limits = PAGES.find(({ path }) => path === "docs/limits.md")!.text;
  const defaults = Array.from(helpText("1").matchAll(/^ {2}(--[a-z-]+)[^\n]*\(([^()\n]+)\)(?=[;\n])/gm));
  // In a table, `| `--flag` | default |`, or in a sentence, `--flag` (default, …
  const documented = new Map(
    Array.from(
      limits.matchAll(/`(--[a-z-]+)`(?: *\| *| \()([^|(),\n]+?)(?= *[|),])/g),
      ([, flag, value]) => [flag, value],
    ),
  );
  let compared = 0;
  for (const [, flag, value] of defaults) {
    if (!documented.has(flag)) continue;
    compared++;
    assert.equal(documented.get(flag), value, flag);
  }
  assert.ok(compared >= 10, `${compared} defaults compared`);
});

Deno.test("python.md names all files that a client needs, and how to fetch them", () => {
  const folder = new URL("example/python/", ROOT);
  const files = new Set(Array.from(Deno.readDirSync(folder), ({ name }) => name));
  const importsOf = (file: string) =>
    Array.from(
      Deno.readTextFileSync(new URL(file, folder)).matchAll(/^(?:from|import) (\w+)/gm),
      ([, name]) => `${name}.py`,
    ).filter((name) => files.has(name));
  const page = PAGES.find(({ path }) => path === "docs/python.md")!;
  const fetched = Array.from(page.text.matchAll(/^curl .*\/python\/(\w*)\{(.*)\}\.py'$/gm));
  for (const client of ["relay_client.py", "session_client.py"]) {
    const needed = new Set([client]);
    for (const file of needed) for (const name of importsOf(file)) needed.add(name);
    const [, row] = new RegExp(`^\\| \\[${client}\\].*\\|(.*)\\|$`, "m").exec(page.text)!;
    const told = Array.from(row.matchAll(/`(\w+\.py)`/g), ([, name]) => name);
    assert.deepEqual([client, ...told].sort(), [...needed].sort());
    const lists = fetched.map(([, start, ends]) => ends.split(",").map((end) => `${start}${end}.py`).sort());
    assert.ok(lists.some((list) => list.join() === [...needed].sort().join()), `${client} can be fetched`);
  }
});
