// Runs the tests, a process for each file and several at a time, and says what each file had to say once it
// is done, which files take long while they run, and which tests took longest.
//
// A file whose name ends with _long_test.ts starts browsers, other servers, the example or thousands of
// hostile clients, or goes on for long: it is run with --all, or where it is named, and then by itself.

import { readOutcome, type SlowTest } from "./support/test_outcome.ts";

const HELP = `deno task test: runs the tests

USAGE: deno task test [--all] [FILE or FOLDER …] [options of deno test]

  --all          the long ones, too: tests/**/*_long_test.ts
  FILE, FOLDER   only these, long or not
  --help

Exit code: 0, or 1 if a test failed, or 2 for what can't be run.`;

const LONG = "_long_test.ts";
const TEST = "_test.ts";

/**
 * How many files run at a time: most tests wait for a socket or a process rather than for a core. In the
 * gate, where nobody waits, one, so that no test has to hurry beside another.
 */
const JOBS = Deno.env.has("CI") ? 1 : 3 * navigator.hardwareConcurrency;

/** How long a file runs before it is named for that, and then again, in s. */
const LONG_S = 20;

/** How long a file may run, in s: a safety net, so that one that hangs ends, and is told. */
const LIMIT_S = 900;

/** How many of the slowest tests are named in the end, and how long one takes at least to be named, in s. */
const MOST_NAMED = 8;
const SLOW_S = 1;

interface Total {
  passed: number;
  failed: number;
  ignored: number;
  failedFiles: string[];
  slow: SlowTest[];
}

/** Finds the files with tests in a folder, in order; a file is itself. */
function testFilesIn(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) return testFilesIn(inner);
    return entry.isFile && entry.name.endsWith(TEST) ? [inner] : [];
  });
}

/** What is to be run, and what is not although it could be. */
interface Plan {
  short: string[];
  long: string[];
  leftOut: number;
  /** What each `deno test` is given besides its file. */
  options: string[];
}

/** Reads the arguments; throws what can't be run. */
function plan(args: string[]): Plan {
  const firstOption = args.findIndex((arg) => arg.startsWith("-") && arg !== "--all");
  const own = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption);
  const paths = own.filter((arg) => arg !== "--all").map((path) => path.replace(/\/+$/, ""));
  const files = (paths.length > 0 ? paths : ["tests"]).flatMap((path) => {
    try {
      const found = testFilesIn(path);
      if (found.length > 0) return found;
    } catch {
      // The same as a folder without tests.
    }
    throw new RangeError(
      `Cannot test ${JSON.stringify(path)}: it is no file and no folder with files *${TEST}`,
    );
  });
  const [short, long] = [
    files.filter((file) => !file.endsWith(LONG)),
    files.filter((file) => file.endsWith(LONG)),
  ];
  const isLeftOut = paths.length === 0 && !own.includes("--all");
  return { short, long: isLeftOut ? [] : long, leftOut: isLeftOut ? long.length : 0, options };
}

const running = new Map<string, { startMs: number; namedAtS: number }>();

function nameLongRunning(): void {
  for (const [file, state] of running) {
    const seconds = Math.floor((performance.now() - state.startMs) / 1000);
    if (seconds < state.namedAtS + LONG_S) continue;
    state.namedAtS = seconds;
    console.log(`…       ${seconds} s so far  ${file}`);
  }
}

/** Runs the tests of a file, says how that went, and adds it to the total. */
async function runFile(file: string, options: string[], total: Total): Promise<void> {
  const startMs = performance.now();
  running.set(file, { startMs, namedAtS: 0 });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", file, ...options],
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(1000 * LIMIT_S),
  }).output();
  running.delete(file);
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  const { isComplete, passed, failed, ignored, slow, remarks } = readOutcome(text);
  total.passed += passed;
  total.failed += code === 0 ? 0 : Math.max(1, failed);
  total.ignored += ignored.length;
  total.slow.push(...slow.map(({ name, seconds }) => ({ name: `${file}: ${name}`, seconds })));
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1).padStart(5);
  if (code !== 0) {
    total.failedFiles.push(file);
    console.log(`FAILED ${seconds} s  ${file}\n${text.trimEnd()}`);
    if (!isComplete) console.log(`its process ended with code ${code}`);
  } else if (passed + ignored.length > 0) {
    console.log(`ok     ${seconds} s  ${file}  ${passed} passed`);
    for (const remark of remarks) console.log(`       ${remark}`);
    for (const name of ignored) console.log(`       ignored: ${name}`);
  }
}

async function runAll({ short, long, leftOut, options }: Plan): Promise<Total> {
  const startMs = performance.now();
  const total: Total = { passed: 0, failed: 0, ignored: 0, failedFiles: [], slow: [] };
  const naming = setInterval(nameLongRunning, 1000);
  for (const [files, jobs] of [[short, JOBS], [long, 1]] as const) {
    const waiting = files.values();
    await Promise.all(Array.from({ length: jobs }, async () => {
      for (const file of waiting) await runFile(file, options, total);
    }));
  }
  clearInterval(naming);
  const slow = total.slow.filter(({ seconds }) => seconds >= SLOW_S).sort((a, b) => b.seconds - a.seconds);
  if (slow.length > 0) console.log("slowest:");
  for (const { name, seconds } of slow.slice(0, MOST_NAMED)) {
    console.log(`${`${seconds}`.padStart(10)} s  ${name}`);
  }
  for (const file of total.failedFiles) console.log(`FAILED ${file}`);
  const { passed, failed, ignored } = total;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(
    `${
      failed > 0 ? "FAILED" : "ok"
    } | ${passed} passed | ${failed} failed | ${ignored} ignored (${seconds} s)`,
  );
  if (leftOut > 0) {
    console.log(
      `left out: ${leftOut} of ${leftOut + short.length} files, *${LONG}; deno task test --all runs all`,
    );
  }
  return total;
}

if (Deno.args[0] === "--help" || Deno.args[0] === "-h") console.log(HELP);
else {
  try {
    Deno.exitCode = (await runAll(plan(Deno.args))).failed > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    Deno.exitCode = 2;
  }
}
