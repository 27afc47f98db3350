// What to tell a program whose client module is of another version than its relay: Deno keeps what it
// imported by URL for ever, and a page that stays open keeps its module, too.

import { beginning, printable } from "../wire/untrusted.ts";
import { VERSION } from "../wire/version.ts";
import { runtime } from "./link/runtime.ts";

/** Where a client module is from. */
export interface ModuleOrigin {
  /** Its address; `undefined` where a bundler left none. */
  url: string | undefined;
  runtime: "deno" | "node" | "page";
  version: string;
}

/**
 * Says what to do about a relay of another version, and what one that says none ("") leaves undone;
 * `undefined` if nothing: they are the same, the module is a file that somebody chose, or was asked for by
 * its version (`/v0.2.0/client.ts`).
 */
export function versionNotice(
  relayVersion: string,
  { url, runtime, version }: ModuleOrigin,
): string | undefined {
  if (relayVersion === "") {
    return `the relay is older than client.ts, which is of version ${version}: it knows no hosts, no echo, no ` +
      "maxMembers, and no send() to some; request(), claim() and rooms() get no answer";
  }
  if (relayVersion === version || url === undefined || !/^https?:/.test(url)) return undefined;
  if (url.includes(`/v${version}/`)) return undefined;
  const what = `client.ts is of version ${version} and the relay of ${printable(beginning(relayVersion))}`;
  if (runtime === "page") return `${what}: load the page again, or let it import the relay's own /client.js`;
  // Without the last slash: with it, Deno takes the address for that of one module.
  const root = new URL(/\/src\/client\/[^/]*$/.test(url) ? "../../" : "./", url).href.slice(0, -1);
  return `${what}. Deno keeps what it has fetched once; get it anew with: deno run --reload=${root} …`;
}

/** How many versions of relays are noticed; a relay that has another one each time is none to warn of. */
const MAX_VERSIONS = 8;

/** The versions of relays that this program was told of: once each. */
const noticedVersions = new Set<string>();

/** Warns on the console of a relay of another version, once of each, where something can be done about it. */
export function noticeVersion(relayVersion: string): void {
  if (noticedVersions.has(relayVersion) || noticedVersions.size >= MAX_VERSIONS) return;
  noticedVersions.add(relayVersion);
  const origin = { url: import.meta.url as string | undefined, runtime: runtime(), version: VERSION };
  const notice = versionNotice(relayVersion, origin);
  if (notice !== undefined) console.warn(`eventrelay: ${notice}`);
}
