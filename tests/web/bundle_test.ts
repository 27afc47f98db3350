// Tests that what is checked in for browsers is made of the sources as they are, needs nothing but itself,
// and has all types.

import assert from "node:assert/strict";
import * as client from "../../client.ts";
import * as motion from "../../motion.ts";
import { ASSETS, bundle } from "../../web/bundle.ts";

const made = await bundle();

for (const [name, text] of made) {
  Deno.test(`${name} is fresh`, async () => {
    const checkedIn = await Deno.readTextFile(new URL(name, ASSETS));
    assert.ok(checkedIn === text, `${name} is out of date: run deno task bundle, and commit what it makes`);
  });
}

for (const [door, source] of Object.entries({ client, motion })) {
  Deno.test(`${door}.js imports nothing and exports what ${door}.ts does`, async () => {
    const text = made.get(`${door}.js`)!;
    assert.deepEqual(text.match(/^\s*import[ ("'{].*|\bimport\(.*|\brequire\(.*|["']node:.*/gm) ?? [], []);
    const script = await import(new URL(`${door}.js`, ASSETS).href);
    assert.deepEqual(Object.keys(script).sort(), Object.keys(source).sort());
  });

  Deno.test(`${door}.d.ts declares what ${door}.ts exports, types included, and imports nothing`, async () => {
    const code = made.get(`${door}.d.ts`)!.replace(/\/\*[^]*?\*\//g, "");
    assert.doesNotMatch(code, /^\s*import\b|\bimport\(|\bDeno\b/m);
    assert.deepEqual(await exported(new URL(`${door}.d.ts`, ASSETS)), await exported(door));
  });
}

Deno.test("client.d.ts and motion.d.ts are enough for a page's TypeScript", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of made) await Deno.writeTextFile(`${folder}/${name}`, text);
    const program = `
      import { connect, frames, type Lost, type Relay } from "./client.js";
      import { Track } from "./motion.js";
      type Move = { id: string; pos: number[] };
      const relay: Relay<Move> = await connect<Move>("ifilab100", { onLost: (lost: Lost) => console.log(lost.lines) });
      for (const move of relay.drain()) document.title = move.id + new Track().at(relay.now()).pos[0];
      for await (const seconds of frames(30)) seconds.toFixed();
      await relay[Symbol.asyncDispose]();
      // @ts-expect-error a relay object has no such thing
      relay.publish();
    `;
    await Deno.writeTextFile(`${folder}/page.ts`, program);
    const config = { compilerOptions: { lib: ["es2022", "dom", "dom.iterable"], strict: true } };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "page.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The names that a module exports, with their kinds, as `deno doc` sees them. */
async function exported(module: string | URL): Promise<string[]> {
  const path = typeof module === "string" ? new URL(`../../${module}.ts`, import.meta.url) : module;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", path.pathname],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const [{ symbols }] = Object.values(JSON.parse(new TextDecoder().decode(stdout)).nodes) as [
    { symbols: Symbol[] },
  ];
  return symbols.map(({ name, declarations }) => `${declarations[0].kind} ${name}`).sort();
}

interface Symbol {
  name: string;
  declarations: { kind: string }[];
}
