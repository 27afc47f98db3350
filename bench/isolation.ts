// What no client should be able to do: make another one wait. Measures a quiet pair of members, 100 events a
// second, in another room and in the same one, beside one hostile client after the other; prints settings,
// then a row for each. Relay, load and both pairs are a process each; the load gives way to the others
// (`nice -n 10`), as it would compete with relay and probe for two cores. Run it with: deno task
// bench:isolation --help

import { runCommand } from "./command.ts";
import { HELP, type Options, readOptions } from "./isolation/flags.ts";
import { type Kind, P99_GOAL_MS, roomOf, STORM_P99_GOAL_MS } from "./isolation/kinds.ts";
import type { LoadOrder } from "./isolation/load.ts";
import { Helper } from "./isolation/orders.ts";
import type { ProbeOrder } from "./isolation/probe.ts";
import {
  type LoadReport,
  missedGoals,
  type Outcome,
  type ProbeReport,
  tableHead,
  tableRow,
  wasDisturbed,
} from "./isolation/report.ts";
import { readCpuUs, readMemory, readWaitUs } from "./process_stats.ts";
import { sourceCommand, startRelay } from "./relay_process.ts";

const LOAD_NICENESS = Deno.build.os === "windows" ? 0 : 10;
/** The pair in the same room reads all of a flood: it must not hold up the one that is timed. */
const SAME_ROOM_NICENESS = Deno.build.os === "windows" ? 0 : 5;
/** A storm that goes on for longer is cut off. */
const LONGEST_STORM_MS = 15_000;
const REPORT_DEADLINE_MS = 10_000;
/** For each kind, so much time may go into measuring again what was disturbed, whichever kinds it was. */
const AGAIN_MS_PER_KIND = 800;
const ARGUMENTS = ["0", "--quiet", "--host", "127.0.0.1"];

async function measure(
  kind: Kind,
  relay: Outcome["relay"],
  folder: string | null,
  options: Options,
): Promise<Outcome> {
  // What it logs would stand between the rows.
  await using server = await startRelay(sourceCommand(folder ?? undefined), ARGUMENTS, "null");
  // Beside it one that nobody else is on: what the pair waits for that one, the machine makes it wait.
  await using idle = await startRelay(sourceCommand(folder ?? undefined), ARGUMENTS, "null");
  const { port, pid } = server;
  const helper = (name: string, order: LoadOrder | ProbeOrder, niceness: number) =>
    new Helper(new URL(`./isolation/${name}.ts`, import.meta.url), order, niceness);
  await using hostile = helper("load", { kind: kind.name, port, clients: options.clients }, LOAD_NICENESS);
  await using other = helper("probe", { port, room: "quiet", newcomers: true, idlePort: idle.port }, 0);
  await using same = helper("probe", { port, room: roomOf(kind), newcomers: false }, SAME_ROOM_NICENESS);
  const all = [other, same, hostile];
  await Promise.all(all.map((one) => one.said("ready")));

  const before = { cpu: readCpuUs(pid), wait: readWaitUs(pid) };
  const startedMs = performance.now();
  for (const one of all) await one.tell("go");
  await endOf(kind, hostile, options.seconds);
  const elapsedUs = (performance.now() - startedMs) * 1000;
  const after = { cpu: readCpuUs(pid), wait: readWaitUs(pid) };
  const [otherRoom, sameRoom, load] = await Promise.all([
    other.report<ProbeReport>(REPORT_DEADLINE_MS),
    same.report<ProbeReport>(REPORT_DEADLINE_MS),
    hostile.report<LoadReport>(REPORT_DEADLINE_MS),
  ]);
  const peakKib = readMemory(pid)?.peakKib;
  return {
    kind,
    relay,
    otherRoom,
    sameRoom,
    load,
    cpuShare: shareOf(before.cpu, after.cpu, elapsedUs),
    waitShare: shareOf(before.wait, after.wait, elapsedUs),
    peakMib: peakKib === undefined ? null : peakKib / 1024,
  };
}

function shareOf(fromUs: number | null, toUs: number | null, elapsedUs: number): number | null {
  return fromUs === null || toUs === null ? null : (toUs - fromUs) / elapsedUs;
}

/** Resolves when enough has been measured: a storm ends by itself, all else after a time. */
async function endOf(kind: Kind, hostile: Helper, seconds: number): Promise<void> {
  const enoughMs = kind.endsItself ? LONGEST_STORM_MS : Math.max(seconds, kind.leastSeconds ?? 0) * 1000;
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, enoughMs);
  await (kind.endsItself ? Promise.race([enough, hostile.said("done")]) : enough);
  clearTimeout(timer);
}

function settings({ relay, before, seconds, clients }: Options): Record<string, string> {
  return {
    relay: `${relay ?? "this checkout"}${
      before === null ? "" : `; before: ${before}`
    }; default options, anew for each row`,
    machine:
      `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores for relay, load and pairs`,
    deno: Deno.version.deno,
    priority: LOAD_NICENESS === 0
      ? "all the same"
      : `load nice -n ${LOAD_NICENESS}, pair in the same room nice -n ${SAME_ROOM_NICENESS}`,
    pair:
      "100 events a second, in another room and in the same one; idle p99: the same events, at the same time, " +
      "through a relay that nobody else is on; own p99: without a relay",
    load: `${clients} connections of each flood, ${seconds} s or longer; newcomers say hello every 0.4 s`,
    goals:
      `another room: p99 below ${P99_GOAL_MS} ms, storms ${STORM_P99_GOAL_MS} ms, nothing lost; same room: none untold`,
  };
}

async function run(options: Options): Promise<number> {
  const { kinds, relay, before, json } = options;
  if (options.isList) {
    for (const { name, what } of kinds) console.log(`${name.padEnd(15)} ${what}`);
    return 0;
  }
  if (!json) {
    for (const [name, value] of Object.entries(settings(options))) console.log(`${name.padEnd(9)} ${value}`);
    console.log(`\n${tableHead()}`);
  }
  const outcomes: Outcome[] = [];
  const show = (outcome: Outcome) => {
    if (!json) console.log(tableRow(outcome));
    return outcome;
  };
  let againMs = kinds.length * AGAIN_MS_PER_KIND;
  for (const kind of kinds) {
    if (before !== null) outcomes.push(show(await measure(kind, "before", before, options)));
    let outcome = show(await measure(kind, "this", relay, options));
    if (againMs > 0 && missedGoals(outcome).length > 0 && wasDisturbed(outcome)) {
      const startedMs = performance.now();
      outcome = show(await measure(kind, "again", relay, options));
      againMs -= performance.now() - startedMs;
    }
    outcomes.push(outcome);
  }
  const missed = outcomes.filter((one) => one.relay !== "before").flatMap((outcome) =>
    missedGoals(outcome).map((goal) => `${outcome.kind.name}: ${goal}`)
  );
  if (json) console.log(JSON.stringify({ settings: settings(options), outcomes, missed }, null, 2));
  else console.log(missed.length === 0 ? "\nall goals reached" : `\n${missed.join("\n")}`);
  return missed.length === 0 ? 0 : 1;
}

if (import.meta.main) await runCommand({ help: HELP, readOptions, run });
