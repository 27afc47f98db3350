// TLS that can be broken off, for both sides. A TLS connection of Deno's own lives on after close() for as
// long as the other side wants: while it doesn't shake hands, or doesn't read. So the socket stays a TCP
// connection of Deno's, which can be closed, and node:tls, where the runtime has it, does the arithmetic. It
// is asked for at run time: nothing of node is imported.
//
//   Deno.TcpConn ⇄ Duplex (encrypted) ⇄ tls.TLSSocket (plain) ⇄ read(), write()

import { NodeStream, type Stream } from "./node_stream.ts";

/** The first Deno whose node:tls works over a stream on both sides, and really closes it. */
const FIRST_DENO = [2, 9] as const;

/** What the encrypted bytes are read into, and while reads fill that: a record has 16 KiB at most. */
const READ_BYTES = [4 * 1024, 16 * 1024] as const;

/**
 * How much may wait decrypted for its reader, in bytes: then no more is read from the network, for node:tls
 * would take all that comes.
 */
const MAX_DECRYPTED_BYTES = 16 * 1024;

/**
 * How long a server lets one wait who sends more than a read takes, in ms: reads that find something at once
 * keep the event loop from its other sockets, which it looks at each 61st time (tokio's event_interval), and
 * others waited for a tenth of a second. A timer, however short, ends that.
 */
const SERVER_PAUSE_MS = 0;

/** As much of node's Duplex as this needs. */
interface DuplexStream extends Stream {
  allowHalfOpen: boolean;
  push(bytes: Uint8Array | null): void;
  destroy(error?: Error): void;
}

interface TlsSocket extends DuplexStream {
  readonly authorized: boolean;
  /** Why not: a code, or an error with one. */
  readonly authorizationError?: unknown;
  getPeerCertificate(): { valid_from?: string; valid_to?: string } | undefined;
}

interface StreamOptions {
  allowHalfOpen: boolean;
  read(this: DuplexStream): void;
  write(bytes: Uint8Array, encoding: string, done: (error?: Error) => void): void;
  final(done: (error?: Error) => void): void;
  destroy(error: Error | null, done: (error: Error | null) => void): void;
}

interface ConnectOptions {
  socket: DuplexStream;
  host: string;
  servername: string;
  ca?: string[];
  rejectUnauthorized: boolean;
}

/** As much of node's TLS as says whom the system trusts. */
export interface TrustStore {
  getCACertificates?(kind: "default"): string[];
  rootCertificates: readonly string[];
}

interface NodeTls extends TrustStore {
  connect(options: ConnectOptions): TlsSocket;
  createSecureContext(options: { cert: string; key: string }): SecureContext;
  TLSSocket: new (
    socket: DuplexStream,
    options: { isServer: true; secureContext: SecureContext },
  ) => TlsSocket;
}

/** A certificate and its key, understood. */
export type SecureContext = { readonly _isSecureContext?: never } & object;

/** The parts of node that TLS is made of. */
export interface NodeParts {
  tls: NodeTls;
  Duplex: new (options: StreamOptions) => DuplexStream;
}

/** Returns them, or undefined where there are none, or none that close what they should. */
export function nodeParts(): NodeParts | undefined {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  if (major < FIRST_DENO[0] || (major === FIRST_DENO[0] && minor < FIRST_DENO[1])) return undefined;
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const tls = process?.getBuiltinModule?.("tls") as NodeTls | undefined;
  const stream = process?.getBuiltinModule?.("stream") as { Duplex: NodeParts["Duplex"] } | undefined;
  return tls && stream && { tls, Duplex: stream.Duplex };
}

