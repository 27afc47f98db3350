// Runs all tests, several files side by side, and then says which took longest: deno task test [what deno test takes].
// Most tests wait for a socket or a process rather than for the processor, so more files run at a time than there are cores.

/** How many files run at a time: in the gate, where nobody waits, one, so that no test has to hurry beside another. */
const JOBS = Deno.env.has("CI") ? 1 : 4;

/** How many of the slowest tests are named, and how long one takes at least to be named, in s. */
const MOST_NAMED = 8;
const SLOW_S = 1;

const report = await Deno.makeTempFile({ prefix: "eventrelay_tests_", suffix: ".xml" });
try {
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", `--junit-path=${report}`, ...Deno.args],
    env: { DENO_JOBS: String(JOBS) },
    stdin: "null",
  }).spawn();
  const { code } = await tests.status;
  const slow = slowest(await Deno.readTextFile(report));
  if (slow.length > 0) console.log(`slowest: ${slow.join(" · ")}`);
  Deno.exitCode = code;
} finally {
  await Deno.remove(report);
}

/** Reads a report in JUnit's form. */
function slowest(xml: string): string[] {
  const cases = xml.matchAll(/<testcase name="([^"]*)" classname="([^"]*)" time="([\d.]+)"/g);
  return Array.from(cases, ([, name, file, time]) => ({ name, file, seconds: Number(time) }))
    .filter(({ seconds }) => seconds >= SLOW_S)
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, MOST_NAMED)
    .map(({ name, file, seconds }) =>
      `${seconds.toFixed(1)} s ${file.replace(/^.*\/tests\//, "")}: ${name.slice(0, 60)}`
    );
}
