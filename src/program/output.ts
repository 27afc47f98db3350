// What the program prints: text for whoever started it on stdout, its log on stderr. Neither can stop it:
// what can't be written within a while is left out.

import { createLogger } from "./logger.ts";
import { LogWriter } from "./log_writer.ts";
import type { ServerOptions } from "./flags.ts";
import type { LogFunction } from "../relay/relay.ts";

/** How long the end of the program waits for what is still to be written, in ms. */
const LAST_WORDS_MS = 500;

/**
 * How often the runtime's thread for what blocks, such as writing, is given something to do, in ms: it ends
 * when it was idle for 10 s. The next write would start another, and where the system allows this user no more
 * (`ulimit -u`), the runtime ends the program. While there is one, all waits for it.
 */
const KEEP_THREAD_MS = 4000;

/** A log on stderr, and how to end it. */
export interface ProgramLog {
  log: LogFunction;
  /** Waits until everything is written, but not for long. */
  flush(): Promise<boolean>;
}

/** Makes the log that the program was asked for. */
export function openLog({ logFormat, logLevel }: Pick<ServerOptions, "logFormat" | "logLevel">): ProgramLog {
  const format = (write: (line: string) => void) => createLogger(logFormat, logLevel, write);
  const dropped = (count: number) => {
    let line = "";
    createLogger(logFormat, "debug", (text) => line = text)("warn", "log lines dropped", { count });
    return line;
  };
  const writer = new LogWriter(Deno.stderr, dropped);
  void keepThread();
  return { log: format(writer.write), flush: () => writer.flush(LAST_WORDS_MS) };
}

/** Writes nothing to stderr again and again, for as long as the program lives. */
async function keepThread(): Promise<void> {
  for (;;) {
    await Deno.stderr.write(new Uint8Array(0)).catch(() => {});
    await new Promise((done) => Deno.unrefTimer(setTimeout(done, KEEP_THREAD_MS)));
  }
}

/** Writes a line for the operator to stderr, if it takes it. */
export async function complain(line: string): Promise<void> {
  const writer = new LogWriter(Deno.stderr, () => "");
  writer.write(line);
  await writer.flush(LAST_WORDS_MS);
}

/**
 * Writes a text to stdout. Returns undefined, or why it couldn't; a reader that has closed it has what it
 * wanted.
 */
export async function print(text: string): Promise<string | undefined> {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
