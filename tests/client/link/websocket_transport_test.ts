// Tests src/client/link/websocket_transport.ts in Deno: bytes both ways, ends, failures, and what waits for
// room. What a page is told is tested in tests/web/, in a page.

import assert from "node:assert/strict";
import { connect } from "../../../client.ts";
import { connectError, ImpossibleError, isHopeless } from "../../../src/client/link/connect_error.ts";
import type { Transport } from "../../../src/client/link/transport.ts";
import { MAX_BUFFERED_BYTES, openWebSocket } from "../../../src/client/link/websocket_transport.ts";
import { parseTarget } from "../../../src/client/target.ts";
import { FakeTime } from "../../support/fake_time.ts";
import { until } from "../../support/deadline.ts";
import { pause } from "../../support/pause.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A server of WebSockets that does with each what a test says. */
class SocketServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly sockets: WebSocket[] = [];
  /** What came, text as text. */
  readonly messages: unknown[] = [];
  readonly closes: [number, string][] = [];

  constructor(onOpen: (socket: WebSocket) => void = () => {}) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (/^\/\d+$/.test(pathname)) return new Response("no", { status: Number(pathname.slice(1)) });
      const { socket, response } = Deno.upgradeWebSocket(request);
      this.sockets.push(socket);
      socket.onopen = () => onOpen(socket);
      socket.onmessage = ({ data }) => this.messages.push(data);
      socket.onclose = ({ code, reason }) => this.closes.push([code, reason]);
      return response;
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.close();
    await this.#server.shutdown();
  }
}

function open(url: string, signal = new AbortController().signal): Promise<Transport> {
  return openWebSocket(url)(parseTarget(url), signal);
}

async function readText(transport: Transport): Promise<string> {
  return decoder.decode((await transport.read())!);
}

Deno.test("openWebSocket carries text and binary as bytes, keeps their order, and skips what is empty", async () => {
  await using server = new SocketServer((socket) => {
    socket.send('{"n":1}\n');
    socket.send("");
    socket.send(encoder.encode('{"n":"é"}\n'));
  });
  const transport = await open(server.url);
  assert.equal(await readText(transport), '{"n":1}\n');
  assert.equal(await readText(transport), '{"n":"é"}\n');
  assert.equal(await transport.write(encoder.encode('"é"\n"b"\n')), 9);
  assert.equal(await transport.write(encoder.encode('"c"\n')), 4);
  await until(() => server.messages.length === 2, "two messages");
  assert.deepEqual(server.messages, ['"é"\n"b"\n', '"c"\n']);
  await transport.endWriting();
  assert.equal(await transport.read(), null);
  await until(() => server.closes.length === 1, "a close");
  assert.deepEqual(server.closes, [[1000, ""]]);
  transport.close();
  transport.close();
});

const ENDS: [number, string, string | undefined][] = [
  [1000, "", undefined],
  [1001, "", undefined],
  [1008, "token \u001b[2J", "it was closed with code 1008, token ?[2J"],
  [1011, "", "it was closed with code 1011"],
  [4000, "x", "it was closed with code 4000, x"],
];

for (const [code, reason, message] of ENDS) {
  Deno.test(`openWebSocket ends with ${code} after what came before`, async () => {
    await using server = new SocketServer((socket) => {
      socket.send("last\n");
      socket.close(code, reason);
    });
    const transport = await open(server.url);
    await until(() => server.closes.length === 1, "the end");
    assert.equal(await readText(transport), "last\n");
    if (message === undefined) assert.equal(await transport.read(), null);
    else await assert.rejects(transport.read(), { message });
    await assert.rejects(transport.write(encoder.encode("x\n")));
    transport.close();
  });
}

Deno.test("openWebSocket says of a connection that breaks that it broke", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const opening = open(`ws://127.0.0.1:${listener.addr.port}/`);
  const conn = await accepting;
  const request = new Uint8Array(4096);
  const head = decoder.decode(request.subarray(0, (await conn.read(request))!));
  const key = /sec-websocket-key: (\S+)/i.exec(head)![1] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", encoder.encode(key)));
  const accept = btoa(String.fromCharCode(...hash));
  const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
  await conn.write(encoder.encode(answer));
  const transport = await opening;
  const reading = assert.rejects(transport.read(), /the connection broke|Unexpected EOF/);
  conn.close();
  await reading;
  transport.close();
});

