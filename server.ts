// The program: reads flags, listens, serves, reacts to signals, and chooses the exit code. What it serves is
// src/relay/relay.ts; what it understands is src/program/flags.ts.

import config from "./deno.json" with { type: "json" };
import { checkFolder, hasIndex, OperatorError, readToken } from "./src/program/files.ts";
import { helpText, readCommand, type ServerOptions } from "./src/program/flags.ts";
import { listen } from "./src/program/listen.ts";
import { joinHostPort } from "./src/relay/address.ts";
import type { BoundListener } from "./src/program/tls_listener.ts";
import { complain, openLog, print } from "./src/program/output.ts";
import { handleSignals } from "./src/program/signals.ts";
import { logMembers, logStatus, logStatusWhenNew } from "./src/program/status.ts";
import { type RelayServer, serve } from "./src/relay/relay.ts";

/**
 * The exit codes: stopped in order; stopped at once, or nobody takes what was asked for; what the operator
 * can put right.
 */
const EXIT_OK = 0, EXIT_FAILURE = 1, EXIT_USAGE = 2;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const command = readCommand(Deno.args, (name) => Deno.env.get(name), environmentNames());
  switch (command.kind) {
    case "help":
      return await answer(helpText(config.version));
    case "version":
      return await answer(`eventrelay ${config.version}\n`);
    case "refuse":
      return await refuse(command.message);
    case "serve":
      return await run(command.options, command.warnings);
  }
}

async function run(options: ServerOptions, warnings: string[]): Promise<void> {
  const { log, flush } = openLog(options);
  const stopped = Promise.withResolvers<void>();
  let relay: RelayServer | undefined = undefined;
  // First, because already what is logged at the start may bring one: the log's file may be full.
  handleSignals(log, {
    stop: stopped.resolve,
    exit: () => void flush().then(() => Deno.exit(EXIT_FAILURE)),
    status: () => void (relay && logMembers(relay, log)),
  });
  let listener: BoundListener, folder = "", { token } = options.relay;
  try {
    if (options.tokenFile !== undefined) token = readToken(options.tokenFile);
    if (options.relay.webFolder) folder = checkFolder(options.relay.webFolder);
    listener = await listen(options);
  } catch (error) {
    if (error instanceof OperatorError) return await refuse(error.message);
    throw error;
  }
  for (const warning of warnings) log("warn", warning);
  const { host, tls } = options, name = clientTarget(host, listener.addr.port);
  const allowedHosts = [...options.relay.allowedHosts ?? [], ...ownNames(), host.toLowerCase()];
  relay = serve(listener, { ...options.relay, token, name, allowedHosts, log });
  if (options.relay.servesWeb) {
    log("info", "pages", { url: `${tls ? "https" : "http"}://${name}/`, ...folder === "" ? {} : { folder } });
    if (folder !== "" && !hasIndex(folder)) {
      log("warn", "no index.html in the folder: / is the relay's own page");
    }
  }
  const stopStatus = logStatusWhenNew(relay, log);

  // Last, because whoever started the program may send a signal as soon as it says that it is ready. Nothing
  // waits for it: a stdout that takes nothing is no reason not to serve.
  void print(readyLines(options.host, listener.addr.port)).then((fault) => {
    if (fault !== undefined) log("warn", "cannot write to stdout", { error: fault });
  });
  await Promise.race([stopped.promise, relay.finished]);
  stopStatus();
  await relay.close();
  logStatus(relay, log);
  await flush();
  Deno.exit(EXIT_OK);
}

/** Prints what was asked for. */
async function answer(text: string): Promise<void> {
  const fault = await print(text);
  if (fault === undefined) return;
  await complain(`eventrelay: Cannot write to stdout: ${fault}`);
  Deno.exit(EXIT_FAILURE);
}

/** Refuses to start: one line for the operator. */
async function refuse(message: string): Promise<void> {
  await complain(`eventrelay: ${message} (try --help)`);
  Deno.exit(EXIT_USAGE);
}

/** Names what is in the environment, if the program may look. */
function environmentNames(): string[] {
  const { state } = Deno.permissions.querySync({ name: "env" });
  return state === "granted" ? Object.keys(Deno.env.toObject()) : [];
}

/** Says that it is ready, and what clients connect to. */
function readyLines(host: string, port: number): string {
  const ready = `eventrelay ${config.version} listening on ${joinHostPort(host, port)}\n`;
  return /^(127\.|::1$|localhost$)/.test(host)
    ? `${ready}only programs on this machine can connect, to ${clientTarget(host, port)}\n`
    : `${ready}clients on other machines connect to ${clientTarget(host, port)}\n`;
}

/** What clients connect to. */
function clientTarget(host: string, port: number): string {
  const isAnyAddress = host === "0.0.0.0" || host === "::";
  return joinHostPort(isAnyAddress ? Deno.hostname() : host, port);
}

/**
 * The names of this machine, under which pages may be asked for: its own, and the one in the network without
 * a name server.
 */
function ownNames(): string[] {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  if (state !== "granted") return [];
  const name = Deno.hostname().toLowerCase();
  return [name, `${name.split(".")[0]}.local`];
}
