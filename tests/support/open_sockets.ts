// The TCP sockets of this process, as Linux knows them: whether one was really closed, whatever the objects
// around it say.

import assert from "node:assert/strict";
import { DEADLINE_MS } from "./deadline.ts";
import { pause } from "./pause.ts";

/** The state of a socket that listens. */
const LISTEN = "0A";

/**
 * Counts the connected sockets of this process whose end here, or the other one, is at a port of 127.0.0.1.
 */
export function countSockets(end: "local" | "remote", port: number): number {
  const inodes = new Set<string>();
  for (const line of Deno.readTextFileSync("/proc/self/net/tcp").split("\n").slice(1)) {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || state === LISTEN) continue;
    const address = end === "local" ? local : remote;
    if (parseInt(address.split(":")[1], 16) === port) inodes.add(`socket:[${inode}]`);
  }
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (inodes.has(Deno.readLinkSync(`/proc/self/fd/${name}`))) count++;
    } catch {
      // It was closed meanwhile.
    }
  }
  return count;
}

/** Waits until there are so many. */
export async function untilSockets(end: "local" | "remote", port: number, count: number): Promise<void> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  for (let open = countSockets(end, port); open !== count; open = countSockets(end, port)) {
    assert.ok(performance.now() < giveUpAt, `${open} sockets are open, not ${count}`);
    await pause(10);
  }
}
