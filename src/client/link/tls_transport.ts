// TLS that can be broken off. A TLS connection of Deno's own lives on after close() for as long as the other
// side wants: while it doesn't shake hands, or doesn't read. So the socket stays a TCP connection of Deno's,
// which can be closed, and node:tls, where the runtime has it, does the arithmetic. It is asked for at run
// time, so that nothing is imported.

import type { Address } from "../target.ts";
import type { Transport } from "./transport.ts";

/** The first Deno whose node:tls can be a client over a stream and really close it. */
const FIRST_DENO = [2, 9] as const;

/** What a connection reads into. */
const READ_BYTES = 64 * 1024;

/** How much is handed over by one write. */
const MAX_WRITE_BYTES = 32 * 1024;

interface Stream {
  allowHalfOpen: boolean;
  readonly readableLength: number;
  push(bytes: Uint8Array | null): void;
  read(size: number): Uint8Array | null;
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void;
  end(done: () => void): void;
  destroy(error?: Error): void;
  on(event: string, listener: (error: Error) => void): void;
}

interface TlsSocket extends Stream {
  /** Whether the certificate was found good, and if it wasn't, why: a code or an error with one. */
  readonly authorized: boolean;
  readonly authorizationError?: unknown;
  getPeerCertificate(): { valid_from?: string; valid_to?: string } | undefined;
}

interface ConnectOptions {
  socket: Stream;
  host: string;
  servername: string;
  ca?: string[];
  rejectUnauthorized: boolean;
}

interface StreamOptions {
  allowHalfOpen: boolean;
  read(this: Stream): void;
  write(bytes: Uint8Array, encoding: string, done: (error?: Error) => void): void;
  final(done: (error?: Error) => void): void;
  destroy(error: Error | null, done: (error: Error | null) => void): void;
}

interface NodeTls {
  connect(options: ConnectOptions): TlsSocket;
  getCACertificates?(kind: "default"): string[];
  rootCertificates: readonly string[];
}

/** The parts of node that this needs. */
export interface NodeParts {
  tls: NodeTls;
  Duplex: new (options: StreamOptions) => Stream;
}

/** Returns them, or undefined where there are none, or none that close what they should. */
export function nodeParts(): NodeParts | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  if (major < FIRST_DENO[0] || (major === FIRST_DENO[0] && minor < FIRST_DENO[1])) return undefined;
  const tls = process?.getBuiltinModule?.("tls") as NodeTls | undefined;
  const stream = process?.getBuiltinModule?.("stream") as { Duplex: NodeParts["Duplex"] } | undefined;
  return tls && stream && { tls, Duplex: stream.Duplex };
}

/** TLS over a connection, which it owns from now on. */
export class TlsTransport implements Transport {
  readonly #conn: Deno.TcpConn;
  readonly #socket: TlsSocket;
  readonly #secured = Promise.withResolvers<void>();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #onReadable: (() => void) | undefined;
  #failWrite: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #hasEnded = false;
  #isClosed = false;

  constructor({ tls, Duplex }: NodeParts, conn: Deno.TcpConn, { hostname }: Address, caCerts?: string[]) {
    this.#conn = conn;
    this.#secured.promise.catch(() => {}); // who closes doesn't wait for it
    const ca = caCerts && [...tls.getCACertificates?.("default") ?? tls.rootCertificates, ...caCerts];
    const socket = encryptedStream(Duplex, conn);
    const servername = isAddress(hostname) ? "" : hostname;
    // Not rejected by node, which would forget the certificate and so the reason, but below: nothing was said
    // by then.
    this.#socket = tls.connect({ socket, host: hostname, servername, ca, rejectUnauthorized: false });
    this.#socket.allowHalfOpen = true;
    this.#socket.on("secureConnect", () => {
      if (this.#socket.authorized === true) this.#secured.resolve();
      else this.#fail(certificateError(this.#socket));
    });
    this.#socket.on("readable", () => this.#onReadable?.());
    this.#socket.on("end", () => {
      this.#hasEnded = true;
      this.#secured.reject(
        new Deno.errors.UnexpectedEof("the connection ended before its TLS handshake did"),
      );
      this.#onReadable?.();
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(closed()));
  }

  /**
   * Waits until the other side's certificate was found good. Rejects if it wasn't, and when the connection
   * ends before.
   */
  handshake(): Promise<void> {
    return this.#secured.promise;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const { readableLength } = this.#socket;
      const bytes = this.#socket.read(Math.min(readableLength, this.#buffer.length));
      if (bytes !== null && bytes.length > 0) {
        this.#buffer.set(bytes);
        return this.#buffer.subarray(0, bytes.length);
      }
      if (this.#hasEnded) return null;
      await new Promise<void>((done) => this.#onReadable = done);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const part = bytes.slice(0, MAX_WRITE_BYTES);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.write(part, (error) => error ? reject(this.#failure ?? error) : resolve(part.length));
    });
  }

  endWriting(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.end(resolve);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(closed());
    this.#socket.destroy();
    closeConn(this.#conn);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#secured.reject(this.#failure);
    this.#onReadable?.();
    this.#failWrite?.(this.#failure);
  }
}

/** Makes a stream of a connection: what TLS has encrypted. */
function encryptedStream(Duplex: NodeParts["Duplex"], conn: Deno.TcpConn): Stream {
  const buffer = new Uint8Array(READ_BYTES);
  const writeAll = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
  };
  return new Duplex({
    allowHalfOpen: true,
    read() {
      conn.read(buffer).then(
        (n) => this.push(n === null ? null : buffer.slice(0, n)),
        (error) => this.destroy(error),
      );
    },
    write(bytes, _encoding, done) {
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

function closed(): Error {
  return new Deno.errors.Interrupted("the connection was closed");
}

function closeConn(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}

function isAddress(hostname: string): boolean {
  return /^[\d.]+$/.test(hostname) || hostname.includes(":");
}

/**
 * Says in the words of Deno's own TLS what is wrong with a certificate, for node:tls has one code for much of
 * it.
 */
function certificateError(socket: TlsSocket): Error {
  const { authorizationError: fault } = socket;
  const code = String((fault as { code?: unknown } | null | undefined)?.code ?? fault);
  const { valid_from: from = "", valid_to: to = "" } = socket.getPeerCertificate() ?? {};
  const why = Date.parse(to) < Date.now()
    ? "Expired"
    : Date.parse(from) > Date.now()
    ? "NotValidYet"
    : code === "ERR_TLS_CERT_ALTNAME_INVALID"
    ? "NotValidForName"
    : "UnknownIssuer";
  return new Deno.errors.InvalidData(`invalid peer certificate: ${why} (${code})`);
}
