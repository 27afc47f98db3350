// Tests src/client/link/deno_transport.ts: what is said of errors, and what TCP does behind the seam.

import assert from "node:assert/strict";
import { parseTarget } from "../../../src/client/target.ts";
import { connectError, ImpossibleError, isHopeless } from "../../../src/client/link/connect_error.ts";
import { openTcp } from "../../../src/client/link/deno_transport.ts";

const address = parseTarget("ifilab100");

const REASONS: [unknown, string][] = [
  [new Deno.errors.ConnectionRefused("x (os error 111)"), "connection refused, is the relay running there"],
  [new Deno.errors.TimedOut("x (os error 110)"), "no answer, is the host up and the port open"],
  [
    new DOMException("no answer within 10 s", "TimeoutError"),
    "no answer within 10 s, is the host up and the port open",
  ],
  [new Deno.errors.NotCapable("x"), "this program may not, run it with --allow-net=ifilab100:32100"],
  [new Deno.errors.PermissionDenied("x"), "this program may not, run it with --allow-net=ifilab100:32100"],
  [new Error("failed to lookup address information: x"), "no such host, is its name spelled right"],
  [new Error("No such host is known. (os error 11001)"), "no such host, is its name spelled right"],
  [
    Object.assign(new Error("No route to host"), { code: "EHOSTUNREACH" }),
    "no way leads to the host, is it up and is this machine on its network",
  ],
  [new Error("something else"), "something else"],
  ["no error at all", "no error at all"],
];

for (const [cause, reason] of REASONS) {
  Deno.test(`connectError says "${reason}" of ${cause}`, () => {
    const error = connectError(address, cause);
    assert.equal(error.message, `Cannot connect to ifilab100:32100: ${reason}`);
    assert.equal(error.cause, cause);
  });
}

Deno.test("isHopeless knows what trying again can't help", () => {
  assert.ok(isHopeless(new Deno.errors.NotCapable("x")));
  assert.ok(isHopeless(new ImpossibleError("there is no way")));
  assert.ok(!isHopeless(new Deno.errors.ConnectionRefused("x")));
  assert.ok(!isHopeless(undefined));
});

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
  await assert.rejects(openTcp(address, AbortSignal.abort(reason)), reason);
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
      const opening = openTcp(address, abort.signal);
      const acts = [() => resolve(conn), () => abort.abort(new Error("enough"))];
      for (const act of isFirst === "the connection" ? acts : acts.reverse()) act();
      await opening.then((transport) => transport.close(), () => {});
      await new Promise((done) => setTimeout(done));
      assert.equal(closes, 1);
    } finally {
      Deno.connect = connect;
    }
  });
}
