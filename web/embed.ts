// Lists the files that the relay carries in itself and serves: the sources of client.ts and motion.ts, the
// Python clients, and what is in src/relay/web/assets/. They are imported as text: that works from source
// without a permission to read, and in a compiled relay.
//
//   deno run -A web/embed.ts     writes src/relay/web/embedded.ts

const ROOT = new URL("../", import.meta.url);

/** Where the list stands. */
export const EMBEDDED = "src/relay/web/embedded.ts";

const MODULES = ["client.ts", "motion.ts"];
const FOLDERS = ["example/python/", "src/relay/web/assets/"];

/** Finds the files, as paths from the root: modules with all that they import, and folders. */
export function filesToEmbed(): string[] {
  const files = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const text = Deno.readTextFileSync(new URL(file, ROOT)).replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
    for (const [, specifier] of text.matchAll(/(?:^|\s|\})(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"\n]+)"/g)) {
      visit(new URL(specifier, new URL(file, ROOT)).href.slice(ROOT.href.length));
    }
  };
  for (const module of MODULES) visit(module);
  for (const folder of FOLDERS) {
    for (const { name, isFile } of Deno.readDirSync(new URL(folder, ROOT))) {
      if (isFile) files.add(folder + name);
    }
  }
  return [...files].sort();
}

/** Writes the module that imports them. */
export function embeddedModule(files: readonly string[]): string {
  const list = new URL(EMBEDDED, ROOT);
  const nameOf = (file: string) => file.replace(/[^A-Za-z0-9]/g, "_");
  const imports = files.map((file) =>
    `import ${nameOf(file)} from "${
      relative(list.pathname, new URL(file, ROOT).pathname)
    }" with { type: "text" };`
  );
  const entries = files.map((file) => `  ["${file}", ${nameOf(file)}],`);
  return `// Made by \`deno task bundle\`: the files that the relay serves out of itself, by their paths from the root.

${imports.join("\n")}

/** Their texts. */
export const EMBEDDED: ReadonlyMap<string, string> = new Map([
${entries.join("\n")}
]);
`;
}

function relative(from: string, to: string): string {
  const a = from.split("/").slice(0, -1), b = to.split("/");
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const path = [...a.slice(same).fill(".."), ...b.slice(same)].join("/");
  return path.startsWith(".") ? path : `./${path}`;
}

if (import.meta.main) await Deno.writeTextFile(new URL(EMBEDDED, ROOT), embeddedModule(filesToEmbed()));
