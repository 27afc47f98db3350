// Runs the relay behind a real nginx with the configuration of docs/web.md: pages, numbers and WebSockets pass through, the name and the
// origin are those of the proxy, and members have the address of whom it asks for. Left out where nginx is not installed.

import assert from "node:assert/strict";
import { inTime } from "../support/line_client.ts";
import { FROM_SOURCE, Program } from "../support/program.ts";
import { readServerFrames, textFrame } from "../support/websocket_frames.ts";

const NGINX = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx", "/opt/homebrew/bin/nginx"]
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
if (NGINX === undefined) {
  console.log("NOT TESTED: nginx is not installed (Debian's package nginx-light has it)");
}

const ROOT = new URL("../../", import.meta.url);
const NAME = "play.example.org";

/** What docs/web.md says, for one kind of block. */
function block(kind: string, contains: string): string {
  const text = Deno.readTextFileSync(new URL("docs/web.md", ROOT));
  const blocks = Array.from(text.matchAll(/^```(\w+)\n([^]*?)^```$/gm), ([, name, body]) => ({ name, body }));
  return blocks.find(({ name, body }) => name === kind && body.includes(contains))!.body;
}

/** An nginx in the foreground, in a folder of its own. */
class Nginx implements AsyncDisposable {
  readonly port: number;
  readonly #folder = Deno.makeTempDirSync();
  readonly #child: Deno.ChildProcess;

  constructor(relayPort: number) {
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = probe.addr.port;
    probe.close();
    const certificates = new URL("tests/tls/", ROOT).pathname;
    const site = block("nginx", "proxy_pass")
      .replace("listen 443 ssl", `listen 127.0.0.1:${this.port} ssl`)
      .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificates}good.pem;`)
      .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${certificates}good.key;`)
      .replace("127.0.0.1:32100", `127.0.0.1:${relayPort}`);
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((kind) => `${kind}_temp_path ${this.#folder}/${kind};`).join("\n");
    const user = Deno.uid() === 0 ? "user root;" : "";
    Deno.writeTextFileSync(
      `${this.#folder}/nginx.conf`,
      `daemon off; master_process off; ${user} pid ${this.#folder}/pid; error_log ${this.#folder}/error.log;
events {}
http { access_log off; ${temp}
${site} }
`,
    );
    const args = ["-p", this.#folder, "-c", `${this.#folder}/nginx.conf`];
    this.#child = new Deno.Command(NGINX!, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  }

  /** Connects as a browser does that takes the proxy for the named host. */
  async connect(): Promise<Deno.TlsConn> {
    const caCerts = [Deno.readTextFileSync(new URL("tests/tls/ca.pem", ROOT))];
    for (let tries = 0;; tries++) {
      try {
        return await Deno.connectTls({ hostname: "localhost", port: this.port, caCerts });
      } catch (error) {
        if (tries > 200) throw new Error(`${error}\n${Deno.readTextFileSync(`${this.#folder}/error.log`)}`);
        await new Promise((done) => setTimeout(done, 50)); // it is not listening yet
      }
    }
  }

  /** Asks for something, and returns all that is answered until the connection ends. */
  async ask(path: string, fields: Record<string, string> = {}): Promise<string> {
    const conn = await this.connect();
    try {
      await conn.write(request(path, { Connection: "close", ...fields }));
      let text = "";
      const buffer = new Uint8Array(65536), decoder = new TextDecoder();
      for (let n; (n = await inTime(conn.read(buffer), path)) !== null;) {
        text += decoder.decode(buffer.subarray(0, n));
      }
      return text;
    } finally {
      conn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function request(path: string, fields: Record<string, string>): Uint8Array<ArrayBuffer> {
  const lines = Object.entries({ Host: NAME, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

const HANDSHAKE = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

Deno.test({
  name:
    "the relay behind nginx, as docs/web.md has it, serves pages and WebSockets of its name, to real addresses",
  ignore: NGINX === undefined,
  fn: async () => {
    const [, ...args] = block("sh", "--trust-proxy").trim().split(" ");
    args[args.indexOf("32100")] = "0";
    await using relay = new Program(FROM_SOURCE, args);
    await using nginx = new Nginx(await relay.port());
    const origin = `https://${NAME}`;
    assert.match(await nginx.ask("/client.js"), /^HTTP\/1\.1 200 OK\r\n[^]*export/);
    assert.match(await nginx.ask("/healthz", { Origin: origin }), /200 OK/);
    assert.match(await nginx.ask("/healthz", { Origin: "https://evil.example" }), / 403 /);
    assert.match(await nginx.ask("/healthz", { Host: "evil.example" }), / 421 /);

    const conn = await nginx.connect();
    const forged = { "X-Forwarded-For": "203.0.113.9" };
    await conn.write(request("/", { ...HANDSHAKE, ...forged, Origin: origin }));
    let bytes = new Uint8Array(0);
    const read = async () => {
      const buffer = new Uint8Array(65536), n = await inTime(conn.read(buffer), "an answer through nginx");
      assert.notEqual(n, null, "nginx has ended the connection");
      bytes = Uint8Array.from([...bytes, ...buffer.subarray(0, n!)]);
    };
    let end = -1;
    while ((end = new TextDecoder().decode(bytes).indexOf("\r\n\r\n")) < 0) await read();
    assert.match(new TextDecoder().decode(bytes), /^HTTP\/1\.1 101 /);
    bytes = bytes.slice(end + 4);
    await conn.write(Uint8Array.from(textFrame('{"$hello":{"version":1,"room":"pong","name":"ada"}}\n')));
    while (readServerFrames(bytes).frames.length === 0) await read();
    assert.match(new TextDecoder().decode(readServerFrames(bytes).frames[0].payload), /^\{"\$welcome"/);

    const answer = await nginx.ask("/stats.json");
    const [member] = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).members;
    assert.deepEqual([member.name, member.transport], ["ada", "websocket"]);
    // nginx adds whom it sees to what it was told: that is the last one who is no proxy of ours.
    assert.match(member.address, /^203\.0\.113\.9:\d+$/);
    conn.close();
    relay.signal("SIGTERM");
    assert.equal(await relay.code(), 0);
  },
});
