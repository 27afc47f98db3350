// Makes what the relay serves to browsers out of the sources: deno task bundle. One file for each door of a
// program, with its types, checked in beside the relay that embeds them; a test says when they are out of
// date. No part of the relay, and the only place that needs a bundler.

import { rollup } from "npm:rollup@4.50.0";
import { dts } from "npm:rollup-plugin-dts@6.2.3";
import ts from "npm:typescript@5.9.3";

const ROOT = new URL("../", import.meta.url);

/** Where the made files stand. */
export const ASSETS: URL = new URL("src/relay/web/assets/", ROOT);

/** What programs import: each becomes NAME.js, and NAME.d.ts with its types. */
const DOORS = ["client", "motion"];

/** What the relay's own pages run: each folder's main.ts becomes one small file. */
const PAGES: Readonly<Record<string, string>> = {
  "index.js": "web/landing/main.ts",
  "play.js": "web/play/main.ts",
  "watch.js": "web/watch/main.ts",
  "try.js": "web/try/main.ts",
};

/** What those pages are beside that, as it stands in web/. */
const COPIED = ["index.html", "play.html", "watch.html", "try.html", "style.css", "icon.svg"];

/**
 * Makes all files: their names in {@linkcode ASSETS} and what they hold. The same sources make the same
 * bytes.
 */
export async function bundle(): Promise<Map<string, string>> {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const files = new Map<string, string>();
  for (const door of DOORS) {
    const head = (name: string) =>
      `// ${name} of eventrelay ${version}, made by \`deno task bundle\`. MIT license.\n`;
    const types = `// @ts-self-types="./${door}.d.ts"\n`; // for who imports it from Deno
    files.set(`${door}.js`, head(`${door}.js`) + types + await bundleScript(`${door}.ts`));
    files.set(`${door}.d.ts`, head(`${door}.d.ts`) + withLibs(await bundleTypes(`${door}.ts`)));
  }
  for (const [name, path] of Object.entries(PAGES)) files.set(name, await bundleScript(path, ["--minify"]));
  for (const name of COPIED) files.set(name, await Deno.readTextFile(new URL(`web/${name}`, ROOT)));
  return files;
}

/**
 * Makes one module of a script and all that it imports; readable, as it is sent once and read by learners,
 * unless `flags` say else.
 */
async function bundleScript(path: string, flags: string[] = []): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-lock", "--platform", "browser", ...flags, path],
    cwd: ROOT,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle ${path}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Gathers the types that a script exports, and those they are made of, in one file that imports nothing. */
async function bundleTypes(path: string): Promise<string> {
  const build = await rollup({
    input: new URL(path, ROOT).pathname,
    plugins: [dts({
      compilerOptions: {
        allowImportingTsExtensions: true,
        lib: ["lib.esnext.d.ts"],
        types: [],
        strict: true,
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
      },
    })],
    onwarn: ({ message }) => {
      throw new Error(`Cannot gather the types of ${path}: ${message}`);
    },
  });
  const { output } = await build.generate({ format: "es" });
  await build.close();
  return output[0].code;
}

/** Names what types need that TypeScript knows but does not look at unless it is told: `await using`. */
function withLibs(types: string): string {
  return types.includes("AsyncDisposable") ? `/// <reference lib="esnext.disposable" />\n${types}` : types;
}

if (import.meta.main) {
  await Deno.mkdir(ASSETS, { recursive: true });
  for (const [name, text] of await bundle()) {
    await Deno.writeTextFile(new URL(name, ASSETS), text);
    console.log(`${name}: ${(text.length / 1024).toFixed(0)} KiB`);
  }
}
