// The fuzzer as a program: hostile clients against the relay, then a hostile relay against client.ts, each
// for half of the time. Cases are numbered and follow from the seed: even numbers go to the relay, odd ones
// to the client.

import { anySeed, flagsOrExit } from "./flags.ts";
import { fuzzClient } from "./fuzz_client.ts";
import { type Finding, fuzzRelay } from "./fuzz_relay.ts";

const HELP =
  `deno task fuzz: sends to the relay and to client.ts what nobody should, and looks how they bear it

USAGE: deno task fuzz [--seconds N] [options]

  --seconds N     how long, half of it in each direction (20)
  --seed S        what is sent follows from it (another one each time; it is printed)
  --only I        only case I, ten times: even cases go to the relay, odd ones to client.ts
  --first I       begin with case I (0)
  --max-memory N  the most MiB that the relay may have resident, and that the clients may hold (600)
  --help

Exit code: 0, or 1 with what was found and the cases that were under way, or 2 for wrong options.`;

/** The cases that are named, the newest of those that may have been it. */
const MAX_SHOWN = 30;
/** Times that one case is repeated. */
const REPEATS = 10;

/** What is to be done. */
export interface FuzzOptions {
  seconds: number;
  seed: number;
  only?: number;
  first?: number;
  maxMib?: number;
  /** Takes a line about what goes on. Default: nothing is said. */
  say?(line: string): void;
}

/** Fuzzes in both directions, and returns what was found. */
export async function runFuzz(options: FuzzOptions): Promise<Finding[]> {
  const { seconds, seed, only, first = 0, maxMib = 600, say = () => {} } = options;
  const findings: Finding[] = [];
  for (const [parity, name, fuzz] of [[0, "relay", fuzzRelay], [1, "client", fuzzClient]] as const) {
    if (only !== undefined && only % 2 !== parity) continue;
    const next = only === undefined
      ? casesFor(seconds / 2, first + (first + parity) % 2)
      : Array(REPEATS).fill(only)[Symbol.iterator]();
    const { cases, peakMib, finding, outcomes } = await fuzz(seed, maxMib, () => next.next().value);
    const list = Object.entries(outcomes).map(([outcome, count]) => `, ${count} ${outcome}`).join("");
    say(`${name}: ${cases} cases${list}, at most ${peakMib.toFixed(0)} MiB`);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

/** Every other number, as long as there is time. */
function* casesFor(seconds: number, first: number): Generator<number, undefined> {
  const endMs = performance.now() + seconds * 1000;
  for (let index = first; performance.now() < endMs; index += 2) yield index;
  return undefined;
}

if (import.meta.main) {
  const flags = flagsOrExit("fuzz", HELP, {
    seconds: { value: 20, least: 1, most: 1e6 },
    seed: anySeed(),
    only: { value: -1, least: -1, most: 2 ** 31, isWhole: true },
    first: { value: 0, least: 0, most: 2 ** 31, isWhole: true },
    "max-memory": { value: 600, least: 50, most: 1e6 },
  });
  console.log(`seed ${flags.seed}`);
  const findings = await runFuzz({
    ...flags,
    only: flags.only < 0 ? undefined : flags.only,
    maxMib: flags["max-memory"],
    say: (line) => console.log(line),
  });
  for (const { what, cases } of findings) {
    console.log(`FOUND ${what}`);
    const shown = cases.slice(-MAX_SHOWN).join(" ");
    console.log(`  deno task fuzz --seed ${flags.seed} --only one of ${shown}`);
  }
  Deno.exit(findings.length === 0 ? 0 : 1);
}
