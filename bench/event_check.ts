// Measures what checking a line costs: endOfEvent against JSON.parse, for several kinds of lines in chunks as
// a session reads them. Run it with `deno run bench/event_check.ts`; compare ratios, for machines and hours
// differ.

import { parseArgs } from "node:util";
import { runCommand } from "./command.ts";
import { median } from "./median.ts";
import { endOfEvent } from "../src/wire/event_check.ts";

const CHUNK_BYTES = 64 * 1024;
const RUNS = 9;
const RUN_MS = 100;

const LF = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes the same numbers in every run, so that runs are comparable. */
let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32 * below;
}

const KINDS: Record<string, () => string> = {
  "game event": () =>
    `{"id":"ada-${100_000 + Math.floor(random(900_000))}","pos":[${random(640).toFixed(3)},${
      random(480).toFixed(3)
    }],"vel":[${(random(100) - 50).toFixed(2)},${(random(100) - 50).toFixed(2)}],"t":${
      random(1e7).toFixed(3)
    },"team":"blue"}`,
  "json.dumps": () =>
    `{"id": "bo-${Math.floor(random(1000))}", "pos": [${random(640)}, ${random(480)}], "on": true}`,
  "chat, not ASCII": () =>
    JSON.stringify({ from: "Jörg", say: "Größe 你好世界 🎈 façade Ωμέγα ".repeat(1 + random(3)) }),
  "escapes": () => JSON.stringify({ say: 'he said "hi\\there"\n'.repeat(1 + random(3)) }),
  "string of 10 KB": () => JSON.stringify("x".repeat(10_000)),
  "nested 1000 deep": () => "[".repeat(1000) + "]".repeat(1000),
};

/** Fills a chunk with whole lines. */
function makeChunk(makeLine: () => string): { chunk: Uint8Array; lines: number } {
  const parts: number[] = [];
  for (let lines = 0;; lines++) {
    const line = encoder.encode(makeLine() + "\n");
    if (parts.length + line.length > CHUNK_BYTES) return { chunk: Uint8Array.from(parts), lines };
    for (const byte of line) parts.push(byte);
  }
}

function check(chunk: Uint8Array): number {
  let lines = 0;
  for (let start = 0; start < chunk.length; lines++) {
    const lineEnd = endOfEvent(chunk, start, chunk.length);
    if (lineEnd < 0) throw new Error(`endOfEvent refuses the line at byte ${start}`);
    start = lineEnd + 1;
  }
  return lines;
}

/** Decodes the chunk once, then parses a slice for each line. */
function parseChunk(chunk: Uint8Array): number {
  const text = decoder.decode(chunk);
  let lines = 0;
  for (let start = 0; start < text.length; lines++) {
    const lineEnd = text.indexOf("\n", start);
    JSON.parse(text.slice(start, lineEnd));
    start = lineEnd + 1;
  }
  return lines;
}

/** Decodes and parses line by line. */
function parseLines(chunk: Uint8Array): number {
  let lines = 0;
  for (let start = 0; start < chunk.length; lines++) {
    const lineEnd = chunk.indexOf(LF, start);
    JSON.parse(decoder.decode(chunk.subarray(start, lineEnd)));
    start = lineEnd + 1;
  }
  return lines;
}

const WAYS = [check, parseChunk, parseLines];

/** Returns nanoseconds a line. */
function time(way: (chunk: Uint8Array) => number, chunk: Uint8Array): number {
  const start = performance.now();
  let lines = 0;
  let elapsedMs = 0;
  while (elapsedMs < RUN_MS) {
    lines += way(chunk);
    elapsedMs = performance.now() - start;
  }
  return elapsedMs * 1e6 / lines;
}

const HELP =
  `bench/event_check.ts: measures what the check of a line costs, beside JSON.parse, for several kinds of lines

USAGE: deno run bench/event_check.ts      (half a minute; there are no options)`;

function readOptions(args: string[]): Record<string, never> | null {
  return parseArgs({ args, strict: true, options: { help: { type: "boolean", short: "h" } } }).values.help
    ? null
    : {};
}

function run(): Promise<number> {
  console.log(`deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.target}`);
  console.log(`chunks of ${CHUNK_BYTES} bytes, medians of ${RUNS} runs of ${RUN_MS} ms, ways taken in turn`);
  console.log("ns/line; behind it, as multiples of endOfEvent in the same run\n");
  console.log("lines               bytes   endOfEvent   parse, chunk decoded   parse, line decoded");

  const chunks = Object.entries(KINDS).map(([kind, makeLine]) => ({ kind, ...makeChunk(makeLine) }));
  // Everything is seen before anything is measured: a relay is sent all kinds of lines, too.
  for (const { chunk } of chunks) for (const way of WAYS) time(way, chunk);

  for (const { kind, chunk, lines } of chunks) {
    const runs: number[][] = WAYS.map(() => []);
    for (let run = 0; run < RUNS; run++) WAYS.forEach((way, index) => runs[index].push(time(way, chunk)));
    const [checkNs, chunkNs, lineNs] = runs.map(median);
    const bytes = Math.round(chunk.length / lines) - 1;
    const ratio = (ns: number) => `${ns.toFixed(0).padStart(8)} (${(ns / checkNs).toFixed(1)}x)`;
    console.log(
      kind.padEnd(18) + String(bytes).padStart(7) + checkNs.toFixed(0).padStart(13) +
        ratio(chunkNs).padStart(23) + ratio(lineNs).padStart(22),
    );
  }
  return Promise.resolve(0);
}

await runCommand({ help: HELP, readOptions, run });
