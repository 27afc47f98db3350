// What private messages cost: sessions in one room, each of which sends so many a second, every one to
// another member. Prints settings, then a row for each server: the relay, perhaps that of another checkout,
// and bare Deno, which reads and writes as many packets and does nothing else: nothing in Deno costs less.
// Server and load are a process each. Run it with: deno task bench:private --help

import { parseArgs } from "node:util";
import { readCount, runCommand } from "./command.ts";
import { median } from "./median.ts";
import { MESSAGE_BYTES, type PrivateOrder, type PrivateResult } from "./private_load.ts";
import { type Server, sourceCommand, startPairs, startRelay, V8_FLAGS } from "./relay_process.ts";

const HELP = `bench/private.ts: measures what private messages cost

USAGE: deno task bench:private [options]

  --members N       sessions in the room (100)
  --rate N          messages a second of each (100)
  --batch N         how many a member writes at once; several times for several (1 and 10)
  --seconds N       measured time (5), after as much warm-up as V8 needs
  --rounds N        how often each server is measured, by turns; medians are printed (3)
  --before FOLDER   another checkout, measured beside this one
  --json            print the results as JSON
Exit code: 0, or 1 if a message did not arrive exactly once and in order, or 2 for wrong options.`;

const WARMUP_MS = 3000;
const ARGUMENTS = ["0", "--quiet", "--host", "127.0.0.1"];

interface Options {
  members: number;
  rate: number;
  batches: number[];
  seconds: number;
  rounds: number;
  before: string | null;
  json: boolean;
}

interface Contender {
  name: string;
  isRelay: boolean;
  start(): Promise<Server>;
}

function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      members: { type: "string" },
      rate: { type: "string" },
      batch: { type: "string", multiple: true },
      seconds: { type: "string" },
      rounds: { type: "string" },
      before: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  const rate = readCount(values.rate, "rate", 1, 100);
  const batches = (values.batch ?? ["1", "10"]).map((text) => readCount(text, "batch", 1, 1));
  const odd = batches.find((batch) => rate % batch !== 0);
  if (odd !== undefined) throw new RangeError(`Cannot use --batch "${odd}": it divides --rate, ${rate}`);
  return {
    members: readCount(values.members, "members", 2, 100),
    rate,
    batches,
    seconds: readCount(values.seconds, "seconds", 1, 5),
    rounds: readCount(values.rounds, "rounds", 1, 3),
    before: values.before ?? null,
    json: values.json ?? false,
  };
}

function contenders(before: string | null): Contender[] {
  const relay = (name: string, folder?: string): Contender => ({
    name,
    isRelay: true,
    start: () => startRelay(sourceCommand(folder, [V8_FLAGS]), ARGUMENTS, "null"),
  });
  return [
    relay("eventrelay"),
    ...(before === null ? [] : [relay("eventrelay, before", before)]),
    { name: "bare Deno", isRelay: false, start: () => startPairs(MESSAGE_BYTES) },
  ];
}

async function measure(
  { isRelay, start }: Contender,
  batch: number,
  options: Options,
): Promise<PrivateResult> {
  await using server = await start();
  const { members, rate, seconds } = options;
  const { port, pid } = server;
  const order: PrivateOrder = {
    port,
    pid,
    isRelay,
    members,
    rate,
    batch,
    warmupMs: WARMUP_MS,
    ms: seconds * 1000,
  };
  const script = decodeURIComponent(new URL("private_load.ts", import.meta.url).pathname);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "-A", script, JSON.stringify(order)],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot run the load: it ended with code ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function row(name: string, batch: number, results: readonly PrivateResult[], bareCpu: number): string {
  const of = (
    key: "cpuShare" | "cpuUs" | "loadCpuShare" | "p50Ms" | "p99Ms" | "perSecond" | "writesPerSecond",
  ) => median(results.map((result) => result[key]));
  const cells = [
    name.padEnd(20),
    String(batch).padStart(5),
    of("perSecond").toFixed(0).padStart(8),
    `${(100 * of("cpuShare")).toFixed(1)} %`.padStart(8),
    of("cpuUs").toFixed(1).padStart(7),
    (of("cpuUs") / bareCpu).toFixed(2).padStart(8),
    of("writesPerSecond").toFixed(0).padStart(8),
    of("p50Ms").toFixed(2).padStart(7),
    of("p99Ms").toFixed(2).padStart(7),
    `${(100 * of("loadCpuShare")).toFixed(0)} %`.padStart(6),
    results.map(({ cpuUs }) => cpuUs.toFixed(1)).join(" "),
  ];
  return cells.join("  ");
}

const HEAD =
  "server                batch     per s       CPU  us each  to bare   reads/s  p50 ms  p99 ms    load  us each, by rounds";

async function run(options: Options): Promise<number> {
  const { members, rate, batches, seconds, rounds, before, json } = options;
  const all = contenders(before);
  if (!json) {
    console.log(
      `members   ${members}, each ${rate} messages a second, every one to another member, 100 bytes`,
    );
    console.log(
      `machine   ${navigator.hardwareConcurrency} cores for server and load; Deno ${Deno.version.deno}`,
    );
    console.log(
      `runs      ${rounds} of ${seconds} s, by turns; CPU in shares of a core${
        before === null ? "" : `; before: ${before}`
      }`,
    );
    console.log(`reads/s   what all members read: a read for each packet, if they are not slow\n\n${HEAD}`);
  }
  const results = new Map<string, PrivateResult[]>();
  const of = (name: string, batch: number) => results.get(`${name} ${batch}`) ?? [];
  for (const batch of batches) {
    for (let round = 0; round < rounds; round++) {
      for (const each of all) {
        const result = await measure(each, batch, options);
        results.set(`${each.name} ${batch}`, [...of(each.name, batch), result]);
      }
    }
    const bareCpu = median(of("bare Deno", batch).map(({ cpuUs }) => cpuUs));
    if (!json) { for (const { name } of all) console.log(row(name, batch, of(name, batch), bareCpu)); }
  }
  if (json) console.log(JSON.stringify(Object.fromEntries(results), null, 2));
  const faults = [...results.values()].flat().reduce((sum, { faults }) => sum + faults, 0);
  if (faults > 0) console.error(`${faults} messages were lost, doubled or out of order`);
  return faults === 0 ? 0 : 1;
}

if (import.meta.main) await runCommand({ help: HELP, readOptions, run });
