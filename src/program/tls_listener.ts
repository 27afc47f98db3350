// A listener that speaks TLS and whose connections can really be closed. Deno's own TLS connections live on after
// close() for as long as the other side wants: one that never shakes hands, or never reads, keeps its socket and all
// that waits to be written. So the socket stays a TCP connection of Deno's, and node:tls only does the arithmetic.
//
//   Deno.TcpConn ⇄ Duplex (encrypted) ⇄ tls.TLSSocket (plain) ⇄ read(), write()

import { Duplex } from "node:stream";
import tls from "node:tls";
import type { Listener } from "../relay/relay.ts";
import type { BoundListener } from "./listen.ts";

/** What {@linkcode listenTls} needs. */
export interface TlsListenOptions {
  hostname: string;
  port: number;
  /** The certificate and those that signed it, and its key, in PEM. */
  cert: string;
  key: string;
  tcpBacklog?: number;
}

type Conn = Awaited<ReturnType<Listener["accept"]>>;

/** The first Deno whose node:tls can be the server's side of a stream. Older ones have Deno's own TLS only, with what it leaves open. */
const FIRST_DENO = [2, 9] as const;

/** How much is handed over by one write: a slow reader shows progress each time it has taken so much. */
const MAX_WRITE_BYTES = 32 * 1024;

/** What a connection reads into at first, and at most once its reads fill that. */
const READ_BYTES = [4 * 1024, 64 * 1024] as const;

/** Listens for connections that speak TLS. Throws what `Deno.listen` throws. */
export function listenTls(options: TlsListenOptions): BoundListener {
  const { hostname, port, cert, key, tcpBacklog } = options;
  if (!canServe()) return Deno.listenTls(options);
  const secureContext = tls.createSecureContext({ cert, key });
  const listener = Deno.listen({ hostname, port, tcpBacklog });
  return {
    addr: listener.addr,
    accept: async () => new TlsTransport(await listener.accept(), secureContext),
    close: () => listener.close(),
  };
}

/** Says what is wrong with a certificate and its key; undefined if nothing is. */
export function tlsFault(cert: string, key: string): string | undefined {
  try {
    // For node:tls does not look at them before somebody comes.
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined; // may not listen there: whether elsewhere shows later
    return error instanceof Error ? error.message : String(error);
  }
}

function canServe(): boolean {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  return major > FIRST_DENO[0] || (major === FIRST_DENO[0] && minor >= FIRST_DENO[1]);
}

/** The server's side of one connection. One reader, one writer. */
class TlsTransport implements Conn {
  readonly remoteAddr: Deno.Addr;
  readonly #conn: Deno.TcpConn;
  readonly #socket: tls.TLSSocket;
  readonly #secured = Promise.withResolvers<void>();
  /** Ends the waits of the read and of the write that are under way. */
  #onReadable: (() => void) | undefined;
  #failWrite: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #hasEnded = false;
  #isClosed = false;

  constructor(conn: Deno.TcpConn, secureContext: tls.SecureContext) {
    this.remoteAddr = conn.remoteAddr;
    this.#conn = conn;
    this.#socket = new tls.TLSSocket(encryptedStream(conn), {
      isServer: true,
      secureContext,
    });
    this.#socket.allowHalfOpen = true; // what is due is still written to who has said its last
    this.#secured.promise.catch(() => {}); // nobody needs to wait for it
    this.#socket.on("secure", () => this.#secured.resolve());
    this.#socket.on("readable", () => this.#onReadable?.());
    this.#socket.on("end", () => {
      this.#hasEnded = true;
      this.#secured.reject(
        new Deno.errors.UnexpectedEof("the connection ended before its TLS handshake did"),
      );
      this.#onReadable?.();
    });
    this.#socket.on("error", (error: Error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Deno.errors.Interrupted("the connection was closed")));
  }

  setNoDelay(noDelay?: boolean): void {
    this.#conn.setNoDelay(noDelay);
  }

  /** Waits for the handshake. Rejects when it fails, and when the connection ends before. */
  handshake(): Promise<void> {
    return this.#secured.promise;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const { readableLength } = this.#socket;
      const bytes: Uint8Array | null = readableLength === 0
        ? this.#socket.read(0)
        : this.#socket.read(Math.min(readableLength, buffer.length));
      if (bytes !== null) {
        buffer.set(bytes);
        return bytes.length;
      }
      if (this.#hasEnded) return null;
      await new Promise<void>((done) => this.#onReadable = done);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const part = bytes.subarray(0, MAX_WRITE_BYTES);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.write(
        part,
        (error) => error ? reject(this.#failure ?? known(error)) : resolve(part.length),
      );
    });
  }

  closeWrite(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.end(resolve);
    });
  }

  /** Closes the socket at once, whatever is under way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(new Deno.errors.Interrupted("the connection was closed"));
    this.#socket.destroy();
    closeConn(this.#conn);
  }

  #fail(error: Error): void {
    this.#failure ??= known(error);
    this.#secured.reject(this.#failure);
    this.#onReadable?.();
    this.#failWrite?.(this.#failure);
  }
}

/** Makes a stream of a connection: what TLS has encrypted. */
function encryptedStream(conn: Deno.TcpConn): Duplex {
  let buffer = new Uint8Array(READ_BYTES[0]);
  const read = async () => {
    const n = await conn.read(buffer);
    if (n === null) return null;
    const bytes = buffer.slice(0, n);
    if (n === buffer.length && n < READ_BYTES[1]) buffer = new Uint8Array(READ_BYTES[1]);
    return bytes;
  };
  const writeAll = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
  };
  return new Duplex({
    allowHalfOpen: true,
    read() {
      read().then((bytes) => this.push(bytes), (error) => this.destroy(error));
    },
    write(bytes: Uint8Array, _encoding, done) {
      writeAll(bytes).then(() => done(), done);
    },
    final(done) {
      conn.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      closeConn(conn);
      done(error);
    },
  });
}

function closeConn(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}

/** Makes an error of Deno's classes of one of node's: what is not the network's is TLS that the other side got wrong. */
function known(error: Error): Error {
  const { code } = error as { code?: string };
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return error;
  switch (code) {
    case "ECONNRESET":
      return new Deno.errors.ConnectionReset(error.message);
    case "EPIPE":
    case "ERR_STREAM_WRITE_AFTER_END":
      return new Deno.errors.BrokenPipe(error.message);
    case "ECANCELED":
    case "ERR_STREAM_DESTROYED":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return new Deno.errors.Interrupted(error.message);
  }
  return new Deno.errors.InvalidData(error.message);
}
