// Reads what `deno test` prints of one file. Pure.

/** A test, or a step of one, that took a while. */
export interface SlowTest {
  name: string;
  seconds: number;
}

/** How the tests of a file went. */
export interface Outcome {
  /** Whether it came to its end: a file that can't be loaded, or ends its process, does not. */
  isComplete: boolean;
  passed: number;
  failed: number;
  /** Names of tests and steps that were not run. */
  ignored: string[];
  /** Tests that took a second or more; of those with steps, the steps. */
  slow: SlowTest[];
  /** What the file says it leaves out: its lines that begin with "SKIPPED". */
  remarks: string[];
}

const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/gm;
const RESULT =
  /^( *)(\S.*) \.\.\. (ok|FAILED|ignored)(?: .*)? \((?:(\d+)m)?(?:(\d+)s)?(?:\d+(?:ms|µs|ns))?\)$/gm;

/** Reads the output, without colours. */
export function readOutcome(text: string): Outcome {
  const [summary] = [...text.matchAll(SUMMARY)].slice(-1); // a test may print such a line, too
  const outcome: Outcome = {
    isComplete: summary !== undefined,
    passed: Number(summary?.[1] ?? 0),
    failed: Number(summary?.[2] ?? 0),
    ignored: [],
    slow: [],
    remarks: text.match(/^SKIPPED.*$/gm) ?? [],
  };
  let hasSteps = false;
  for (const [, indent, name, result, minutes, restSeconds] of text.matchAll(RESULT)) {
    const seconds = 60 * Number(minutes ?? 0) + Number(restSeconds ?? 0);
    if (result === "ignored") outcome.ignored.push(name);
    else if (seconds > 0 && (indent !== "" || !hasSteps)) outcome.slow.push({ name, seconds });
    hasSteps = indent !== "";
  }
  return outcome;
}
