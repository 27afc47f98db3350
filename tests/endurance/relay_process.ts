// The relay as a process of its own, as users run it: started, killed and started again on the same port.
// Keeps what it says on stderr that is not its log, and reads how much memory it has.

import { readMemory } from "../../bench/process_stats.ts";
import { V8_FLAGS } from "../../bench/relay_process.ts";

const SERVER = new URL("../../server.ts", import.meta.url).pathname;
const READY_MS = 20_000;
/** Lines of stderr that are kept of one run. */
const MAX_ALARMS = 20;

/** A relay that is running, or between two runs. */
export class RelayProcess implements AsyncDisposable {
  readonly #args: readonly string[];
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<unknown> | undefined;
  #isEnding = false;
  port = 0;
  /** What it printed on stderr that is no line of its log, and that it ended unasked. */
  readonly alarms: string[] = [];

  /** @param args the relay's own arguments, without the port */
  constructor(args: readonly string[] = []) {
    this.#args = args;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How much memory is resident, in MiB; undefined while it is not running. */
  get rssMib(): number | undefined {
    const memory = this.#isEnding || this.pid === undefined ? null : readMemory(this.pid);
    return memory === null ? undefined : memory.rssKib / 1024;
  }

  /** Starts it, on the same port as before. */
  async start(): Promise<this> {
    this.#isEnding = false;
    const child = this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-A", V8_FLAGS, SERVER, String(this.port)].concat(
        ["--host", "127.0.0.1", "--log", "json"],
        this.#args,
      ),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const ready = Promise.withResolvers<number>();
    const timer = setTimeout(() => ready.reject(new Error("the relay did not start")), READY_MS);
    this.#reading = Promise.all([
      eachLine(child.stdout, (line) => {
        const match = /listening on \S+:(\d+)$/.exec(line);
        if (match !== null) ready.resolve(Number(match[1]));
      }),
      eachLine(child.stderr, (line) => {
        if (!isLogLine(line) && this.alarms.length < MAX_ALARMS) this.alarms.push(line.slice(0, 500));
      }),
      child.status.then(({ code, signal }) => {
        ready.reject(new Error(`the relay ended with code ${code}: ${this.alarms.join(" / ")}`));
        if (!this.#isEnding) this.alarms.push(`the relay ended with code ${code} (${signal})`);
      }),
    ]);
    try {
      this.port = await ready.promise;
    } finally {
      clearTimeout(timer);
    }
    return this;
  }

  /** Kills it, as a power cut would, and waits until it is gone. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    if (this.#child === undefined) return;
    this.#isEnding = true;
    try {
      this.#child.kill(signal);
    } catch { /* it has ended by itself */ }
    await this.#reading;
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Tells whether a line of stderr is one of the relay's log, and no complaint of the runtime. */
function isLogLine(line: string): boolean {
  if (line === "") return true;
  try {
    const { level, message } = JSON.parse(line);
    return typeof level === "string" && typeof message === "string";
  } catch {
    return false;
  }
}

/** Calls back for each line of a stream. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}
