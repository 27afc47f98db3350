// The p5.js that many courses use, as a file beside a page: where .ci/run puts it, or else fetched by npm.
// Both its lines are in use.

import { CI_CACHE, isFile } from "./needed_program.ts";

const VERSIONS = ["1.11.10", "2.3.4"];

/**
 * For each version that is here: a name for a test of it, and the file. What is missing is said as NOT
 * TESTED.
 */
export function p5Versions(page: string): { name: string; script: string }[] {
  return VERSIONS.flatMap((version) => {
    const script = `${CI_CACHE}/p5-${version}/node_modules/p5/lib/p5.min.js`;
    if (isFile(script) || fetched(version) && isFile(script)) {
      return [{ name: `${page} with p5 ${version}`, script }];
    }
    const name = `NOT TESTED, no p5 ${version}: ${page}`;
    console.error(name);
    Deno.test({ name, ignore: true, fn: () => {} });
    return [];
  });
}

function fetched(version: string): boolean {
  const args = ["install", "--silent", "--no-save", "--prefix", `${CI_CACHE}/p5-${version}`, `p5@${version}`];
  try {
    return new Deno.Command("npm", { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false; // there is no npm
  }
}
