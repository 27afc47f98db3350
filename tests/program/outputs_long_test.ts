// Holds the program against a system that lets its user start no more: threads included. What that takes
// here are seconds in which nothing happens. The list of threads is that of Linux.

import assert from "node:assert/strict";
import { pause } from "../support/pause.ts";
import { FROM_SOURCE, Program } from "../support/program.ts";

/** The runtime ends a thread that was idle for 10 s. */
const IDLE_MS = 13_000;

Deno.test({
  name: "server.ts needs no new thread for its log after a long silence",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using program = new Program(FROM_SOURCE, ["0", "--host", "127.0.0.1"]);
    await program.port();
    const threads = () => Array.from(Deno.readDirSync(`/proc/${program.pid}/task`), ({ name }) => name);
    await pause(IDLE_MS);
    const before = new Set(threads());
    program.signal("SIGALRM");
    await program.logs(/ warn signal ignored signal=SIGALRM\n/);
    assert.deepEqual(threads().filter((thread) => !before.has(thread)), []);
  },
});
