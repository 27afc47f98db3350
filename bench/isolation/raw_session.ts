// A client of the barest kind, for load and probe: it connects, says hello, counts what it receives and
// acknowledges it. It looks at no line but the welcome; who wants to see them gets them in runs of whole
// lines. It does not use the client module.

import { Buffer } from "node:buffer";
import { writeAll } from "../write_all.ts";

/** How much is received before it is acknowledged: half of what the relay sends without. */
const ACK_BYTES = 128 * 1024;
/** More than any line that is looked at: a `$welcome`, or an event of `--max-line`. */
const BUFFER_BYTES = 1024 * 1024;
/** What is enough for a client among thousands, which gets a welcome of at most 32 KiB. */
const SMALL_BUFFER_BYTES = 40 * 1024;
const LF = 10;

const encoder = new TextEncoder();

export interface RawSessionOptions {
  hostname?: string;
  port: number;
  /** The room; undefined makes a plain client. */
  room?: string;
  name?: string;
  /** Further fields of its hello. */
  hello?: Readonly<Record<string, unknown>>;
  /** Goes on with an earlier session. */
  resume?: { session: string; bytes: number };
  /** Takes little memory: for thousands. */
  small?: boolean;
  /** Gets each run of whole lines; the bytes are its own only until it returns. */
  onLines?: (lines: Buffer) => void;
}

/** One connection, plain or a session. */
export class RawSession implements Disposable {
  readonly conn: Deno.TcpConn;
  readonly #isSession: boolean;
  readonly #onLines: ((lines: Buffer) => void) | undefined;
  readonly #buffer: Buffer;
  #held = 0;
  #acked = 0;
  /** The secret of its session and its id, once welcomed. */
  secret = "";
  id = "";
  /** What it has received since the welcome, in bytes of whole lines. */
  received: number;
  /** When something came last, by performance.now(). */
  heardMs = 0;

  private constructor(conn: Deno.TcpConn, { room, resume, small, onLines }: RawSessionOptions) {
    conn.setNoDelay(true);
    this.conn = conn;
    this.#isSession = room !== undefined;
    this.#onLines = onLines;
    this.#buffer = Buffer.allocUnsafe(small ? SMALL_BUFFER_BYTES : BUFFER_BYTES);
    this.received = resume?.bytes ?? 0;
    this.#acked = this.received;
  }

  /** Connects; resolves once welcomed, a plain client at once. Rejects at any other answer. */
  static async open(options: RawSessionOptions): Promise<RawSession> {
    const { hostname = "127.0.0.1", port, room, name, hello: more, resume } = options;
    const conn = await Deno.connect({ hostname, port });
    const session = new RawSession(conn, options);
    if (room === undefined) return session;
    try {
      const hello = {
        $hello: { version: 1, room, ...(name && { name }), ...(resume && { resume }), ...more },
      };
      await writeAll(conn, encoder.encode(JSON.stringify(hello) + "\n"));
      await session.#readWelcome();
    } catch (error) {
      conn.close();
      throw error;
    }
    return session;
  }

  /** Reads until the connection ends or is closed; never rejects. */
  async run(): Promise<void> {
    try {
      for (;;) {
        this.#take();
        if (this.#isSession && this.received - this.#acked >= ACK_BYTES) await this.acknowledge();
        const count = await this.conn.read(this.#buffer.subarray(this.#held));
        if (count === null) return;
        this.heardMs = performance.now();
        this.#held += count;
      }
    } catch {
      // Closed, here or there.
    }
  }

  /** Tells the relay what has been received: also the sign of life of a session that is silent. */
  async acknowledge(): Promise<void> {
    this.#acked = this.received;
    await this.write(encoder.encode(`{"$ack":{"bytes":${this.received}}}\n`));
  }

  #writing: Promise<void> = Promise.resolve();

  /** Writes after whatever is being written. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#writing = this.#writing.then(() => writeAll(this.conn, bytes));
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }

  async #readWelcome(): Promise<void> {
    for (;;) {
      const end = this.#buffer.subarray(0, this.#held).indexOf(LF);
      if (end >= 0) {
        const answer = JSON.parse(this.#buffer.subarray(0, end).toString());
        if (!answer.$welcome) throw new Error(`Cannot join: the relay answered ${JSON.stringify(answer)}`);
        this.secret = answer.$welcome.session;
        this.id = answer.$welcome.id;
        if (!answer.$welcome.resumed) this.received = this.#acked = 0;
        this.heardMs = performance.now();
        this.#buffer.copyWithin(0, end + 1, this.#held);
        this.#held -= end + 1;
        return;
      }
      const count = await this.conn.read(this.#buffer.subarray(this.#held));
      if (count === null) throw new Error("Cannot join: the relay closed the connection");
      this.#held += count;
    }
  }

  /** Hands on all whole lines that are there, and keeps the rest. */
  #take(): void {
    const bytes = this.#buffer.subarray(0, this.#held);
    const end = bytes.lastIndexOf(LF) + 1;
    if (end > 0) {
      this.received += end;
      this.#onLines?.(bytes.subarray(0, end));
      this.#buffer.copyWithin(0, end, this.#held);
      this.#held -= end;
    }
    // Longer than any line that matters here: its bytes count, nobody looks at them.
    if (this.#held === this.#buffer.length) {
      this.received += this.#held;
      this.#held = 0;
    }
  }
}
