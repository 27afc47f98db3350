// The other runtimes that the client runs in, where .ci/run puts them: Node 22 and 24, and Bun. Installs
// nothing itself.

import { CI_CACHE, findProgram } from "./needed_program.ts";

/** A runtime by its name, and its program if it is installed here. */
export interface Runtime {
  name: string;
  program: string | undefined;
}

/** All of them, also those that are missing. */
export const RUNTIMES: readonly Runtime[] = [
  { name: "Node 22", program: find("node-22", "node", /^v22\./) },
  { name: "Node 24", program: find("node-24", "node", /^v24\./) },
  { name: "Bun", program: find("bun", "bun", /^1\./) },
];

/** Looks where .ci/run installs, and then for a program of the right version in the PATH. */
function find(folder: string, program: string, version: RegExp): string | undefined {
  const installed = findProgram([], `${CI_CACHE}/${folder}/node_modules/.bin/${program}`);
  if (installed !== undefined) return installed;
  const common = findProgram([program]);
  if (common === undefined) return undefined;
  const { stdout } = new Deno.Command(common, { args: ["--version"], stdin: "null", stderr: "null" })
    .outputSync();
  return version.test(new TextDecoder().decode(stdout)) ? common : undefined;
}
