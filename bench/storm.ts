// A lecture that comes back at once: how long it takes until so many clients that connect in the same moment
// are connected, and until each has its welcome, or hears the others where there is none. Beside the relay
// stand redis, nats-server, and bare Deno, which accepts, reads a line and writes an answer. Each server is
// started anew for each run and has served nobody before. Needs Linux and a C compiler. Run it with: deno
// task bench:storm --help

import { parseArgs } from "node:util";
import { readCount, runCommand } from "./command.ts";
import { allContenders } from "./peers/contenders.ts";
import type { Wire } from "./peers/contender.ts";
import { buildProgram } from "./peers/native.ts";
import { adopt, makeTempFolder, type PeerServer, startOnOwnPort } from "./peers/servers.ts";
import { sourceCommand, V8_FLAGS } from "./relay_process.ts";
import { medianStorm, type StormReport, stormRow, TABLE_HEAD } from "./storm/report.ts";

const HELP = `bench/storm.ts: measures a thousand clients that connect at once

USAGE: deno task bench:storm [options]      (about a minute)

  --clients N          how many connect (1000)
  --rounds N           runs of each server, of which medians are shown (5)
  --before FOLDER      another checkout of the relay, to compare with
  --help`;

const CLIENTS = 1000;
const ROUNDS = 5;

/** What bare Deno answers: a short line; and as much as a welcome has on average among 1,000. */
const BARE_ANSWERS = [300, 20_000];

/** The contenders of the comparison that take part. */
const PEERS = ["eventrelay, sessions", "eventrelay", "redis", "nats-server"];

interface Options {
  clients: number;
  rounds: number;
  before: string | null;
}

interface Stormed {
  name: string;
  wire: Wire;
  start(): Promise<PeerServer>;
}

function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      clients: { type: "string" },
      rounds: { type: "string" },
      before: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  return {
    clients: readCount(values.clients, "clients", 1, CLIENTS),
    rounds: readCount(values.rounds, "rounds", 1, ROUNDS),
    before: values.before ?? null,
  };
}

/** A server of this benchmark, which says hello as sessions do. */
function ownServer(name: string, file: string, ...args: string[]): Stormed {
  const script = decodeURIComponent(new URL(`storm/${file}`, import.meta.url).pathname);
  const command = [Deno.execPath(), "run", V8_FLAGS, "--no-lock", "--allow-net", script, ...args];
  return { name, wire: "sessions", start: () => startOnOwnPort(command, /^(\d+)$/m) };
}

/** All servers that are installed, in the order of the table. */
async function findServers(folder: string, before: string | null): Promise<Stormed[]> {
  const bare = BARE_ANSWERS.map((bytes) => ownServer(`bare Deno, ${bytes} bytes`, "bare.ts", String(bytes)));
  const least = ownServer("bare Deno, welcomes", "least.ts");
  const contenders = (relay: string[] | null) => allContenders({ relay, folder, limitProgram: "" });
  const found: Stormed[] = [];
  for (const { name, wire, start, version } of contenders(null)) {
    if (PEERS.includes(name) && await version() !== null) found.push({ name, wire, start });
  }
  if (before !== null) {
    const command = sourceCommand(await Deno.realPath(before), [V8_FLAGS]);
    for (const { name, wire, start } of contenders(command)) {
      if (name.startsWith("eventrelay") && PEERS.includes(name)) {
        found.push({ name: `${name}, before`, wire, start });
      }
    }
  }
  return [...found, least, ...bare];
}

async function storm(program: string, { wire, start }: Stormed, clients: number): Promise<StormReport> {
  await using server = await start();
  const args = [`wire=${wire}`, `port=${server.port}`, `pid=${server.pid}`, `clients=${clients}`];
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  adopt(child);
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot measure a storm: ${decoder.decode(stderr).trim()}`);
  return JSON.parse(decoder.decode(stdout));
}

async function run({ clients, rounds, before }: Options): Promise<number> {
  await using folder = await makeTempFolder();
  const program = await buildProgram(folder.path, "storm");
  const servers = await findServers(folder.path, before);
  const reports = new Map<string, StormReport[]>(servers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      reports.get(server.name)!.push(await storm(program, server, clients));
    }
  }
  console.log(`${clients} clients that connect at once, ${rounds} rounds in alternation, medians\n`);
  console.log(TABLE_HEAD);
  for (const [name, runs] of reports) console.log(stormRow(name, medianStorm(runs)));
  return [...reports.values()].flat().every(({ answered }) => answered === clients) ? 0 : 1;
}

await runCommand({ help: HELP, readOptions, run });
