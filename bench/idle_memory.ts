// Where the memory of idle connections is: embeds the relay, lets a process of its own open more and more
// connections, and prints what each adds: objects that are alive (after a garbage collection), buffers, what
// V8 keeps beyond them, the C heap, code. The same of WebSockets; and of bare Deno, which accepts and reads,
// and knows nothing of its connections. Needs Linux. Run it with: deno run -A bench/idle_memory.ts --help

import { parseArgs } from "node:util";
import { runCommand } from "./command.ts";
import { HANDSHAKE } from "./isolation/web_bytes.ts";
import { sleep } from "./load_crowd.ts";
import { countOpenFiles, type Mappings, parseSmaps } from "./process_stats.ts";
import { V8_FLAGS } from "./relay_process.ts";

const HELP = `bench/idle_memory.ts: shows where the memory of idle connections is

USAGE: deno run -A bench/idle_memory.ts [FOLDER]      (two minutes; needs Linux)

FOLDER: another checkout, measured beside this one`;

/** How many connections are held before anything is counted, and after each step; a step is one burst. */
const [WARM, STEPS] = [200, [1000, 2000, 4000]];
/**
 * The server that only accepts and reads, in the place of a folder, and the buffer that it reads into: as
 * large as the relay's first.
 */
const [BARE, BARE_BUFFER_BYTES] = ["bare", 1024];
/** Time for the relay to have all, and to have decided what they are. */
const SETTLE_MS = 1000;

interface Reading {
  connections: number;
  memory: Deno.MemoryUsage;
  mappings: Mappings;
}

type Kind = "tcp" | "websocket";

/** In a process of its own: holds connections to a port, as many as each line of stdin says. */
async function hold(port: number, kind: Kind): Promise<void> {
  const held: Deno.Conn[] = [];
  const decoder = new TextDecoder(), answer = new Uint8Array(1024);
  const handshake = new TextEncoder().encode(HANDSHAKE);
  for await (const bytes of Deno.stdin.readable) {
    const count = Number(decoder.decode(bytes));
    while (held.length < count) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      held.push(conn);
      if (kind === "tcp") continue;
      await conn.write(handshake);
      const n = await conn.read(answer) ?? 0;
      if (!decoder.decode(answer.subarray(0, n)).startsWith("HTTP/1.1 101 ")) {
        throw new Error("Cannot hold a WebSocket: the relay did not open it");
      }
    }
  }
}

/** What a connection costs in this runtime at the least: it is accepted and read from. */
async function serveBare(listener: Deno.TcpListener): Promise<void> {
  const read = async (conn: Deno.TcpConn) => {
    const buffer = new Uint8Array(BARE_BUFFER_BYTES);
    while (await conn.read(buffer) !== null);
  };
  for await (const conn of listener) void read(conn);
}

/**
 * In a process of its own: embeds the relay of a checkout, or the bare server, and prints readings as JSON.
 */
async function measure(folder: string, kind: Kind): Promise<void> {
  const { serve } = folder === BARE ? { serve: serveBare } : await import(`${folder}/src/relay/relay.ts`);
  const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 };
  const listener = Deno.listen(options);
  serve(listener);
  const clients = run(["--hold", String(listener.addr.port), kind]).spawn();
  const orders = clients.stdin.getWriter();
  const readings: Reading[] = [];
  const openFiles = countOpenFiles(Deno.pid)!;
  for (const connections of [WARM, ...STEPS]) {
    await orders.write(new TextEncoder().encode(`${connections}\n`));
    while (countOpenFiles(Deno.pid)! < openFiles + connections) await sleep(50);
    await sleep(SETTLE_MS);
    const mappings = parseSmaps(Deno.readTextFileSync("/proc/self/smaps"));
    const { rss } = Deno.memoryUsage();
    (globalThis as unknown as { gc(): void }).gc();
    readings.push({ connections, mappings, memory: { ...Deno.memoryUsage(), rss } });
  }
  console.log(JSON.stringify(readings));
  clients.kill("SIGKILL");
  Deno.exit(0);
}

function run(args: string[]): Deno.Command {
  const script = decodeURIComponent(new URL(import.meta.url).pathname);
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "--no-check",
      `${V8_FLAGS},--expose-gc`,
      script,
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
}

async function print(name: string, folder: string, kind: Kind = "tcp"): Promise<void> {
  const child = run(["--measure", folder, kind]).spawn();
  await child.stdin.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("Cannot measure memory: the relay's process failed, see above");
  const readings: Reading[] = JSON.parse(new TextDecoder().decode(stdout));
  console.log(`\n${name}: bytes for each connection\n`);
  console.log("| connections | objects alive | buffers | all of V8's heap | malloc | code | resident, all |");
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const [index, after] of readings.slice(1).entries()) {
    const before = readings[index];
    const each = (pick: (reading: Reading) => number) =>
      Math.round((pick(after) - pick(before)) / (after.connections - before.connections));
    const figures = [
      each(({ memory }) => memory.heapUsed),
      each(({ memory }) => memory.external),
      each(({ memory }) => memory.heapTotal),
      each(({ mappings }) => mappings.mallocKib * 1024),
      each(({ mappings }) => mappings.fileKib * 1024),
      each(({ memory }) => memory.rss),
    ];
    console.log(`| ${before.connections + 1} to ${after.connections} | ${figures.join(" | ")} |`);
  }
}

function readOptions(args: string[]): { other: string | null } | null {
  const { values, positionals } = parseArgs({
    args,
    strict: true,
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help) return null;
  if (positionals.length > 1) {
    throw new RangeError(`Cannot measure "${positionals[1]}": one folder is allowed`);
  }
  return { other: positionals[0] ?? null };
}

async function printAll({ other }: { other: string | null }): Promise<number> {
  const folders: Record<string, string> = {
    eventrelay: decodeURIComponent(new URL("..", import.meta.url).pathname),
  };
  if (other !== null) folders[other] = await Deno.realPath(other);
  for (const [name, folder] of Object.entries(folders)) {
    await print(name, folder);
    await print(`${name}, WebSocket`, folder, "websocket");
  }
  await print("bare Deno", BARE);
  return 0;
}

const [mode, argument, kind] = Deno.args;
if (mode === "--hold") await hold(Number(argument), kind as Kind);
else if (mode === "--measure") await measure(argument, kind as Kind);
else await runCommand({ help: HELP, readOptions, run: printAll });