Deno.test("openWebSocket's close makes a pending read reject, and drops what was not read", async () => {
  await using server = new SocketServer((socket) => {
    socket.send("a\n");
    socket.send("b\n");
  });
  const transport = await open(server.url);
  await readText(transport);
  await readText(transport);
  const reading = assert.rejects(transport.read(), { message: "the connection was closed" });
  transport.close();
  await reading;
  await assert.rejects(transport.read());
  await until(() => server.closes.length === 1, "the server sees it");
});

Deno.test("openWebSocket rejects with the reason of its signal, before and during the handshake", async () => {
  const reason = new Error("enough");
  await using server = new SocketServer();
  await assert.rejects(open(server.url, AbortSignal.abort(reason)), reason);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // takes connections and answers nothing
  const controller = new AbortController();
  const opening = open(`ws://127.0.0.1:${listener.addr.port}/`, controller.signal);
  const rejected = assert.rejects(opening, reason);
  using _ = await listener.accept();
  controller.abort(reason);
  await rejected;
  assert.equal(server.sockets.length, 0);
});

Deno.test("openWebSocket's failures are said in people's words", async () => {
  await using server = new SocketServer();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const cases: [string, RegExp][] = [
    [
      `ws://127.0.0.1:${port}/`,
      /^Cannot connect to 127\.0\.0\.1:\d+: no connection, is the relay running there$/,
    ],
    [
      `ws://nosuch.invalid/`,
      /^Cannot connect to nosuch\.invalid:80: no such host, is its name spelled right$/,
    ],
    [`${server.url}403`, /: the relay refused it \(403\), its log says why, and which flag would allow it$/],
    [`${server.url}404`, /: it answered with the HTTP status 404, is that a relay that knows WebSockets$/],
    [server.url.replace("ws:", "wss:"), /: it does not speak TLS there, leave out tls$/],
  ];
  for (const [url, message] of cases) {
    await assert.rejects(connect(url), { message });
  }
});

Deno.test("openWebSocket waits while more than 1 MiB is under way, and goes on when there is room or a message", async () => {
  using fake = new FakeSocket();
  const transport = await fake.open();
  assert.equal(await transport.write(encoder.encode("a\n")), 2);
  fake.bufferedAmount = MAX_BUFFERED_BYTES;
  assert.equal(await transport.write(encoder.encode("b\n")), 2, "exactly so much is allowed");
  fake.bufferedAmount++;
  let isWritten = false;
  const writing = transport.write(encoder.encode("c\n")).then(() => isWritten = true);
  await pause(100);
  assert.equal(isWritten, false);
  assert.deepEqual(fake.sent, ["a\n", "b\n"]);
  fake.bufferedAmount = 0;
  await writing;
  assert.deepEqual(fake.sent, ["a\n", "b\n", "c\n"]);

  const reading = readText(transport);
  fake.onmessage({ data: "1\n" });
  assert.equal(await reading, "1\n", "who waits for a message is told of it");

  fake.bufferedAmount = 2 * MAX_BUFFERED_BYTES;
  using _ = new FakeTime(); // timers of a hidden page come late
  const told = transport.write(encoder.encode("d\n"));
  fake.bufferedAmount = 0;
  fake.onmessage({ data: "1\n" });
  assert.equal(await told, 2);

  fake.bufferedAmount = 2 * MAX_BUFFERED_BYTES;
  const hopeless = assert.rejects(transport.write(encoder.encode("e\n")), /the connection was closed/);
  transport.close();
  await hopeless;
});

Deno.test("openWebSocket takes no write where the other side is closing: it would be lost in silence", async () => {
  using fake = new FakeSocket();
  const transport = await fake.open();
  fake.readyState = 2;
  await assert.rejects(transport.write(encoder.encode("a\n")), /the connection is closed/);
  assert.deepEqual(fake.sent, []);
  transport.close();
});

/** What stands for a browser's WebSocket, in the place of which it is until it is disposed of. */
class FakeSocket implements Disposable {
  readonly #real = globalThis.WebSocket;
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  onopen = () => {};
  onmessage: (event: { data: string }) => void = () => {};

  constructor() {
    const makeFake = () => this;
    globalThis.WebSocket = function () {
      return makeFake();
    } as unknown as typeof WebSocket;
  }

  async open(): Promise<Transport> {
    const opening = open("ws://host/");
    this.onopen();
    return await opening;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {}

  [Symbol.dispose](): void {
    globalThis.WebSocket = this.#real;
  }
}

Deno.test("connectError keeps the words of what can't be done from here, and says that it is hopeless", () => {
  const error = new ImpossibleError("this page came by https");
  assert.equal(
    connectError(parseTarget("ws://host/"), error).message,
    "Cannot connect to host:80: this page came by https",
  );
  assert.ok(isHopeless(error));
});
