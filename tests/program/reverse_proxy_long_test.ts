// Runs the relay behind a real nginx and a real Caddy with the configurations of docs/web.md: pages, numbers
// and WebSockets pass through, the name and the origin are those of the proxy, and members have the address
// of whom it asks for. What is not installed is left out.

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { pause } from "../support/pause.ts";
import { FROM_SOURCE, Program } from "../support/program.ts";
import { readServerFrames, textFrame } from "../support/websocket_frames.ts";
import { inTime } from "../support/deadline.ts";

const ROOT = new URL("../../", import.meta.url);
const CERTIFICATES = new URL("tests/tls/", ROOT).pathname;
const NAME = "play.example.org";

/** Where who asks stands: not where the proxy does, so that the two can be told apart. */
const CLIENT = "127.0.0.2", PROXY = "127.0.0.1";

/** What docs/web.md says, for one kind of block. */
function block(kind: string, contains: string): string {
  const text = Deno.readTextFileSync(new URL("docs/web.md", ROOT));
  const blocks = Array.from(text.matchAll(/^```(\w+)\n([^]*?)^```$/gm), ([, name, body]) => ({ name, body }));
  return blocks.find(({ name, body }) => name === kind && body.includes(contains))!.body;
}

/** A program that passes on what comes, and what the page says about it. */
interface Kind {
  name: string;
  debianPackage: string;
  /** Writes its configuration into a folder, and returns the arguments that run it in the foreground. */
  configure(folder: string, port: number, relayPort: number): string[];
}

