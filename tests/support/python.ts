// Whether this machine has the python3 that a test needs.

/** Returns whether there is a python3 in which `code` runs, such as an assertion about its version. */
export function hasPython(code: string): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", code] }).outputSync().success;
  } catch {
    return false;
  }
}
