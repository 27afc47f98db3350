// The peers that come from npm: Bun, and Node with packages. They are installed into a cache folder at first
// use, of pinned versions, by the machine's npm; nothing of them is part of the relay, and the gate doesn't
// run them.

/** What is installed, by name of the package. A new version is another folder. */
const PACKAGES = {
  "bun": "1.4.5",
  "node": "24.9.0",
  "ws": "8.23.0",
  // What the documentation of ws and of those that are built on it advises for speed.
  "bufferutil": "4.1.0",
  "socket.io": "4.8.4",
  "@colyseus/core": "0.18.17",
  "@colyseus/ws-transport": "0.18.4",
} as const;

export type Package = keyof typeof PACKAGES;

const RUNTIMES = { bun: "node_modules/bun/bin/bun.exe", node: "node_modules/node/bin/node" } as const;
const INSTALL_ARGS = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];

let installed: Promise<string | null> | undefined;

/** Names a package with its version. */
export function versionOfPackage(name: Package): string {
  return PACKAGES[name];
}

/**
 * Returns the folder where the packages are, installing them first if need be; null if that can't be done,
 * after saying why.
 */
export function npmFolder(): Promise<string | null> {
  return installed ??= install();
}

/** Returns the command that runs a script of bench/peers/websocket/, once its packages are installed. */
export function npmCommand(folder: string, runtime: keyof typeof RUNTIMES, script: string): string[] {
  const path = decodeURIComponent(new URL(`./websocket/${script}`, import.meta.url).pathname);
  return [`${folder}/${RUNTIMES[runtime]}`, path];
}

/** Names the folder for just these versions. */
async function cacheFolder(): Promise<string> {
  const root = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const bytes = new TextEncoder().encode(JSON.stringify(PACKAGES));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `${root}/eventrelay-bench/peers-${digest.subarray(0, 6).toHex()}`;
}

async function install(): Promise<string | null> {
  const folder = await cacheFolder();
  const done = `${folder}/installed`;
  try {
    await Deno.stat(done);
    return folder;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.error(`installing peers from npm into ${folder}`);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, dependencies: PACKAGES }, null, 2),
  );
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args: INSTALL_ARGS,
      cwd: folder,
      stdin: "null",
    }).output();
    if (success) {
      await Deno.writeTextFile(done, "");
      return folder;
    }
    console.error(`Cannot install peers from npm: ${new TextDecoder().decode(stderr).trim()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error("Cannot install peers from npm: npm is not installed");
  }
  return null;
}