const KINDS: readonly Kind[] = [
  {
    name: "nginx",
    debianPackage: "nginx-light",
    configure(folder, port, relayPort) {
      const site = block("nginx", "proxy_pass")
        .replace("listen 443 ssl", `listen ${PROXY}:${port} ssl`)
        .replace(/ssl_certificate \S+;/, `ssl_certificate ${CERTIFICATES}good.pem;`)
        .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${CERTIFICATES}good.key;`)
        .replace("127.0.0.1:32100", `127.0.0.1:${relayPort}`);
      const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
      const user = Deno.uid() === 0 ? "user root;" : "";
      Deno.writeTextFileSync(
        `${folder}/nginx.conf`,
        `daemon off; master_process off; ${user} pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; ${temp}
${site} }
`,
      );
      return ["-p", folder, "-c", `${folder}/nginx.conf`];
    },
  },
  {
    name: "caddy",
    debianPackage: "caddy",
    configure(folder, port, relayPort) {
      // It gets a certificate for a name by itself; a test has one already, and the port of nobody else.
      const site = block("text", "reverse_proxy")
        .replace(
          `${NAME} {`,
          `https://${NAME}:${port} {\n  bind ${PROXY}\n  tls ${CERTIFICATES}good.pem ${CERTIFICATES}good.key`,
        )
        .replace("127.0.0.1:32100", `127.0.0.1:${relayPort}`);
      Deno.writeTextFileSync(
        `${folder}/Caddyfile`,
        `{\n  admin off\n  auto_https disable_redirects\n  storage file_system ${folder}\n}\n${site}`,
      );
      return ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`];
    },
  },
];

/** Where a program is; undefined if it is not installed. */
function find(program: string): string | undefined {
  return ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    .map((folder) => `${folder}/${program}`)
    .find((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
}

/** One of them, in a folder of its own. */
class ReverseProxy implements AsyncDisposable {
  readonly port: number;
  readonly #name: string;
  readonly #folder = Deno.makeTempDirSync();
  readonly #child: Deno.ChildProcess;
  readonly #said: Promise<string>;
  /** Passes on what comes, from the address where clients stand. */
  readonly #way: Server;
  readonly #sockets: Socket[] = [];

  constructor(kind: Kind, path: string, relayPort: number) {
    const probe = Deno.listen({ hostname: PROXY, port: 0 });
    this.port = probe.addr.port;
    probe.close();
    this.#name = kind.name;
    const args = kind.configure(this.#folder, this.port, relayPort);
    const env = { HOME: this.#folder, XDG_CONFIG_HOME: this.#folder, XDG_DATA_HOME: this.#folder };
    const options = { args, env, stdin: "null", stdout: "null", stderr: "piped" } as const;
    this.#child = new Deno.Command(path, options).spawn();
    this.#said = new Response(this.#child.stderr).text();
    this.#way = createServer((socket) => {
      const onward = connect({ host: PROXY, port: this.port, localAddress: CLIENT });
      socket.pipe(onward).pipe(socket);
      this.#sockets.push(socket, onward);
      socket.on("error", () => onward.destroy());
      onward.on("error", () => socket.destroy());
    }).listen(0, PROXY);
  }

  /** Connects as a browser does that takes the proxy for the named host. */
  async connect(): Promise<Deno.TlsConn> {
    const caCerts = [Deno.readTextFileSync(`${CERTIFICATES}ca.pem`)];
    for (let tries = 0;; tries++) {
      let conn: Deno.TlsConn | undefined;
      try {
        const { port } = this.#way.address() as AddressInfo;
        conn = await Deno.connectTls({ hostname: "localhost", port, caCerts });
        await conn.handshake();
        return conn;
      } catch (error) {
        conn?.close();
        if (tries > 200) {
          this.#child.kill();
          throw new Error(`Cannot connect to ${this.#name}: ${error}, it says ${await this.#said}`);
        }
        await pause(50); // it is not listening yet
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
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#way.close(done));
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#said;
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

for (const kind of KINDS) {
  const path = find(kind.name);
  if (path === undefined) {
    console.log(`NOT TESTED: ${kind.name} is not installed (Debian's package ${kind.debianPackage} has it)`);
  }
  Deno.test({
    name:
      `the relay behind ${kind.name}, as docs/web.md has it, serves pages and WebSockets of its name, to real addresses`,
    ignore: path === undefined,
    fn: async () => {
      const [, ...args] = block("sh", "--trust-proxy").trim().split(" ");
      args[args.indexOf("32100")] = "0";
      args[args.indexOf("loopback")] = PROXY; // of the two on loopback only this one is a proxy here
      await using relay = new Program(FROM_SOURCE, args);
      await using proxy = new ReverseProxy(kind, path!, await relay.port());
      const origin = `https://${NAME}`;
      assert.match(await proxy.ask("/client.js"), /^HTTP\/1\.1 200 OK\r\n[^]*export/);
      assert.match(await proxy.ask("/healthz", { Origin: origin }), /200 OK/);
      assert.match(await proxy.ask("/healthz", { Origin: "https://evil.example" }), / 403 /);

      const conn = await proxy.connect();
      const forged = { "X-Forwarded-For": "203.0.113.9" };
      await conn.write(request("/", { ...HANDSHAKE, ...forged, Origin: origin }));
      let bytes = new Uint8Array(0);
      const read = async () => {
        const buffer = new Uint8Array(65536), n = await inTime(conn.read(buffer), "an answer of the proxy");
        assert.notEqual(n, null, "the proxy has ended the connection");
        bytes = Uint8Array.from([...bytes, ...buffer.subarray(0, n!)]);
      };
      let end = -1;
      while ((end = new TextDecoder().decode(bytes).indexOf("\r\n\r\n")) < 0) await read();
      assert.match(new TextDecoder().decode(bytes), /^HTTP\/1\.1 101 /);
      bytes = bytes.slice(end + 4);
      await conn.write(Uint8Array.from(textFrame('{"$hello":{"version":1,"room":"pong","name":"ada"}}\n')));
      while (readServerFrames(bytes).frames.length === 0) await read();
      assert.match(new TextDecoder().decode(readServerFrames(bytes).frames[0].payload), /^\{"\$welcome"/);

      const answer = await proxy.ask("/stats.json");
      const [member] = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).members;
      assert.deepEqual([member.name, member.transport], ["ada", "websocket"]);
      // Whatever a client says of itself: the last address that is none of our proxies is the one the proxy
      // has seen.
      assert.match(member.address, new RegExp(`^${CLIENT.replaceAll(".", "\\.")}:\\d+$`));
      conn.close();
      relay.signal("SIGTERM");
      assert.equal(await relay.code(), 0);
    },
  });
}
