// The program: reads flags, listens, serves, reacts to signals, and chooses the exit code. The only file that
// prints. What it serves is src/relay/relay.ts; what it understands is src/program/flags.ts.

import config from "./deno.json" with { type: "json" };
import { helpText, readCommand, type ServerOptions } from "./src/program/flags.ts";
import { createLogger } from "./src/program/logger.ts";
import { type LogFunction, type RelayServer, serve } from "./src/relay/relay.ts";

/** The exit code for what the operator can put right: a bad flag, a port in use. */
const EXIT_USAGE = 2;

/** How often a status line is logged, in ms, when something happened. */
const STATUS_MS = 60_000;

/** A mistake that the operator can put right. */
class OperatorError extends Error {}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const command = readCommand(Deno.args, (name) => Deno.env.get(name));
  switch (command.kind) {
    case "help":
      return console.log(helpText(config.version).trimEnd());
    case "version":
      return console.log(`eventrelay ${config.version}`);
    case "refuse":
      return refuse(command.message);
    case "serve":
      return await run(command.options);
  }
}

async function run(options: ServerOptions): Promise<void> {
  let listener: Deno.TcpListener | Deno.TlsListener, token: string | undefined;
  try {
    token = options.tokenFile === undefined
      ? options.relay.token
      : readFile("token", options.tokenFile).trim();
    if (token === "" && options.tokenFile !== undefined) {
      throw new OperatorError(`Cannot use token file ${JSON.stringify(options.tokenFile)}: it is empty`);
    }
    listener = listen(options);
  } catch (error) {
    if (error instanceof OperatorError) return refuse(error.message);
    throw error;
  }
  const log = createLogger(options.logFormat, options.logLevel, (line) => console.error(line));
  await using relay = serve(listener, { ...options.relay, token, log });
  const statusTimer = logStatusWhenNew(relay, log);
  // Deno 2.9.2 and newer, run from source, also opens its debugger on SIGUSR1, so there is a second signal.
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) onSignal(signal, () => logStatus(relay, log, true));
  const stopped = untilStopped(log);

  // Last, because whoever started the program may send a signal as soon as it says that it is ready.
  const { port } = listener.addr;
  console.log(`eventrelay ${config.version} listening on ${joinHostPort(options.host, port)}`);
  console.log(whatClientsConnectTo(options.host, port));
  await Promise.race([stopped, relay.finished]);
  clearInterval(statusTimer);
  await relay.close();
  logStatus(relay, log);
  Deno.exit(0);
}

/** Refuses to start: one line for the operator. */
function refuse(message: string): void {
  console.error(`eventrelay: ${message} (try --help)`);
  Deno.exit(EXIT_USAGE);
}

/** Listens on the first port that is free. */
function listen({ host, ports: [first, last], tls }: ServerOptions): Deno.TcpListener | Deno.TlsListener {
  const files = tls && { cert: readFile("certificate", tls.certFile), key: readFile("key", tls.keyFile) };
  for (let port = first; port <= last; port++) {
    try {
      if (files === undefined) return Deno.listen({ hostname: host, port });
      return Deno.listenTls({ hostname: host, port, ...files });
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse && port < last) continue;
      if (error instanceof Deno.errors.AddrInUse && first < last) {
        throw new OperatorError(
          `Cannot listen on a port of ${first}-${last}: all are in use, try another range`,
        );
      }
      throw new OperatorError(`Cannot listen on ${joinHostPort(host, port)}: ${explain(error)}`);
    }
  }
  throw new RangeError(`Cannot listen on ports ${first}-${last}: the range is empty`);
}

function readFile(what: string, name: string): string {
  try {
    return Deno.readTextFileSync(name);
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "deno was not allowed to, start it with --allow-read"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new OperatorError(`Cannot read ${what} file ${JSON.stringify(name)}: ${why}`);
  }
}

function explain(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is in use, try another one or a range such as 32000-33000";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "ports below 1024 need root, try 32000-33000";
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address, try --host 0.0.0.0";
  }
  if (error instanceof Deno.errors.NotCapable) return "deno was not allowed to, start it with --allow-net";
  return error instanceof Error ? error.message : String(error);
}

function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function whatClientsConnectTo(host: string, port: number): string {
  if (/^(127\.|::1$|localhost$)/.test(host)) {
    return `only programs on this machine can connect, to ${joinHostPort(host, port)}`;
  }
  const isAnyAddress = host === "0.0.0.0" || host === "::";
  return `clients on other machines connect to ${joinHostPort(isAnyAddress ? Deno.hostname() : host, port)}`;
}

/** Waits for a signal to stop. A second one exits at once. */
function untilStopped(log: LogFunction): Promise<void> {
  return new Promise((stop) => {
    let isStopping = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      onSignal(signal, () => {
        if (isStopping) Deno.exit(1);
        isStopping = true;
        log("info", "stopping", { signal });
        stop();
      });
    }
  });
}

function onSignal(signal: Deno.Signal, listener: () => void): void {
  const isKnown = Deno.build.os !== "windows" || signal === "SIGINT";
  if (isKnown) Deno.addSignalListener(signal, listener);
}

function logStatusWhenNew(relay: RelayServer, log: LogFunction): ReturnType<typeof setInterval> {
  let logged = "";
  return setInterval(() => {
    const { logBytes: _, ...counts } = relay.stats();
    const now = JSON.stringify(counts);
    if (now !== logged) logStatus(relay, log);
    logged = now;
  }, STATUS_MS);
}

/** Logs what happened since the start, and if `withMembers` a line for each member. */
function logStatus(relay: RelayServer, log: LogFunction, withMembers = false): void {
  const { members, receivedLines, sentLines, receivedBytes, sentBytes, skippedLines, errors } = relay.stats();
  log("info", "status", {
    members,
    in: receivedLines,
    out: sentLines,
    inBytes: receivedBytes,
    outBytes: sentBytes,
    skipped: skippedLines,
    errors,
  });
  if (!withMembers) return;
  for (const member of relay.connectionStats()) {
    log("info", "member", {
      address: member.address,
      ageS: Math.round(member.ageMs / 1000),
      behindBytes: member.behindBytes,
      behindMs: Math.round(member.behindMs),
      in: member.receivedLines,
      out: member.sentLines,
      skipped: member.skippedLines,
      errors: member.errors,
    });
  }
}
