// What the relay serves out of itself: pages, modules for browsers, sources for Deno, the Python clients;
// each with its type, its tag and who may use it. Where it stands in the repository, and under which path it
// is served.

import { createHash } from "node:crypto";
import { VERSION } from "../../wire/version.ts";
import { contentTypeOf } from "./content_types.ts";
import { EMBEDDED } from "./embedded.ts";

/** Something that never changes while the relay runs. */
export interface Resource {
  readonly bytes: Uint8Array;
  /** Quoted, as it stands in an ETag. */
  readonly tag: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What pages of the relay may do: load from the relay, and speak to it. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ASSETS = "src/relay/web/assets/", PYTHON = "example/python/";

/** The page that says what this is, and the folder of what pages are made of. */
export const LANDING = "/eventrelay/";

/** Under which a path never changes. */
const FOREVER = `/v${VERSION}/`;

const encoder = new TextEncoder();

/** All paths, and where what they mean stands. */
const FILES = new Map(Array.from(EMBEDDED.keys(), (file) => [pathOf(file), file]));

const made = new Map<string, Resource>();

/** Finds what is served under a path, as it stands in a request without its query. */
export function findResource(path: string): Resource | undefined {
  const isForever = path.startsWith(FOREVER);
  const file = FILES.get(isForever ? path.slice(FOREVER.length - 1) : path);
  if (file === undefined || isForever && !isModule(file)) return undefined;
  let resource = made.get(path);
  if (resource === undefined) made.set(path, resource = makeResource(file, isForever));
  return resource;
}

/**
 * The relay's own styles and scripts have a folder of their own, so that they hide nothing that a student
 * calls so, too.
 */
function pathOf(file: string): string {
  if (file.startsWith(PYTHON)) return `/python/${file.slice(PYTHON.length)}`;
  if (!file.startsWith(ASSETS)) return `/${file}`;
  const name = file.slice(ASSETS.length);
  if (name === "index.html") return LANDING;
  if (name.endsWith(".html")) return `/${name.slice(0, -5)}`;
  return /^(client|motion)\./.test(name) ? `/${name}` : LANDING + name;
}

function makeResource(file: string, isForever: boolean): Resource {
  const bytes = encoder.encode(EMBEDDED.get(file)!);
  const fields: Record<string, string> = { "Content-Type": contentTypeOf(file) };
  if (isForever) fields["Cache-Control"] = "public, max-age=31536000, immutable";
  if (file.endsWith(".html")) fields["Content-Security-Policy"] = PAGE_POLICY;
  if (isModule(file)) fields["Access-Control-Allow-Origin"] = "*";
  if (file.endsWith(".js") && EMBEDDED.has(file.replace(/js$/, "d.ts"))) {
    fields["X-TypeScript-Types"] = `./${file.slice(file.lastIndexOf("/") + 1).replace(/js$/, "d.ts")}`;
  }
  return { bytes, tag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`, fields };
}

/** Whether any page and any program may import it. */
function isModule(file: string): boolean {
  return /\.[jt]s$/.test(file);
}
