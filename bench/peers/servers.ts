// Starts servers and makes sure that each ends: when its run is over, when something fails, when the user
// interrupts. Knows no particular server.

import { sleep } from "../load_crowd.ts";
import { signal } from "../relay_process.ts";

/** A server that listens on the loopback device; disposing ends its process. */
export interface PeerServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** How long a server may take to listen, and to end after SIGTERM. */
const READY_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 3_000;
const POLL_MS = 10;
/** What is kept of a server's complaints, for the error that tells of its early end. */
const MAX_COMPLAINT_CHARS = 2_000;

const running = new Set<Deno.ChildProcess>();

/** Ends all processes at once, without waiting; for the end of the program itself. */
function killAll(): void {
  for (const child of running) signal(child, "SIGKILL");
}

/** Keeps a core busy with a process of its own; disposing ends it. */
export function startNeighbour(core: number): AsyncDisposable {
  const { child, stop } = launch(["taskset", "-c", String(core), "sh", "-c", "while :; do :; done"]);
  return { [Symbol.asyncDispose]: async () => (signal(child, "SIGKILL"), await stop()) };
}

/** Makes a process one that {@linkcode killAll} ends, until it has ended by itself. */
export function adopt(child: Deno.ChildProcess): void {
  running.add(child);
  child.status.then(() => running.delete(child));
}

/**
 * Starts a command that prints its port, in `folder` if one is given; `pattern` finds it in what it prints.
 */
export async function startOnOwnPort(
  command: readonly string[],
  pattern: RegExp,
  folder?: string,
): Promise<PeerServer> {
  const server = launch(command, folder);
  const port = await within(READY_DEADLINE_MS, server, () => {
    // Up to the last LF: the port may not be complete yet.
    const text = server.output().slice(0, server.output().lastIndexOf("\n") + 1);
    return Promise.resolve(Number(text.match(pattern)?.[1] ?? 0));
  });
  return { port, pid: server.child.pid, [Symbol.asyncDispose]: server.stop };
}

/** Returns a port that nobody listens on at the moment. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Starts a command on a port that was free a moment ago, and waits until it can be connected to. */
export async function startOnFreePort(
  commandFor: (port: number) => string[] | Promise<string[]>,
): Promise<PeerServer> {
  const port = freePort();
  const server = launch(await commandFor(port));
  await within(READY_DEADLINE_MS, server, async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return 1;
    } catch {
      return 0;
    }
  });
  return { port, pid: server.child.pid, [Symbol.asyncDispose]: server.stop };
}

interface Launched {
  child: Deno.ChildProcess;
  ended(): boolean;
  output(): string;
  stop(): Promise<void>;
}

function launch(command: readonly string[], folder?: string): Launched {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  adopt(child);
  let [text, ended] = ["", false];
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      if (text.length < MAX_COMPLAINT_CHARS) text += decoder.decode(bytes, { stream: true });
    }
  };
  const finished = Promise.all([child.status, follow(child.stdout), follow(child.stderr)]).then(() => {
    ended = true;
  });
  const stop = async () => {
    signal(child, "SIGTERM");
    const timer = setTimeout(() => signal(child, "SIGKILL"), STOP_DEADLINE_MS);
    await finished;
    clearTimeout(timer);
  };
  return { child, ended: () => ended, output: () => text, stop };
}

/**
 * Asks again and again until the answer isn't 0; stops the server and rejects if that takes too long, or if
 * it ends.
 */
async function within(deadlineMs: number, server: Launched, ask: () => Promise<number>): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer > 0) return answer;
    if (server.ended() || performance.now() - startMs > deadlineMs) {
      await server.stop();
      throw new Error(`Cannot start the server: it doesn't listen; it says "${server.output().trim()}"`);
    }
    await sleep(POLL_MS);
  }
}

/** Makes a folder that is gone with the program, however that ends, and with it all servers and loads. */
export async function makeTempFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "eventrelay_peers_" });
  // mosquitto gives up root and must still be able to read its settings.
  await Deno.chmod(path, 0o755);
  const interrupted = () => {
    killAll();
    Deno.removeSync(path, { recursive: true });
    Deno.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupted);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, interrupted);
      killAll();
      await Deno.remove(path, { recursive: true });
    },
  };
}
