// Programs that some tests need and not every machine has: where they are, and what becomes of a test
// without.

/** The folder that .ci/run puts packages into. */
export const CI_CACHE = `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/eventrelay-ci`;

/** The first of some programs that can be started here. */
export function findProgram(names: readonly string[], preferred?: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const paths = names.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  return [...(preferred ? [preferred] : []), ...paths].find(isFile);
}

/** Whether there is such a file, and it is one. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Registers a test that needs a program. Where that is missing, the test is not passed over in silence: it is
 * named as NOT TESTED, on stderr and in the report.
 */
export function testWith(
  program: string | undefined,
  what: string,
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  if (program !== undefined) return Deno.test(name, fn);
  console.error(`NOT TESTED, ${what} is not installed here: ${name}`);
  Deno.test({ name: `NOT TESTED, no ${what}: ${name}`, ignore: true, fn });
}
