// Holds the imports of all source files against the drawing of the house: each folder may import from the
// ones named here and from no others, nothing goes round, and what a program imports by URL has only relative
// imports and runs everywhere. It reads the files as text.

import assert from "node:assert/strict";
import { stripTypeScriptTypes } from "node:module";

const ROOT = new URL("../", import.meta.url);

/** What everything in the relay may need, and what needs nothing of it. */
const RELAY_GROUND = [
  "src/relay/event_loop.ts",
  "src/relay/service_queue.ts",
  "src/relay/silence_watch.ts",
  "src/relay/log.ts",
  "src/relay/secrets.ts",
  "src/relay/timers.ts",
  "src/relay/deadline.ts",
  "src/relay/address.ts",
  "src/relay/memory_budget.ts",
  "src/relay/relay_stats.ts",
];

/**
 * What may be imported from where, from the ground up: a place is a folder (ends with "/") or a file; the
 * longest that fits counts.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/wire/": [],
  "src/motion/": [],
  "src/simulation/": ["src/wire/"],

  "src/relay/event_loop.ts": [],
  "src/relay/service_queue.ts": ["src/relay/event_loop.ts"],
  "src/relay/deadline.ts": ["src/relay/timers.ts"],
  "src/relay/silence_watch.ts": ["src/relay/deadline.ts"],
  "src/relay/log.ts": [],
  "src/relay/secrets.ts": [],
  "src/relay/timers.ts": [],
  "src/relay/address.ts": [],
  "src/relay/memory_budget.ts": ["src/relay/timers.ts"],
  "src/relay/relay_stats.ts": [],
  "src/relay/options.ts": ["src/wire/", "src/simulation/", ...RELAY_GROUND],
  "src/relay/room/": ["src/wire/", "src/relay/options.ts", ...RELAY_GROUND],
  "src/relay/member/": [
    "src/wire/",
    "src/simulation/",
    "src/relay/options.ts",
    ...RELAY_GROUND,
    "src/relay/room/",
  ],
  "src/relay/connection/": [
    "src/wire/",
    "src/simulation/",
    "src/relay/options.ts",
    ...RELAY_GROUND,
    "src/relay/room/",
    "src/relay/member/",
  ],
  "src/relay/web/": [
    "src/wire/",
    "src/relay/options.ts",
    "src/relay/connection/transport.ts",
    ...RELAY_GROUND,
  ],
  "src/relay/": ["src/wire/", "src/simulation/", "src/relay/"],

  "src/client/link/": ["src/wire/", "src/client/target.ts"],
  "src/client/session/": ["src/wire/", "src/client/link/", "src/client/state_types.ts"],
  "src/client/state_types.ts": [],
  "src/client/plain": ["src/wire/", "src/client/link/", "src/client/plain"],
  "src/client/": ["src/wire/", "src/client/"],

  "src/program/": ["src/wire/", "src/simulation/", "src/relay/", "src/program/"],

  "client.ts": ["src/client/", "src/wire/"],
  "motion.ts": ["src/motion/", "src/simulation/"],
  "server.ts": ["src/program/", "src/relay/", "deno.json"],
  "example/": ["client.ts", "motion.ts", "example/"],
  "web/": ["client.ts", "motion.ts", "example/", "web/"],
  "bench/": ["client.ts", "motion.ts", "src/", "bench/", "example/"],
};

interface Import {
  from: string;
  /** A path from the root, or what it says if it is not relative. */
  to: string;
}

function sourceFiles(folder: string): string[] {
  const files: string[] = [];
  for (const { name, isFile, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isFile && name.endsWith(".ts")) files.push(folder + name);
    if (isDirectory) files.push(...sourceFiles(`${folder}${name}/`));
  }
  return files;
}

function importsOf(file: string): Import[] {
  const text = Deno.readTextFileSync(new URL(file, ROOT)).replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  // What is imported as text is served, not run.
  const specifiers = text.matchAll(
    /(?:^|\s|\})(?:from|import)\s*\(?\s*"([^"\n]+)"(?! with \{ type: "text" \})/g,
  );
  return Array.from(specifiers, ([, specifier]) => ({
    from: file,
    to: /^\.{1,2}\//.test(specifier)
      ? new URL(specifier, new URL(file, ROOT)).href.slice(ROOT.href.length)
      : specifier,
  }));
}

/** The entry of a table that fits a path best. */
function placeOf(path: string, places: readonly string[]): string | undefined {
  return places.filter((place) => path.startsWith(place)).sort((a, b) => b.length - a.length)[0];
}

const FILES = [
  "client.ts",
  "motion.ts",
  "server.ts",
  ...["src/", "example/", "web/", "bench/"].flatMap(sourceFiles),
];
const IMPORTS = FILES.flatMap(importsOf);
const INNER = IMPORTS.filter(({ to }) => FILES.includes(to) || to.endsWith(".json"));

Deno.test("imports are found where they are known to stand", () => {
  assert.ok(FILES.length > 80, `${FILES.length} files`);
  assert.ok(IMPORTS.some(({ from, to }) => from === "client.ts" && to === "src/client/relay.ts"));
  assert.ok(IMPORTS.some(({ from, to }) => from === "src/relay/relay.ts" && to === "src/wire/protocol.ts"));
  const missing = IMPORTS.filter(({ to }) => to.endsWith(".ts") && !FILES.includes(to));
  assert.deepEqual(missing, [], "an import of a file that is not there");
});

Deno.test("imports go the way that the drawing of the house shows", () => {
  const wrong = INNER.filter(({ from, to }) => {
    const place = placeOf(from, Object.keys(MAY_IMPORT));
    assert.ok(place !== undefined, `${from} stands in no place of the drawing`);
    const isWithin = place.endsWith("/") && to.startsWith(place) &&
      placeOf(to, Object.keys(MAY_IMPORT)) === place;
    return !isWithin && placeOf(to, MAY_IMPORT[place]) === undefined;
  });
  assert.deepEqual(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("imports never go round, those of types neither", () => {
  const next = Map.groupBy(INNER, ({ from }) => from);
  const done = new Set<string>();
  const visit = (file: string, path: string[]) => {
    const at = path.indexOf(file);
    assert.ok(at < 0, `a circle: ${[...path.slice(at), file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of FILES) visit(file, []);
});

/** What programs import by URL, with all that it needs. */
function graphByUrl(): ReadonlySet<string> {
  const graph = new Set<string>();
  const visit = (file: string) => {
    if (graph.has(file)) return;
    graph.add(file);
    for (const { to } of IMPORTS.filter(({ from }) => from === file)) {
      assert.ok(FILES.includes(to), `${file} imports ${to}`);
      visit(to);
    }
  };
  for (const door of ["client.ts", "motion.ts"]) visit(door);
  assert.ok(graph.size > 30, `${graph.size} files`);
  return graph;
}

// Node's own modules, which open connections in Node and Bun, are asked for at run time
// (src/client/link/runtime.ts) and so in no import, a dynamic one neither: a page could not load them, and a
// bundler would look for them.
Deno.test("imports of what programs import by URL are relative ones", () => {
  graphByUrl();
});

Deno.test("imports by URL bring TypeScript that Node runs as it is: its types can be blanked out", () => {
  for (const file of graphByUrl()) {
    const text = Deno.readTextFileSync(new URL(file, ROOT));
    assert.doesNotThrow(() => stripTypeScriptTypes(text), file);
  }
});
