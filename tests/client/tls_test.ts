// Tests TLS in src/client/link/deno_transport.ts, and connect({ tls }), with certificates of the tests' own
// in tests/tls/: they are signed by ca.pem, "expired" was good for the year 2024, "other" is for another
// host.

import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { parseTarget } from "../../src/client/target.ts";
import { isHopeless } from "../../src/client/link/connect_error.ts";
import { openTcp, openTls } from "../../src/client/link/deno_transport.ts";
import { countSockets, untilSockets } from "../support/open_sockets.ts";
import { readCertificate } from "../support/certificates.ts";
import { pause } from "../support/pause.ts";

const caCerts = [readCertificate("ca.pem")];

/** Serves TLS: answers a line with itself. */
class TlsServer implements AsyncDisposable {
  readonly #listener: Deno.TlsListener;
  readonly #done: Promise<void>;
  readonly #conns: Deno.TlsConn[] = [];

  constructor(certificate: string) {
    const [cert, key] = [readCertificate(`${certificate}.pem`), readCertificate(`${certificate}.key`)];
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    this.#done = this.#serve();
  }

  get target(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await this.#done;
  }

  async #serve(): Promise<void> {
    const echoes: Promise<void>[] = [];
    try {
      for (;;) {
        const conn = await this.#listener.accept();
        this.#conns.push(conn);
        echoes.push(this.#echo(conn));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(echoes);
  }

  async #echo(conn: Deno.TlsConn): Promise<void> {
    const buffer = new Uint8Array(1024);
    try {
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        await conn.write(buffer.subarray(0, count));
      }
      await conn.closeWrite();
    } catch {
      // The client did not like the certificate, or the test is over.
    }
  }
}

// First of all: what a test with all permissions reads of the system's certificates stays for the others.
Deno.test({
  name: "connect needs no permission but the network's for TLS, whomever it trusts",
  permissions: { net: true, read: true }, // the server reads its certificate
  fn: async () => {
    await using server = new TlsServer("good");
    await using relay = await connect<number>(server.target, { plain: true, tls: { caCerts } });
    relay.send(7);
    for await (const event of relay) {
      assert.equal(event, 7, "this server sends it back");
      break;
    }
    await assert.rejects(connect(server.target, { plain: true, tls: true }), /is trusted here, name whom/);
  },
});

Deno.test("openTls carries bytes both ways, and ends", async () => {
  await using server = new TlsServer("good");
  const transport = await openTls({ caCerts })(parseTarget(server.target), new AbortController().signal);
  assert.equal(await transport.write(new TextEncoder().encode("hello")), 5);
  assert.equal(new TextDecoder().decode((await transport.read())!), "hello");
  await transport.endWriting();
  assert.equal(await transport.read(), null);
  transport.close();
});

const REFUSED: [string, string[] | undefined, RegExp][] = [
  ["expired", caCerts, /: its certificate has expired, the relay needs a new one$/],
  ["other", caCerts, /: its certificate is for another host$/],
  ["good", undefined, /: its certificate is signed by nobody that is trusted here, name whom to trust/],
];

for (const [certificate, trusted, message] of REFUSED) {
  const whose = trusted === undefined ? " of somebody unknown" : "";
  Deno.test(`connect refuses the certificate "${certificate}"${whose}, also with retry`, async () => {
    await using server = new TlsServer(certificate);
    const tls = trusted === undefined ? true : { caCerts: trusted };
    await assert.rejects(connect(server.target, { plain: true, retry: true, tls }), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(isHopeless(error.cause));
      return true;
    });
  });
}

Deno.test("connect says of a relay without TLS that it has none", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = listener.accept().then(async (conn) => {
    await conn.write(new TextEncoder().encode('{"n":1}\n{"n":2}\n'));
    return conn;
  });
  await assert.rejects(connect(`127.0.0.1:${listener.addr.port}`, { tls: { caCerts } }), {
    message: `Cannot connect to 127.0.0.1:${listener.addr.port}: it does not speak TLS there, leave out tls`,
  });
  (await answered).close();
});

Deno.test("connect speaks over TLS, and closes", async () => {
  await using server = new TlsServer("good");
  const relay = await connect<number>(server.target, { plain: true, tls: { caCerts } });
  relay.send(7);
  for await (const event of relay) {
    assert.equal(event, 7, "this server sends it back");
    break;
  }
  await relay.close();
});

Deno.test("openTls ends with the reason of its signal while nothing answers", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const reason = new Error("enough");
  const opening = openTls({})(parseTarget(`127.0.0.1:${listener.addr.port}`), controller.signal);
  using _ = await listener.accept();
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(opening, reason);
});

const [major, minor] = Deno.version.deno.split(".").map(Number);
const CAN_CLOSE = Deno.build.os === "linux" && (major > 2 || minor >= 9);

Deno.test({
  name: "openTls really closes its socket when it is aborted before the handshake, or refuses a certificate",
  ignore: !CAN_CLOSE,
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    for (const answer of [[], [0x16, 3, 3, 0, 100, 2]]) { // nothing, and the beginning of a ServerHello
      const controller = new AbortController();
      const opening = openTls({})(parseTarget(`127.0.0.1:${port}`), controller.signal);
      const rejected = assert.rejects(opening, { name: "AbortError" });
      using conn = await listener.accept();
      await conn.read(new Uint8Array(1));
      if (answer.length > 0) await conn.write(Uint8Array.from(answer));
      assert.equal(countSockets("remote", port), 1);
      controller.abort();
      await rejected;
      await untilSockets("remote", port, 0);
    }
    await using server = new TlsServer("expired");
    const refusing = parseTarget(server.target);
    await assert.rejects(openTls({ caCerts })(refusing, new AbortController().signal));
    await untilSockets("remote", refusing.port, 0);
  },
});

Deno.test({
  name: "openTls really closes its socket when it is closed while a write is stuck and a read waits",
  ignore: !CAN_CLOSE,
  fn: async () => {
    const [cert, key] = [readCertificate("good.pem"), readCertificate("good.key")];
    using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    const { port } = listener.addr as Deno.NetAddr;
    const opening = openTls({ caCerts })(parseTarget(`127.0.0.1:${port}`), new AbortController().signal);
    using conn = await listener.accept();
    await conn.handshake(); // and reads nothing
    const transport = await opening;
    const reading = assert.rejects(transport.read());
    const writing = assert.rejects(async () => {
      for (;;) await transport.write(new Uint8Array(1_000_000));
    });
    await pause(100);
    transport.close();
    transport.close();
    await Promise.all([reading, writing]);
    await untilSockets("remote", port, 0);
  },
});

Deno.test("openTcp and openTls that are aborted already open nothing", async () => {
  const reason = new Error("enough");
  const target = parseTarget("127.0.0.1:9");
  for (const open of [openTcp, openTls({})]) {
    await assert.rejects(open(target, AbortSignal.abort(reason)), reason);
  }
});
