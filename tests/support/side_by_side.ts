// Tests that mostly wait, for programs and for seconds to pass: several of a file run at a time, as steps of
// one test.

interface Case {
  name: string;
  fn: () => Promise<void>;
  ignore: boolean;
}

/**
 * Returns what takes the place of `Deno.test` in a file whose tests share nothing: those that it is given run
 * as steps of the test `name`, `width` of them at a time. Whatever they leave open is found at the end of
 * all. One alone: `deno test -A FILE -- PART_OF_ITS_NAME`.
 */
export function sideBySide(name: string, width: number) {
  const cases: Case[] = [];
  Deno.test(name, async (t) => {
    const wanted = Deno.args.join(" ");
    const waiting = cases.filter(({ name }) => name.includes(wanted)).values();
    await Promise.all(Array.from({ length: width }, async () => {
      for (const step of waiting) {
        // Each is open while others begin and end: only all together can be looked at.
        await t.step({ ...step, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });
      }
    }));
  });
  return (test: string | { name: string; ignore?: boolean }, fn: () => Promise<void>): void => {
    const { name, ignore = false } = typeof test === "string" ? { name: test } : test;
    cases.push({ name, fn, ignore });
  };
}
