// How much memory the program's own objects take, for tests that hold something to its memory.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is in use after a collection, in bytes; what stands in buffers is not in it. */
export function heapBytes(): number {
  return collect().heapUsed;
}

/** The same, with what stands in buffers. */
export function heldBytes(): number {
  const { heapUsed, external } = collect();
  return heapUsed + external;
}

function collect(): Deno.MemoryUsage {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return Deno.memoryUsage();
}
