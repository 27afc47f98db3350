// Tests of reading /proc: the parsing on texts, the reading on this process where there is a /proc.

import assert from "node:assert/strict";
import {
  parseBusyUs,
  parseCpuUs,
  parseMemory,
  parseSmaps,
  parseWaitUs,
  readCpuUs,
  readMemory,
  readWaitUs,
} from "../../bench/process_stats.ts";

Deno.test("parseCpuUs adds user and system time, whatever the command is called", () => {
  const rest = "S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 9 0 12345 1000 200";
  assert.equal(parseCpuUs(`77 (deno) ${rest}`), 1_750_000);
  assert.equal(parseCpuUs(`77 (a) b (c) ${rest}`), 1_750_000);
});

Deno.test("parseMemory finds resident memory and its peak, or nothing", () => {
  const status = "Name:\tdeno\nVmPeak:\t  999 kB\nVmHWM:\t   61000 kB\nVmRSS:\t   48000 kB\nThreads:\t9\n";
  assert.deepEqual(parseMemory(status), { rssKib: 48_000, peakKib: 61_000 });
  assert.equal(parseMemory("Name:\tzombie\nState:\tZ (zombie)\n"), null);
});

Deno.test("parseBusyUs adds all but idle and waiting, and no guest time twice", () => {
  assert.equal(parseBusyUs("cpu  1 2 3 1000 500 4 5 6 7 8\ncpu0 1 1 1\n"), 210_000);
});

Deno.test("parseWaitUs is the second number, and nothing where the kernel doesn't count", () => {
  assert.equal(parseWaitUs("1754968 19928284 2\n"), 19_928.284);
  assert.equal(parseWaitUs(""), null);
});

Deno.test("parseSmaps adds up what is resident, by kind", () => {
  const smaps = `55d0c0000000-55d0c1000000 r-xp 00000000 fe:00 1234                       /usr/bin/deno
Size:              16384 kB
Rss:                5000 kB
Pss:                4000 kB
55d0c2000000-55d0c3000000 rw-p 00000000 00:00 0                          [heap]
Rss:                 300 kB
7f0000000000-7f0000100000 rw-p 00000000 00:00 0
Rss:                  40 kB
7f0000200000-7f0000300000 rw-p 00000000 fe:00 99 /tmp/a file
Rss:                   7 kB
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
Rss:                   2 kB
`;
  assert.deepEqual(parseSmaps(smaps), { fileKib: 5007, mallocKib: 300, anonymousKib: 42, allKib: 5349 });
  assert.deepEqual(parseSmaps(""), { fileKib: 0, mallocKib: 0, anonymousKib: 0, allKib: 0 });
});

Deno.test({
  name: "readCpuUs and readMemory read this very process",
  ignore: Deno.build.os !== "linux",
  fn() {
    assert.ok(readCpuUs(Deno.pid)! > 0);
    assert.ok((readWaitUs(Deno.pid) ?? 0) >= 0);
    const memory = readMemory(Deno.pid)!;
    assert.ok(memory.rssKib > 1024 && memory.peakKib >= memory.rssKib);
  },
});

Deno.test("readCpuUs and readMemory know nothing of no process", () => {
  assert.equal(readCpuUs(null), null);
  assert.equal(readMemory(null), null);
});