/** TLS over a connection, which it owns from now on. One reader, one writer. Errors are of Deno's classes. */
export class TlsStream {
  readonly #conn: Deno.TcpConn;
  readonly #socket: TlsSocket;
  readonly #stream: NodeStream;
  readonly #valve: Valve;
  readonly #secured = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(conn: Deno.TcpConn, socket: TlsSocket, valve: Valve) {
    this.#conn = conn;
    this.#socket = socket;
    this.#stream = new NodeStream(socket, inWordsOfDeno);
    this.#valve = valve;
    valve.isOpen = () => socket.readableLength < MAX_DECRYPTED_BYTES;
    this.#secured.promise.catch(() => {}); // nobody needs to wait for it
    socket.allowHalfOpen = true; // what is due is still written to who has said its last
    socket.on("end", () => {
      this.#secured.reject(
        new Deno.errors.UnexpectedEof("the connection ended before its TLS handshake did"),
      );
    });
    socket.on("error", (error) => this.#fail(inWordsOfDeno(error)));
    // What goes wrong after the handshake node tells the server's side of a bare socket in this way alone.
    socket.on("_tlsError", (error) => this.#fail(inWordsOfDeno(error)));
    socket.on("close", () => this.#fail(closed()));
  }

  /** Is the server's side. */
  static serve({ tls, Duplex }: NodeParts, conn: Deno.TcpConn, secureContext: SecureContext): TlsStream {
    const valve = new Valve(), encrypted = encryptedStream(Duplex, conn, valve, SERVER_PAUSE_MS);
    const socket = new tls.TLSSocket(encrypted, { isServer: true, secureContext });
    const stream = new TlsStream(conn, socket, valve);
    socket.on("secure", () => stream.#secured.resolve());
    return stream;
  }

  /**
   * Is the client's side; trusts certificates that the system trusts, and those that `caCerts` (PEM) have
   * signed.
   */
  static connect(parts: NodeParts, conn: Deno.TcpConn, hostname: string, caCerts?: string[]): TlsStream {
    const { tls, Duplex } = parts, valve = new Valve();
    const socket = tls.connect({
      socket: encryptedStream(Duplex, conn, valve),
      host: hostname,
      servername: isAddress(hostname) ? "" : hostname,
      ca: caCerts && trusted(tls, caCerts),
      // Not by node, which would forget the certificate and so the reason, but below: nothing was said by
      // then.
      rejectUnauthorized: false,
    });
    const stream = new TlsStream(conn, socket, valve);
    socket.on("secureConnect", () => {
      if (socket.authorized === true) stream.#secured.resolve();
      else stream.#fail(certificateError(socket));
    });
    return stream;
  }

  /**
   * Waits for the handshake; a client has found the other side's certificate good then. Rejects if it fails,
   * and when the connection ends before.
   */
  handshake(): Promise<void> {
    return this.#secured.promise;
  }

  /** Waits for bytes: at least one and at most `maxBytes`, or null when the other side has ended. */
  async read(maxBytes: number): Promise<Uint8Array | null> {
    const bytes = await this.#stream.read(maxBytes);
    this.#valve.look();
    return bytes;
  }

  /** Writes some of the bytes and says how many. They must not change meanwhile. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  /** Ends the output, after all that was written. */
  endWriting(): Promise<void> {
    return this.#stream.endWriting();
  }

  /** Closes the socket at once; what is under way rejects. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(closed());
    this.#socket.destroy();
    closeConn(this.#conn);
  }

  #fail(error: Error): void {
    this.#secured.reject(error);
    this.#stream.fail(error);
  }
}

/** Holds back what reads from the network while enough waits for who reads from this. */
class Valve {
  isOpen: () => boolean = () => true;
  #onOpened: (() => void) | undefined;

  /** Waits until it is open. For one who waits. */
  opened(): Promise<void> {
    return this.isOpen() ? Promise.resolve() : new Promise((done) => this.#onOpened = done);
  }

  /** Is to be called when it may have opened. */
  look(): void {
    if (this.#onOpened === undefined || !this.isOpen()) return;
    this.#onOpened();
    this.#onOpened = undefined;
  }
}

/**
 * Makes a stream of a connection: what TLS has encrypted. `pauseMs`, if any, is how long it does not read after
 * it was given as much as it could take.
 */
function encryptedStream(
  Duplex: NodeParts["Duplex"],
  conn: Deno.TcpConn,
  valve: Valve,
  pauseMs?: number,
): DuplexStream {
  let size: number = READ_BYTES[0], isPauseDue = false;
  let buffer = new Uint8Array(size);
  const read = async () => {
    await valve.opened();
    if (isPauseDue) await new Promise((done) => setTimeout(done, pauseMs));
    if (size !== buffer.length) buffer = new Uint8Array(size);
    const n = await conn.read(buffer);
    if (n === null) return null;
    isPauseDue = pauseMs !== undefined && n === READ_BYTES[1];
    if (n === buffer.length) size = READ_BYTES[1];
    else if (n < READ_BYTES[0]) size = READ_BYTES[0];
    return buffer.slice(0, n);
  };
  const writeAll = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
  };
  return new Duplex({
    allowHalfOpen: true,
    read() {
      read().then((bytes) => this.push(bytes), (error) => this.destroy(error));
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

/** Lists the certificates to trust: those that the system trusts, and `caCerts`, in PEM. */
export function trusted(tls: TrustStore, caCerts: readonly string[]): string[] {
  return [...tls.getCACertificates?.("default") ?? tls.rootCertificates, ...caCerts];
}

/** Whether a host is named by its address, for which there is no SNI. */
export function isAddress(hostname: string): boolean {
  return /^[\d.]+$/.test(hostname) || hostname.includes(":");
}

/**
 * Makes an error of Deno's classes of one of node's: what is not the network's is TLS that the other side got
 * wrong.
 */
function inWordsOfDeno(error: Error): Error {
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return error;
  switch ((error as { code?: string }).code) {
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
