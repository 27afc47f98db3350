// The native programs for tests, built once by each test file's process into a folder that goes with it.

import { buildPrograms, type Programs } from "../../bench/peers/native.ts";
import { findProgram } from "./needed_program.ts";

let built: Promise<Programs & { folder: string }> | undefined;

/** Says whether this machine can build them. */
export function isBuildable(): boolean {
  return Deno.build.os === "linux" && findProgram(["cc"]) !== undefined;
}

export function programs(): Promise<Programs & { folder: string }> {
  built ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "eventrelay_native_test_" });
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await Deno.chmod(folder, 0o755);
    return { folder, ...await buildPrograms(folder) };
  })();
  return built;
}
