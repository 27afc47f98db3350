// Tests src/client/link/open_transport.ts where the client can't run: what an old Node or browser lacks is
// taken away here.

import assert from "node:assert/strict";
import { connect } from "../../../client.ts";

const OLD_BROWSER =
  "Cannot connect to localhost:1: this browser is too old, Chrome 119, Firefox 121, Safari 17.4 and newer will do";

for (
  const [what, process, message] of [
    [
      "Node",
      { versions: { node: "20.20.2" } },
      /^Cannot connect to localhost:1: this is Node 20\.20\.2, 22\.3 or newer/,
    ],
    ["browser", undefined, new RegExp(`^${OLD_BROWSER}$`)],
  ] as const
) {
  Deno.test(`connect says that a ${what} is too old, and does not try again`, async () => {
    const own = Object.getOwnPropertyDescriptors(globalThis).process;
    const { withResolvers } = Promise;
    Object.defineProperty(globalThis, "process", { value: process, configurable: true });
    Reflect.deleteProperty(Promise, "withResolvers");
    let error: unknown;
    try {
      error = await connect("localhost:1", { retry: true }).then(() => undefined, (error) => error);
    } finally {
      Promise.withResolvers = withResolvers;
      Object.defineProperty(globalThis, "process", own);
    }
    assert.ok(error instanceof Error);
    assert.match(error.message, message);
  });
}
