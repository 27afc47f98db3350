// What every command of bench/ does around its work: help, one line for wrong options, one line for a
// failure, exit codes.

/** A command: what it says of itself, how it reads its arguments, and what it does. */
export interface Command<Options> {
  help: string;
  /**
   * Reads the arguments; null if they ask for help.
   *
   * @throws {TypeError} for a flag that doesn't exist.
   * @throws {RangeError} for a value out of range, and for flags that exclude each other.
   */
  readOptions(args: string[]): Options | null;
  /** Does the work and returns the exit code. */
  run(options: Options): Promise<number>;
}

/**
 * Carries out a command and sets the exit code: 2 for wrong options, 1 for a failure, else what it returns.
 */
export async function runCommand<Options>(
  { help, readOptions, run }: Command<Options>,
  args: string[] = Deno.args,
): Promise<void> {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    // parseArgs goes on to explain how an argument can begin with a dash.
    console.error(`${error.message.split(/\. |\n/)[0]}. Try --help`);
    Deno.exitCode = 2;
    return;
  }
  if (options === null) return console.log(help);
  try {
    Deno.exitCode = await run(options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
}

/** Which numbers a flag takes. */
export interface NumberRange {
  least: number;
  /** Any from `least` on, unless given. */
  most?: number;
  isWhole?: boolean;
}

/**
 * Reads the number of a flag, `fallback` where there is none.
 *
 * @throws {RangeError} where it isn't a number of the range.
 */
export function readNumber<Fallback>(
  text: string | undefined,
  name: string,
  { least, most = Infinity, isWhole = false }: NumberRange,
  fallback: Fallback,
): number | Fallback {
  if (text === undefined) return fallback;
  const value = Number(text);
  const isRight = isWhole ? Number.isInteger(value) : Number.isFinite(value);
  if (text.trim() === "" || !isRight || value < least || value > most) {
    const kind = isWhole ? "whole number" : "number";
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new RangeError(`Cannot use --${name} ${JSON.stringify(text)}: it is a ${kind} ${range}`);
  }
  return value;
}

/** Reads the whole number of a flag, as {@link readNumber} does. */
export function readCount<Fallback>(
  text: string | undefined,
  name: string,
  least: number,
  fallback: Fallback,
): number | Fallback {
  return readNumber(text, name, { least, isWhole: true }, fallback);
}
