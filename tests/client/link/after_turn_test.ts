// Tests src/client/link/after_turn.ts in both its forms: with setImmediate, and as in a browser, which has
// none.

import assert from "node:assert/strict";

const MODULE = new URL("../../../src/client/link/after_turn.ts", import.meta.url).href;

/**
 * A program that ends by itself, if nothing that waits keeps it alive. It prints in which order things came.
 */
const PROGRAM = `
  const { afterThisTurn } = await import(MODULE);
  const seen = [];
  const note = (what) => () => seen.push(what);
  afterThisTurn(note("first"));
  afterThisTurn(note("prevented"))();
  queueMicrotask(() => afterThisTurn(note("third")));
  let cancelFourth;
  afterThisTurn(() => {
    seen.push("second");
    cancelFourth();
    afterThisTurn(() => {
      seen.push("next turn");
      setTimeout(() => console.log(seen.join(", ")), 50);
    });
    throw new Error("reported");
  });
  cancelFourth = afterThisTurn(note("prevented by the one before"));
  globalThis.addEventListener?.("error", (event) => { event.preventDefault(); seen.push(event.error.message); });
  Promise.resolve().then(note("microtask"));
`;

for (const [form, prelude] of [["setImmediate", ""], ["messages", "delete globalThis.setImmediate;"]]) {
  Deno.test(`afterThisTurn by ${form} calls in order, after microtasks, and lets a program end`, async () => {
    const program = PROGRAM.replace("MODULE", JSON.stringify(MODULE));
    // What is thrown in an immediate is uncaught, and reported by the runtime in its own way.
    const text = form === "messages" ? program : program.replace(`throw new Error("reported")`, "");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=js", prelude + text],
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(20_000),
    });
    const { code, stdout, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const reported = form === "messages" ? ", reported" : "";
    assert.equal(
      new TextDecoder().decode(stdout),
      `microtask, first, second${reported}, third, next turn\n`,
    );
  });
}
