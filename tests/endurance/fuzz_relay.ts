// Runs hostile clients against a relay in its own process, some at a time, with witnesses beside them that
// must not notice. A relay that answers late, loses something, passes on what is no JSON, or says anything
// but its log, has failed.

import { mixSeed } from "../../bench/motion/random.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { HostileClient } from "./hostile_client.ts";
import { RelayProcess } from "./relay_process.ts";
import { HANG_MS, Witnesses } from "./witnesses.ts";

/** Cases at a time. */
const AT_ONCE = 20;
/** How long a case may take; it ends its connections then. */
const CASE_MS = 1500;

/** The folder whose files are asked for, too. */
const FOLDER = new URL("../../docs/", import.meta.url).pathname;

/** What went wrong, and which cases were under way or had just been. */
export interface Finding {
  what: string;
  cases: number[];
}

/** What a run of cases has come to. */
export interface Course {
  cases: number;
  /** The most memory there was. */
  peakMib: number;
  finding?: Finding;
  /** How many cases ended how, where that says something. */
  outcomes: Record<string, number>;
}

/**
 * Runs cases until the time is over or something is found. `nextCase` gives the number of each, undefined to
 * stop.
 */
export async function fuzzRelay(
  seed: number,
  maxRssMib: number,
  nextCase: () => number | undefined,
): Promise<Course> {
  await using relay = await new RelayProcess(["--web", FOLDER]).start();
  const recent: { index: number; endedAtMs: number }[] = [];
  let finding: Finding | undefined;
  const find = (what: string) => {
    const nowMs = performance.now();
    finding ??= {
      what,
      cases: recent.filter((one) => one.endedAtMs > nowMs - 2 * HANG_MS).map(({ index }) => index),
    };
  };
  const watch = new Witnesses(relay, maxRssMib, find);
  await watch.start();
  let cases = 0;
  const worker = async () => {
    for (let index = nextCase(); index !== undefined && finding === undefined; index = nextCase()) {
      const entry = { index, endedAtMs: Infinity };
      recent.push(entry);
      if (recent.length > 200) recent.shift();
      const enough = AbortSignal.timeout(CASE_MS);
      await new HostileClient(seededRandom(mixSeed(seed, index)), relay.port, enough, find).run();
      entry.endedAtMs = performance.now();
      cases++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await watch.stop();
  return { cases, peakMib: watch.peakMib, finding, outcomes: {} };
}
