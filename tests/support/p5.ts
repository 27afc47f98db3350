// The p5.js that many courses use, as a file beside a page: where .ci/run puts it, or else fetched by npm.
// Both its lines are in use.

const CACHE = `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/eventrelay-ci`;

const VERSIONS = ["1.11.10", "2.3.4"];

/**
 * For each version that is here: a name for a test of it, and the file. What is missing is said as NOT
 * TESTED.
 */
export function p5Versions(page: string): { name: string; script: string }[] {
  return VERSIONS.flatMap((version) => {
    const script = `${CACHE}/p5-${version}/node_modules/p5/lib/p5.min.js`;
    if (isThere(script) || fetched(version) && isThere(script)) {
      return [{ name: `${page} with p5 ${version}`, script }];
    }
    const name = `NOT TESTED, no p5 ${version}: ${page}`;
    console.error(name);
    Deno.test({ name, ignore: true, fn: () => {} });
    return [];
  });
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function fetched(version: string): boolean {
  const args = ["install", "--silent", "--no-save", "--prefix", `${CACHE}/p5-${version}`, `p5@${version}`];
  try {
    return new Deno.Command("npm", { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false; // there is no npm
  }
}
