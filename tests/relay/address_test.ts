// Holds who counts as a host, and how an address is written.

import assert from "node:assert/strict";
import { formatAddress, hostOf } from "../../src/relay/address.ts";
import { serve } from "../../src/relay/relay.ts";
import { LineClient } from "../support/line_client.ts";

Deno.test("hostOf and formatAddress write an address of IPv4 in one way, however a listener sees it", () => {
  const cases: [hostname: string, host: string, address: string][] = [
    ["192.0.2.7", "192.0.2.7", "192.0.2.7:5"],
    ["::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7:5"],
    ["::FFFF:192.0.2.7", "192.0.2.7", "192.0.2.7:5"],
    ["2001:DB8::7", "2001:db8::7", "[2001:db8::7]:5"],
    ["::1", "::1", "[::1]:5"],
    ["::ffff:0:1", "::ffff:0:1", "[::ffff:0:1]:5"],
  ];
  for (const [hostname, host, address] of cases) {
    const addr: Deno.Addr = { transport: "tcp", hostname, port: 5 };
    assert.deepEqual([hostOf(addr), formatAddress(addr)], [host, address]);
  }
  const socket: Deno.Addr = { transport: "unix", path: "/a" };
  assert.deepEqual([hostOf(socket), formatAddress(socket)], ["", "unix"]);
});

Deno.test("serve on :: makes hosts of IPv6 wait for none of IPv4 that guesses tokens", async () => {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: "::", port: 0 });
  } catch {
    return; // a machine without IPv6
  }
  const { port } = listener.addr;
  await using _relay = serve(listener, { token: "right" });
  const answerTo = async (hostname: string, token: string) => {
    using client = new LineClient(await Deno.connect({ hostname, port }));
    client.startReading();
    await client.send(`{"$hello":{"version":1,"token":"${token}"}}\n`);
    return /"code":"\w+"|"\$welcome"/.exec(await client.line(1))?.[0];
  };
  for (let i = 0; i < 10; i++) assert.equal(await answerTo("127.0.0.1", `${i}`), '"code":"bad_token"');
  assert.equal(await answerTo("127.0.0.1", "other"), '"code":"relay_full"');
  assert.equal(await answerTo("::1", "right"), '"$welcome"');
});
