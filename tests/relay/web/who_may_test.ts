// Holds the rules for Host and Origin against tables: what is let in, what is refused with which status and
// words, and what is no name.

import assert from "node:assert/strict";
import { hostFault, originFault, parseHost, parseOrigin } from "../../../src/relay/web/who_may.ts";
import { headOf } from "../../support/request_head.ts";
import { WebTable } from "../../support/web_table.ts";

const NOBODY = { allowedOrigins: [], allowedHosts: [] };

Deno.test("hostFault knows addresses, names without a dot and what is allowed, and refuses other names", () => {
  const allowed = { allowedOrigins: [], allowedHosts: ["games.example.org"] };
  for (
    const host of [
      "127.0.0.1",
      "192.0.2.7:32000",
      "[::1]:1",
      "[fe80::1]",
      "localhost",
      "localhost:",
      "[::1]:",
      "LOCALHOST:8080",
      "a.localhost",
      "ifilab100",
      "ifilab100.:32000",
      "games.example.org",
      "Games.Example.ORG.:443",
      "2130706433",
    ]
  ) assert.equal(hostFault(headOf({ Host: host }), allowed), undefined, host);
  for (
    const host of [
      "example.org",
      "games.example.org.evil.com",
      "127.0.0.1.nip.io",
      "1.2.3.4.5",
      "256.1.1.1",
      "xgames.example.org",
    ]
  ) {
    const fault = hostFault(headOf({ Host: host }), allowed);
    assert.equal(fault?.status, 421, host);
    assert.match(fault!.message, new RegExp(`--allow-host ${host.toLowerCase()}$`));
  }
  for (
    const host of [
      "",
      ":80",
      "a:b",
      "a:99999",
      "a:123456",
      "a::",
      "a b",
      "a,b",
      "a/b",
      "user@a",
      "a@b:1",
      "[::1",
      "::1",
      "[x]",
      "[:::::]",
      "[192.0.2.7]",
      "[1:2:3:4:5:6:7]",
      "[fe80::1%25eth0]",
      "a..b",
      ".a",
      "-a",
      "ä",
      "a\tb",
      "%61",
      "http://a",
      "a".repeat(300),
      "a?",
      "a#",
      "'\"><script>",
    ]
  ) assert.equal(hostFault(headOf({ Host: host }), allowed)?.status, 400, host);
  assert.equal(hostFault(headOf({}, "/", "1.0"), NOBODY), undefined, "HTTP/1.0 needs none");
});

Deno.test("originFault lets the relay's own pages and those of this machine in, and what is allowed", () => {
  const own: [origin: string, host: string][] = [
    ["http://ifilab100:32000", "ifilab100:32000"],
    ["http://IFILAB100:32000", "ifilab100:32000"],
    ["http://ifilab100", "ifilab100"],
    ["http://ifilab100", "ifilab100:80"],
    ["https://play.example.org", "play.example.org"],
    ["https://play.example.org", "play.example.org:443"],
    ["https://play.example.org:8443", "play.example.org:8443"],
    ["http://[fe80::1]:5", "[FE80::1]:5"],
    ["http://localhost:3000", "ifilab100:32000"],
    ["https://localhost", "ifilab100:32000"],
    ["http://127.0.0.1:5500", "ifilab100:32000"],
    ["http://[::1]:5500", "ifilab100:32000"],
    ["http://0.0.0.0:8000", "ifilab100:32000"],
    ["http://[::]:8000", "ifilab100:32000"],
    ["http://ifilab100", "ifilab100:"],
    ["http://app.localhost:5500", "ifilab100:32000"],
  ];
  for (const [Origin, Host] of own) {
    assert.equal(originFault(headOf({ Host, Origin }), NOBODY), undefined, `${Origin} at ${Host}`);
  }
  assert.equal(originFault(headOf({ Host: "a" }), NOBODY), undefined, "programs name none");
  const strange: [origin: string, host: string][] = [
    ["null", "a"],
    ["http://evil.example", "a"],
    ["http://a.evil.example", "a"],
    ["http://a:81", "a:80"],
    ["http://a", "a:443"],
    ["https://a", "a:80"],
    ["http://localhost.evil.example", "a"],
    ["http://127.0.0.1.evil.example", "a"],
    ["http://128.0.0.1", "a"],
    ["http://0.0.0.1", "a"],
    ["http://0.0.0.0.evil.example", "a"],
    ["http://a:", "a:81"],
    ["file://localhost", "a"],
    ["chrome-extension://abcdef", "a"],
    ["ws://a", "a"],
    ["constructor://a", "a"],
    ["constructor://localhost", "a"],
    ["file://", "a"],
    ["app://-", "localhost"],
    ["vscode-webview://0a-1b_", "a"],
  ];
  for (const [Origin, Host] of strange) {
    const fault = originFault(headOf({ Host, Origin }), NOBODY);
    assert.equal(fault?.status, 403, `${Origin} at ${Host}`);
    const named = /^(http|null|file:\/\/$)/.test(Origin) ? parseOrigin(Origin) : '"*"'; // the flag takes no other ones
    assert.ok(fault!.message.endsWith(`--allow-origin ${named}`), fault!.message);
    assert.doesNotMatch(fault!.message, /Pages of null/);
    assert.equal(originFault(headOf({ Host, Origin }), { ...NOBODY, allowedOrigins: ["*"] }), undefined);
    assert.equal(
      originFault(headOf({ Host, Origin }), { ...NOBODY, allowedOrigins: [parseOrigin(Origin)!] }),
      undefined,
    );
  }
  const broken = [
    "",
    "a",
    "http://",
    "http:/a",
    "http://a/",
    "http://a/b",
    "http://-",
    "file:///",
    "app://",
    "app://a b",
    "app://u@-",
    "http://a b",
    "http://a, http://b",
    "HTTP",
    "http://u@a",
    "http://a:999999",
    "Null",
    "http://\xff",
    `http://${"a".repeat(5000)}`,
  ];
  for (const Origin of broken) {
    for (const allowedOrigins of [[], ["*"]]) {
      assert.equal(
        originFault(headOf({ Host: "a", Origin }), { ...NOBODY, allowedOrigins })?.status,
        400,
        Origin,
      );
    }
  }
});

