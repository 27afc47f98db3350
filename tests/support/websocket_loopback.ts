// A relay on a free port of loopback with clients by WebSocket, and plain ones beside them. For tests of the
// relay.

import { type Listener, type LogLevel, type RelayOptions, RelayServer } from "../../src/relay/relay.ts";
import { REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import { concat } from "../../src/wire/concat.ts";
import { LineClient } from "./line_client.ts";
import { pause } from "./pause.ts";
import { connectTo, type WebSocketConn } from "./websocket_conn.ts";

/** A relay on a free port of loopback, and its clients. */
export class Loopback implements AsyncDisposable {
  readonly relay: RelayServer;
  readonly port: number;
  readonly log: { level: LogLevel; message: string; fields: Record<string, string | number> }[] = [];
  readonly #conns: { close(): void }[] = [];

  constructor(
    options: RelayOptions = {},
    listener: Listener & { addr: { port: number } } = listen(),
    environment = REAL_ENVIRONMENT,
  ) {
    this.port = listener.addr.port;
    const log = (level: LogLevel, message: string, fields = {}) => this.log.push({ level, message, fields });
    this.relay = new RelayServer(listener, { ...options, log }, environment);
  }

  /** Opens a WebSocket that says nothing yet. */
  async open(): Promise<WebSocketConn> {
    const conn = await connectTo(this.port, "websocket") as WebSocketConn;
    conn.keepsFrames = true;
    this.#conns.push(conn);
    return conn;
  }

  /** Opens one, of which everything is kept that comes. */
  async join(): Promise<{ conn: WebSocketConn; client: LineClient }> {
    const conn = await this.open();
    const client = new LineClient(conn);
    client.startReading();
    await client.send("\n");
    await this.known(client.address);
    return { conn, client };
  }

  /** Connects a plain client over TCP, and waits until it is one. */
  async plain(): Promise<LineClient> {
    const client = await LineClient.connect(this.port);
    this.#conns.push(client);
    await client.send("\n");
    await this.known(client.address);
    return client;
  }

  async known(address: string): Promise<void> {
    const isKnown = () =>
      this.relay.connectionStats().some((each) => each.address === address && each.receivedBytes > 0);
    while (!isKnown()) await pause(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#conns) conn.close();
    await this.relay.close();
    await pause(0); // until those who read have noticed
  }
}

function listen(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

/** The same bytes again and again. */
export function repeated(bytes: Uint8Array, count: number): Uint8Array {
  return concat(Array.from({ length: count }, () => bytes));
}
