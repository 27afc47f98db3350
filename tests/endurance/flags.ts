// Flags of the endurance programs: --name NUMBER and no others, --help, and one line with exit code 2 for
// what can't be used.

import { parseArgs } from "node:util";

/** What a flag may be: a default, the least and the most, and whether it is a whole number. */
export interface NumberFlag {
  value: number;
  least: number;
  most: number;
  isWhole?: boolean;
}

/** The seed of a run that is given none: another one each time, so it has to be printed. */
export function anySeed(): NumberFlag {
  return { value: Math.floor(Math.random() * 1_000_000), least: 0, most: 2 ** 32 - 1, isWhole: true };
}

/**
 * Reads flags that are all numbers.
 *
 * @throws {TypeError} for a flag that doesn't exist
 * @throws {RangeError} for a value out of range
 */
export function readNumbers<N extends string>(
  args: string[],
  flags: Record<N, NumberFlag>,
): Record<N, number> | null {
  const names = Object.keys(flags) as N[];
  const { values } = parseArgs({
    args,
    strict: true,
    allowPositionals: false,
    options: {
      help: { type: "boolean" as const, short: "h" },
      ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
    },
  });
  if (values.help) return null;
  const numbers = {} as Record<N, number>;
  for (const name of names) {
    const { value, least, most, isWhole = false } = flags[name];
    const text = (values as Record<string, unknown>)[name] as string | undefined;
    const number = text === undefined ? value : Number(text);
    if (
      !(number >= least && number <= most) || text?.trim() === "" || (isWhole && !Number.isInteger(number))
    ) {
      const kind = isWhole ? "a whole number" : "a number";
      throw new RangeError(
        `Cannot use --${name} ${JSON.stringify(text)}: ${kind} from ${least} to ${most} is allowed`,
      );
    }
    numbers[name] = number;
  }
  return numbers;
}

/** Reads flags for a program: prints its help or what is wrong, and exits, or returns the numbers. */
export function flagsOrExit<N extends string>(
  program: string,
  help: string,
  flags: Record<N, NumberFlag>,
): Record<N, number> {
  let numbers: Record<N, number> | null;
  try {
    numbers = readNumbers(Deno.args, flags);
  } catch (error) {
    console.error(`${program}: ${(error as Error).message.split("\n")[0]} (try --help)`);
    Deno.exit(2);
  }
  if (numbers !== null) return numbers;
  console.log(help.trim());
  Deno.exit(0);
}
