// Holds Proxies against tables: whose word is taken, and which address of a list is the client's.

import assert from "node:assert/strict";
import { isProxyName, Proxies } from "../../../src/relay/web/proxies.ts";
import { WebTable } from "../../support/web_table.ts";

Deno.test("Proxies takes the word of those that are named, and of nobody else", () => {
  const proxies = new Proxies(["loopback", "10.1.0.0/16", "2001:db8::/32", "192.0.2.7"]);
  for (
    const host of ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "2001:db8::5", "192.0.2.7", "::ffff:10.1.2.3"]
  ) {
    assert.equal(proxies.trusts(host), true, host);
  }
  for (const host of ["10.2.0.1", "192.0.2.8", "2001:db9::1", "", "x", "128.0.0.1"]) {
    assert.equal(proxies.trusts(host), false, host);
  }
  assert.equal(new Proxies([]).trusts("127.0.0.1"), false);
});

Deno.test("Proxies.clientOf takes the last address that is no proxy of ours", () => {
  const proxies = new Proxies(["loopback", "10.0.0.0/8"]);
  const cases: [host: string, fields: string[] | undefined, client: string][] = [
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["127.0.0.1", ["203.0.113.5"], "203.0.113.5"],
    ["127.0.0.1", ["6.6.6.6, 203.0.113.5"], "203.0.113.5"],
    ["127.0.0.1", ["6.6.6.6", "203.0.113.5, 10.0.0.1"], "203.0.113.5"],
    ["127.0.0.1", ["10.0.0.2,10.0.0.1"], "10.0.0.2"],
    ["127.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"],
    ["127.0.0.1", ["[2001:DB8::1]:4711"], "2001:db8::1"],
    ["127.0.0.1", ["2001:db8::1"], "2001:db8::1"],
    ["127.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"],
    ["127.0.0.1", ["unknown"], "127.0.0.1"],
    ["127.0.0.1", ["203.0.113.5, nonsense"], "127.0.0.1"],
    ["127.0.0.1", ["203.0.113.5, "], "127.0.0.1"],
    ["127.0.0.1", ["<script>"], "127.0.0.1"],
    ["127.0.0.1", ["fe80::1%eth0"], "127.0.0.1"],
    ["198.51.100.1", ["203.0.113.5"], "198.51.100.1"],
    ["127.0.0.1", [`${"10.0.0.1,".repeat(900)}10.0.0.1`], "10.0.0.1"],
    ["127.0.0.1", [`203.0.113.5${",10.0.0.1".repeat(19)}`], "203.0.113.5"],
    ["127.0.0.1", [`203.0.113.5${",10.0.0.1".repeat(20)}`], "10.0.0.1"], // no more are looked at
  ];
  for (const [host, fields, client] of cases) {
    assert.equal(proxies.clientOf(host, fields), client, String(fields).slice(0, 80));
  }
});

Deno.test("isProxyName knows what may be named", () => {
  for (const name of ["loopback", "192.0.2.7", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"]) {
    assert.ok(isProxyName(name), name);
  }
  for (
    const name of [
      "",
      "localhost",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0/8",
      "::/129",
      "1.2.3.4/8/8",
      "x",
      "*",
      "fe80::1%0",
    ]
  ) {
    assert.ok(!isProxyName(name), name);
  }
});

Deno.test("the relay takes who a trusted proxy asks for as the host: wrong tokens of one are none of another", async () => {
  await using table = new WebTable({ token: "t", trustedProxies: ["loopback"] });
  const ask = (client: string, token: string) =>
    table.get("/metrics", { "X-Forwarded-For": client, Authorization: `Bearer ${token}` });
  for (let i = 0; i < 12; i++) await ask("203.0.113.5", `wrong ${i}`);
  assert.equal((await ask("203.0.113.5", "t")).status, 429);
  assert.equal((await ask("203.0.113.6", "t")).status, 200);
  const { fields } = table.log.find(({ message }) => message === "HTTP request refused")!;
  assert.match(String(fields.address), /^203\.0\.113\.5:\d+$/);
});