Deno.test("parseOrigin and parseHost write one thing in one way", () => {
  assert.deepEqual(
    ["HTTPS://X.org:443", "http://x.org.:80", "http://X:443", "null"].map(parseOrigin),
    ["https://x.org", "http://x.org", "http://x:443", "null"],
  );
  assert.deepEqual(parseHost("A.B.:0"), { name: "a.b", port: 0 });
});

Deno.test("the relay refuses requests and WebSockets of pages that may not, with one line that names the flag, and one in the log", async () => {
  await using table = new WebTable({ allowedOrigins: ["https://friend.example"] });
  const handshake = {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  for (const fields of [{}, handshake]) {
    const refused = await table.get("/stats.json", { ...fields, Origin: "http://evil.example" });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /^[^\n]* --allow-origin http:\/\/evil\.example\.\n$/);
    assert.equal((await table.get("/", { ...fields, Host: "evil.example" })).status, 421);
    assert.equal((await table.get("/", { ...fields, Host: "a b" })).status, 400);
    assert.equal((await table.get("/", { ...fields, Origin: "x".repeat(7000) })).status, 400);
    const friend = await table.get("/healthz", { ...fields, Origin: "https://friend.example" });
    assert.equal(friend.status, "Upgrade" in fields ? 101 : 200);
  }
  const logged = table.log.filter(({ message, fields }) =>
    message === "HTTP request refused" && fields.status === 403
  );
  assert.ok(logged.length >= 1);
  assert.match(String(logged[0].fields.why), /--allow-origin/);
});

Deno.test("the relay switches to WebSocket only where the handshake is one", async () => {
  await using table = new WebTable();
  const good = {
    Upgrade: "WebSocket",
    Connection: "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const { status, fields } = await table.get("/any/path?x", good);
  assert.deepEqual([status, fields["sec-websocket-accept"]], [101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
  const targets: [string, number][] = [
    ["http://x/pong", 101],
    ["HTTP://X:80", 101],
    ["http://y/pong", 400],
    ["ws://x/pong", 400],
    ["*", 400],
    ["x:80", 400],
    ["/a/../b", 400],
    ["/#a", 400],
    ["/%00", 400],
  ];
  for (const [target, wanted] of targets) {
    const lines = Object.entries({ Host: "x", ...good }).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await table.ask(`GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
    assert.equal(answer.status, wanted, target);
  }
  assert.equal(fields["sec-websocket-protocol"], undefined);
  const faults: [Record<string, string>, number][] = [
    [{ Connection: "close" }, 400],
    [{ "Sec-WebSocket-Version": "8" }, 426],
    [{ "Sec-WebSocket-Key": "" }, 400],
    [{ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=" }, 400],
    [{ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZR==" }, 400],
    [{ "Content-Length": "5" }, 400],
  ];
  for (const [change, wanted] of faults) {
    const answer = await table.get("/", { ...good, ...change });
    assert.equal(answer.status, wanted, JSON.stringify(change));
    if (wanted === 426) assert.equal(answer.fields["sec-websocket-version"], "13");
  }
  const lines = Object.entries(good).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  assert.equal((await table.ask(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)).status, 400);
  assert.equal((await table.ask(`GET / HTTP/1.0\r\nHost: a\r\n${lines}\r\n`)).status, 400);
});
