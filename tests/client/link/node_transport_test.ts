// Tests src/client/link/node_transport.ts over Deno's node:net: how a connection ends. In Node and Bun
// themselves it is tested by runtimes_long_test.ts.

import assert from "node:assert/strict";
import { openNode } from "../../../src/client/link/node_transport.ts";

/** Connects to a listener of the test's own; returns both ends. */
async function pair(listener: Deno.TcpListener) {
  const { hostname, port } = listener.addr;
  const opening = openNode()({ hostname, port, label: `${hostname}:${port}` }, new AbortController().signal);
  return await Promise.all([opening, listener.accept()]);
}

Deno.test("openNode reads to the end that the other side makes, and may write after it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [transport, conn] = await pair(listener);
  await conn.write(new TextEncoder().encode("last\n"));
  await conn.closeWrite();
  assert.equal(new TextDecoder().decode((await transport.read())!), "last\n");
  assert.equal(await transport.read(), null);
  assert.equal(await transport.read(), null, "and that stays so");
  assert.equal(await transport.write(new TextEncoder().encode("bye\n")), 4);
  await transport.endWriting();
  const buffer = new Uint8Array(10);
  assert.equal(await conn.read(buffer), 4);
  assert.equal(await conn.read(buffer), null);
  conn.close();
  transport.close();
});

Deno.test("openNode rejects what is under way when it is closed, and what is asked then", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [transport, conn] = await pair(listener);
  const reading = transport.read();
  transport.close();
  transport.close();
  await assert.rejects(reading, /the connection was closed/);
  await assert.rejects(transport.read(), /the connection was closed/);
  await assert.rejects(transport.write(new Uint8Array(1)), /the connection was closed/);
  await assert.rejects(transport.endWriting(), /the connection was closed/);
  conn.close();
});
