// What each signal does to the relay. None whose default is death ends it without a word: it stops in order,
// logs its status, or says that it was ignored. Left alone are those of a fault of the program itself
// (SIGSEGV, SIGBUS, …), SIGKILL and SIGSTOP, which nobody can catch, and those by which a shell suspends and
// resumes.

import type { LogFunction } from "../relay/relay.ts";

/** What the program does when it is told. */
export interface SignalActions {
  /** Stops in order. */
  stop(): void;
  /** Stops at once. */
  exit(): void;
  /** Logs how it is. */
  status(): void;
}

/** Stop in order. A second one of these stops at once: somebody is waiting. */
const ENDS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGABRT"];

/**
 * Stop in order, however many come: a terminal that goes away, or a shutdown, sends several; the rest mean
 * that there isn't much time.
 */
const CALLS_TO_END: readonly Deno.Signal[] = ["SIGHUP", "SIGPWR", "SIGXCPU", "SIGBREAK"];

/**
 * Ask how it is. Deno 2.9.2 and newer, run from source, also opens its debugger on SIGUSR1, so there is a
 * second one.
 */
const QUESTIONS: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2"];

/**
 * Mean nothing to a relay. SIGXFSZ comes with a write to a log that is as long as it may be, which fails by
 * itself.
 */
const IGNORED: readonly Deno.Signal[] = [
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGSTKFLT",
  "SIGXFSZ",
  "SIGEMT",
];

/** How far apart the log lines about one ignored signal are at least, in ms. */
const LOG_IGNORED_MS = 60_000;

/** Listens to every signal from now on. */
export function handleSignals(log: LogFunction, { stop, exit, status }: SignalActions): void {
  // Asked first: Deno itself takes SIGHUP when it is asked for any signal.
  const mayHangUp = !isHangupIgnored();
  let isStopping = false, isImpatient = false;
  const end = (signal: Deno.Signal) => {
    if (isStopping) return;
    isStopping = true;
    log("info", "stopping", { signal });
    stop();
  };
  for (const signal of ENDS) {
    listen(signal, () => {
      if (isImpatient) return exit();
      isImpatient = true;
      end(signal);
    });
  }
  const isCall = (signal: Deno.Signal) => signal !== "SIGHUP" || mayHangUp;
  for (const signal of CALLS_TO_END) if (isCall(signal)) listen(signal, () => end(signal));
  for (const signal of QUESTIONS) listen(signal, status);
  for (const signal of mayHangUp ? IGNORED : [...IGNORED, "SIGHUP" as const]) {
    let toldAt = -Infinity;
    listen(signal, () => {
      if (performance.now() - toldAt < LOG_IGNORED_MS) return;
      toldAt = performance.now();
      log("warn", "signal ignored", { signal });
    });
  }
}

function listen(signal: Deno.Signal, listener: () => void): void {
  try {
    Deno.addSignalListener(signal, listener);
  } catch {
    // This system has no such signal.
  }
}

/**
 * Whether whoever started the program wants it to outlive its terminal: `nohup` has SIGHUP ignored, and
 * shells name the command that they ran in `_`. What is ignored stands in a file that Deno shows only to
 * programs that may do everything, hence the second way.
 */
function isHangupIgnored(): boolean {
  try {
    if (isGranted({ name: "env", variable: "_" }) && /(^|\/)nohup$/.test(Deno.env.get("_") ?? "")) {
      return true;
    }
    const path = "/proc/self/status";
    return isGranted({ name: "read", path }) && readIgnored(Deno.readTextFileSync(path), 1);
  } catch {
    return false; // nobody can tell
  }
}

/** Whether the program may, without a question to the operator. */
function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/** Reads from the text of /proc/self/status whether the signal with a number is ignored. */
function readIgnored(status: string, number: number): boolean {
  const match = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status);
  return match !== null && (BigInt(`0x${match[1]}`) >> BigInt(number - 1) & 1n) === 1n;
}
