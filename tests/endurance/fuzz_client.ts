// Runs hostile relays against client.ts, many at a time. The clients are in a worker (fuzz_client_worker.ts);
// here is who looks at how they bear it: whether they throw, hang, send without an end or take too much
// memory.

import { mixSeed } from "../../bench/motion/random.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import type { Answer, Question } from "./fuzz_client_worker.ts";
import type { Course, Finding } from "./fuzz_relay.ts";
import { HostileRelay } from "./hostile_relay.ts";
import { Starvation } from "./starvation.ts";

/** Cases at a time; most of their time they wait. */
const AT_ONCE = 40;
/** How long the worker may be busy with anything, in ms. */
const HANG_MS = 3000;
const ASK_MS = 200;
/**
 * A case is not blamed for taking its time when the machine has kept this program waiting for so long, in ms.
 */
const MAX_STARVED_MS = 300;
/** How long a case may take in all; longer than everything a client may wait for. */
const CASE_MS = 30_000;

type Done = Extract<Answer, { kind: "done" }>;

/** Runs cases until the time is over or something is found. */
export async function fuzzClient(
  seed: number,
  maxMib: number,
  nextCase: () => number | undefined,
): Promise<Course> {
  const outcomes: Record<string, number> = {};
  const running = new Map<number, { index: number; resolve(answer: Done | undefined): void }>();
  let tickets = 0;
  let finding: Finding | undefined;
  let cases = 0, peakMib = 0;
  const find = (what: string, of?: number[]) => {
    finding ??= { what, cases: of ?? [...running.values()].map(({ index }) => index) };
    // Nobody may answer any more.
    if (of === undefined) { for (const { resolve } of running.values()) resolve(undefined); }
  };
  const worker = new Worker(new URL("fuzz_client_worker.ts", import.meta.url), { type: "module" });
  const ask = (question: Question) => worker.postMessage(question);
  const starvation = new Starvation(undefined, ASK_MS);
  let lastAliveMs = performance.now();
  let isAwake = false;
  worker.onerror = (event) => {
    event.preventDefault();
    find(`the worker failed: ${event.message}`);
  };
  worker.onmessage = ({ data }: { data: Answer }) => {
    isAwake = true;
    lastAliveMs = performance.now();
    if (data.kind === "done") running.get(data.ticket)?.resolve(data);
    else if (data.kind === "alive") {
      peakMib = Math.max(peakMib, data.mib);
      if (data.mib > maxMib) find(`the clients hold ${data.mib.toFixed(0)} MiB, ${maxMib} are allowed`);
    } else if (data.kind === "unhandled") find(`unhandled: ${data.what}`);
  };
  ask({ kind: "alive" });
  const watching = setInterval(() => {
    lastAliveMs += starvation.look();
    const silentMs = performance.now() - lastAliveMs;
    if (isAwake && silentMs > HANG_MS) find(`the client is busy for ${Math.round(silentMs)} ms`);
    ask({ kind: "alive" });
  }, ASK_MS);
  const play = async () => {
    for (let index = nextCase(); index !== undefined && finding === undefined; index = nextCase()) {
      const relay = await HostileRelay.listen(seededRandom(mixSeed(seed, index)));
      const { promise, resolve } = Promise.withResolvers<Done | undefined>();
      const ticket = ++tickets;
      running.set(ticket, { index, resolve });
      const starvedBeforeMs = starvation.totalMs;
      const timer = setTimeout(() => {
        find("the case does not end", [index]);
        resolve(undefined);
      }, CASE_MS);
      ask({ kind: "case", ticket, target: targetOf(relay), name: relay.victim, retry: relay.wantsRetry });
      const answer = await promise;
      clearTimeout(timer);
      running.delete(ticket);
      await relay.close();
      if (answer === undefined) return;
      cases++;
      outcomes[answer.outcome] = (outcomes[answer.outcome] ?? 0) + 1;
      const wasStarved = starvation.totalMs - starvedBeforeMs > MAX_STARVED_MS;
      const slow = wasStarved ? [] : [...answer.slow, ...relay.judgeOutcome(answer)];
      for (const what of [...answer.faults, ...relay.judge(answer), ...slow]) find(what, [index]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, play));
  clearInterval(watching);
  worker.terminate();
  return { cases, peakMib, finding, outcomes };
}

function targetOf({ port, transport }: HostileRelay): string {
  return `${transport === "websocket" ? "ws://" : ""}127.0.0.1:${port}/fuzz`;
}
