// The server under test: a relay started for one run and stopped after it, or somebody else's that is already
// there.

/** How long a relay may take until it says that it listens, and to end after SIGTERM. */
const READY_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 5_000;
const READY_LINE = /^eventrelay \S+ listening on (\S+):(\d+)$/m;
/** What the bare relay prints: its port. */
const BARE_READY_LINE = /^(\d+)$/m;

/** A server that is listening. */
export interface Server extends AsyncDisposable {
  readonly hostname: string;
  readonly port: number;
  /** Its process on this machine, null if unknown. */
  readonly pid: number | null;
  /** Time from starting the process to its ready line, null if it was already there. */
  readonly startMs: number | null;
}

/**
 * How the task "start" and the binary run V8: a small young generation, so that no collection of it takes
 * long, room for a thousand members before what is alive is marked, and no more garbage than is alive.
 */
export const V8_FLAGS =
  "--v8-flags=--max-semi-space-size=2,--initial-heap-size=32,--heap-growing-percent=100";

/**
 * Returns the command that runs the relay from a checkout: this one unless `folder` names another, which is
 * run without V8's flags unless they are given.
 */
export function sourceCommand(folder?: string, flags = folder === undefined ? [V8_FLAGS] : []): string[] {
  const server = new URL("../server.ts", import.meta.url);
  const path = folder === undefined ? decodeURIComponent(server.pathname) : `${folder}/server.ts`;
  return [
    Deno.execPath(),
    "run",
    "--no-lock",
    ...flags,
    "--allow-net",
    "--allow-env",
    "--allow-sys=hostname",
    path,
  ];
}

/** Returns a server that is not ours to stop. */
export function existingServer(hostname: string, port: number, pid: number | null): Server {
  return { hostname, port, pid, startMs: null, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * Starts `command` with `args` and waits for its ready line; what it logs goes to `stderr`. Disposing sends
 * SIGTERM and waits for the end. Rejects if the process ends, or says nothing, before it listens.
 */
export function startRelay(
  command: readonly string[],
  args: readonly string[],
  stderr: "inherit" | "null" = "inherit",
): Promise<Server> {
  return start([...command, ...args], READY_LINE, stderr);
}

/** Starts the relay that only copies, on which a load can warm itself up. */
export function startBareRelay(): Promise<Server> {
  const script = decodeURIComponent(new URL("peers/bare.ts", import.meta.url).pathname);
  return start([Deno.execPath(), "run", "--no-lock", "--allow-net", script], BARE_READY_LINE, "inherit");
}

/** Starts the server that passes on to one member what another one says, in pieces of `pieceBytes`. */
export function startPairs(pieceBytes: number): Promise<Server> {
  const script = decodeURIComponent(new URL("pairs.ts", import.meta.url).pathname);
  return start(
    [Deno.execPath(), "run", "--no-lock", "--allow-net", script, `${pieceBytes}`],
    BARE_READY_LINE,
    "inherit",
  );
}

/** Starts a command; what `readyLine` finds ends with the port, and may have the address before it. */
async function start(
  command: readonly string[],
  readyLine: RegExp,
  stderr: "inherit" | "null",
): Promise<Server> {
  const startedMs = performance.now();
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr,
  }).spawn();
  const stop = async () => {
    signal(child, "SIGTERM");
    const timer = setTimeout(() => signal(child, "SIGKILL"), STOP_DEADLINE_MS);
    await child.status;
    clearTimeout(timer);
  };
  const reader = child.stdout.getReader();
  const deadline = setTimeout(() => signal(child, "SIGKILL"), READY_DEADLINE_MS);
  const decoder = new TextDecoder();
  let text = "";
  let ready = null;
  while (ready === null) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    // Up to the last LF: the port may not be complete yet.
    ready = text.slice(0, text.lastIndexOf("\n") + 1).match(readyLine);
  }
  clearTimeout(deadline);
  if (ready === null) {
    const { code } = await child.status;
    throw new Error(
      `Cannot start the relay: "${command.join(" ")}" ended with code ${code} before it was listening`,
    );
  }
  const startMs = performance.now() - startedMs;
  // Whatever else it prints is read and dropped, so that it never waits for a full pipe.
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  const [hostname, port] = [ready.at(-2)!, ready.at(-1)];
  return {
    hostname: ready.length === 2 || hostname === "0.0.0.0" ? "127.0.0.1" : hostname,
    port: Number(port),
    pid: child.pid,
    startMs,
    async [Symbol.asyncDispose]() {
      await stop();
      await drained;
    },
  };
}

/** Sends a signal, if the process has not ended by itself. */
export function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself.
  }
}
