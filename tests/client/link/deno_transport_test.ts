// Tests src/client/link/deno_transport.ts: what TCP does behind the seam.

import assert from "node:assert/strict";
import { parseTarget } from "../../../src/client/target.ts";
import { openTcp } from "../../../src/client/link/deno_transport.ts";
import { pause } from "../../support/pause.ts";

Deno.test("openTcp reads what comes, writes, ends its half, and sees the end of the other", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = parseTarget(`127.0.0.1:${listener.addr.port}`);
  const transport = await openTcp(target, new AbortController().signal);
  using conn = await listener.accept();
  await conn.write(new TextEncoder().encode("hello"));
  assert.equal(new TextDecoder().decode((await transport.read())!), "hello");
  assert.equal(await transport.write(new TextEncoder().encode("bye")), 3);
  await transport.endWriting();
  const buffer = new Uint8Array(10);
  assert.equal(await conn.read(buffer), 3);
  assert.equal(await conn.read(buffer), null);
  await conn.closeWrite();
  assert.equal(await transport.read(), null);
  transport.close();
  transport.close();
});

Deno.test("openTcp's close makes a pending read reject", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = parseTarget(`127.0.0.1:${listener.addr.port}`);
  const transport = await openTcp(target, new AbortController().signal);
  using _ = await listener.accept();
  const read = assert.rejects(transport.read());
  transport.close();
  await read;
});

Deno.test("openTcp rejects with the reason of its signal", async () => {
  const reason = new Error("enough");
  await assert.rejects(openTcp(parseTarget("ifilab100"), AbortSignal.abort(reason)), reason);
});

for (const isFirst of ["the connection", "the abort"] as const) {
  Deno.test(`openTcp's connection is closed once when it is aborted in that very turn, ${isFirst} first`, async () => {
    const { connect } = Deno;
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Deno.TcpConn>();
    let closes = 0;
    const close = () => {
      if (++closes > 1) throw new Deno.errors.BadResource("Bad resource ID"); // as Deno does
    };
    const conn = { setNoDelay() {}, close } as unknown as Deno.TcpConn;
    try {
      Deno.connect = (() => promise) as unknown as typeof Deno.connect;
      const opening = openTcp(parseTarget("ifilab100"), abort.signal);
      const acts = [() => resolve(conn), () => abort.abort(new Error("enough"))];
      for (const act of isFirst === "the connection" ? acts : acts.reverse()) act();
      await opening.then((transport) => transport.close(), () => {});
      await pause();
      assert.equal(closes, 1);
    } finally {
      Deno.connect = connect;
    }
  });
}
