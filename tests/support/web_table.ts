// A relay on loopback with its web door, plain members of its lobby, and requests byte by byte. For tests of
// the web.

import { type LogLevel, type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { LineClient } from "./line_client.ts";
import { pause } from "./pause.ts";
import { inTime } from "./deadline.ts";

/** An answer, as it came. */
export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  fields: Record<string, string>;
  bytes: Uint8Array;
  text: string;
}

/** A line of the relay's log. */
export interface WebLogEntry {
  level: LogLevel;
  message: string;
  fields: Record<string, string | number>;
}

const encoder = new TextEncoder();

/** A relay that runs until the end of a test. */
export class WebTable implements AsyncDisposable {
  readonly relay: RelayServer;
  readonly port: number;
  readonly log: WebLogEntry[] = [];
  readonly #clients: LineClient[] = [];

  constructor(options: RelayOptions = {}, port = 0) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.port = listener.addr.port;
    const log = (level: LogLevel, message: string, fields: WebLogEntry["fields"] = {}) => {
      this.log.push({ level, message, fields });
    };
    this.relay = serve(listener, { ...options, log });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connects, and says nothing. */
  async connect(options?: { reads?: boolean }): Promise<LineClient> {
    const client = await LineClient.connect(this.port, options);
    this.#clients.push(client);
    return client;
  }

  /** Connects a plain member, and waits until it is one. */
  async member(): Promise<LineClient> {
    const client = await this.connect();
    await client.send("\n");
    while (
      !this.relay.connectionStats().some(({ address, receivedBytes }) =>
        address === client.address && receivedBytes > 0
      )
    ) {
      await pause(1);
    }
    return client;
  }

  /** Connects a session, and waits for its welcome, which is its first line. */
  async session(hello: Record<string, unknown>): Promise<LineClient> {
    const client = await this.connect();
    await client.send(`${JSON.stringify({ $hello: { version: 1, ...hello } })}\n`);
    await client.line(1);
    return client;
  }

  /**
   * Asks on a connection of its own, in one piece or several, and reads until the relay ends it, or has
   * answered in full.
   */
  async ask(...pieces: (string | Uint8Array)[]): Promise<RawAnswer> {
    const [answer] = await this.askAll(pieces, 1);
    return answer;
  }

  /** Asks for a path with `GET`. */
  get(path: string, fields: Record<string, string> = {}): Promise<RawAnswer> {
    const lines = Object.entries({ Host: `127.0.0.1:${this.port}`, ...fields }).map(([name, value]) =>
      `${name}: ${value}\r\n`
    );
    const head = `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
    return this.ask(Uint8Array.from(head, (character) => character.charCodeAt(0))); // a character a byte
  }

  /** Sends all pieces, and reads answers until there are `count`, or the relay has ended the connection. */
  async askAll(
    pieces: readonly (string | Uint8Array)[],
    count: number,
    isHead = false,
  ): Promise<RawAnswer[]> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    conn.setNoDelay(true);
    const sending = send(conn, pieces).catch(() => {});
    const answers: RawAnswer[] = [];
    try {
      let bytes = new Uint8Array(0);
      const buffer = new Uint8Array(64 * 1024);
      while (answers.length < count) {
        const n = await inTime(conn.read(buffer), `an answer to ${String(pieces[0]).slice(0, 200)}`).catch(
          (error) => {
            if (error instanceof Deno.errors.ConnectionReset) return null;
            throw error;
          },
        );
        if (n === null) break;
        bytes = Uint8Array.from([...bytes, ...buffer.subarray(0, n)]);
        for (let next = takeAnswer(bytes, isHead); next !== undefined; next = takeAnswer(bytes, isHead)) {
          answers.push(next.answer);
          bytes = bytes.slice(next.length);
        }
      }
    } finally {
      conn.close();
      await sending;
    }
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.relay.close();
  }
}

async function send(conn: Deno.Conn, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await pause(1);
    const bytes = typeof piece === "string" ? encoder.encode(piece) : piece;
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  }
}

/** Takes a whole answer from the start of what was read. */
function takeAnswer(bytes: Uint8Array, isHead: boolean): { answer: RawAnswer; length: number } | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 4096)), end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine, ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const fields = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
  }));
  const hasBody = !isHead && status !== 304 && status !== 101;
  const length = end + 4 + (hasBody ? Number(fields["content-length"]) : 0);
  if (bytes.length < length) return undefined;
  const body = bytes.slice(end + 4, length);
  return { answer: { status, fields, bytes: body, text: new TextDecoder().decode(body) }, length };
}
