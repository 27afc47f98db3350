// The seam between the client and the network: bytes in, bytes out, close. TCP stands here today; a WebSocket
// can stand in the same place. The only file of the client that touches Deno's network functions, and the one
// that says in people's words why a connection could not be made.

import type { Address } from "../target.ts";

/** A connection as the client needs it. One reader, one writer. */
export interface Transport {
  /**
   * Waits for bytes: at least one, or `null` when the other side has ended. The bytes are valid until the next call.
   * Rejects when the connection broke or `close()` was called.
   */
  read(): Promise<Uint8Array | null>;
  /** Hands over some of the bytes, at least one, and returns how many. Rejects when the connection broke. */
  write(bytes: Uint8Array): Promise<number>;
  /** Tells the other side that nothing more will come, after all that was written. */
  endWriting(): Promise<void>;
  /** Closes at once and makes a pending `read()` reject. May be called again. */
  close(): void;
}

/** Opens a connection. Rejects when that fails, and with the signal's reason when it is aborted. */
export type OpenTransport = (address: Address, signal: AbortSignal) => Promise<Transport>;

/** The size of the buffer a connection reads into: as much as arrives in one turn is taken by one call. */
const READ_BUFFER_BYTES = 64 * 1024;

/** Whose certificates to trust beside those that the system trusts: certificates in PEM. */
export interface TlsOptions {
  /** Certificates in PEM. */
  caCerts?: string[];
}

/** Opens a TCP connection, with small writes sent at once (`TCP_NODELAY`). */
export async function openTcp(address: Address, signal: AbortSignal): Promise<Transport> {
  return new ConnTransport(await connectTcp(address, signal));
}

/** Returns a function that opens a TLS connection, and is done when the relay's certificate was found good. */
export function openTls({ caCerts }: TlsOptions): OpenTransport {
  return async (address, signal) => {
    const tcp = await connectTcp(address, signal);
    // Sends nothing yet: the handshake does.
    return handshake(await Deno.startTls(tcp, { hostname: address.hostname, caCerts }), signal);
  };
}

async function handshake(conn: Deno.TlsConn, signal: AbortSignal): Promise<Transport> {
  const transport = new ConnTransport(conn);
  const close = () => transport.close();
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    await conn.handshake();
    signal.throwIfAborted();
    return transport;
  } catch (error) {
    transport.close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function connectTcp({ hostname, port }: Address, signal: AbortSignal): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port, signal });
  try {
    conn.setNoDelay(true);
  } catch {
    // A connection that is already broken says so at the first read.
  }
  return conn;
}

class ConnTransport implements Transport {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  #isClosed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#conn.read(this.#buffer);
    return bytes === null ? null : this.#buffer.subarray(0, bytes);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  endWriting(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }
}

/** Makes the error for a connection that could not be opened; the original is kept as its `cause`. */
export function connectError({ label }: Address, cause: unknown): Error {
  return new Error(`Cannot connect to ${label}: ${reason(label, cause)}`, { cause });
}

/** Tells whether trying again is useless, because this program was not given the permission. */
export function isPermissionError(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotCapable" || error.name === "PermissionDenied");
}

/** Tells whether trying again is useless: no permission, or a certificate that is not to be trusted. */
export function isHopeless(error: unknown): boolean {
  return isPermissionError(error) ||
    (error instanceof Error && certificateReason(error.message) !== undefined);
}

// In the words of rustls, which differ from version to version.
function certificateReason(message: string): string | undefined {
  if (!/certificate|corrupt message/i.test(message)) return undefined;
  if (/expired/i.test(message)) return "its certificate has expired, the relay needs a new one";
  if (/not ?valid ?yet/i.test(message)) {
    return "its certificate is not valid yet, is the clock of this machine right";
  }
  if (/UnknownIssuer/i.test(message)) {
    return "its certificate is signed by nobody that is trusted here, name whom to trust: { tls: { caCerts: […] } }";
  }
  if (/NotValidForName|not valid for name/i.test(message)) return "its certificate is for another host";
  if (/InvalidContentType|corrupt message/i.test(message)) {
    return "it does not speak TLS there, leave out tls";
  }
  return `its certificate is not good, ${message}`;
}

// By name, not by class: where there is no Deno there are no such classes.
function reason(label: string, cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (isPermissionError(cause)) return `this program may not, run it with --allow-net=${label}`;
  switch (cause.name) {
    case "ConnectionRefused":
      return "connection refused, is the relay running there";
    case "TimedOut":
      return "no answer, is the host up and the port open";
    case "TimeoutError":
      return `${cause.message}, is the host up and the port open`;
  }
  const certificate = certificateReason(cause.message);
  if (certificate !== undefined) return certificate;
  const { code } = cause as { code?: string };
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return "no way leads to the host, is it up and is this machine on its network";
  }
  if (/lookup address|host is known|name or service|nodename/i.test(cause.message)) {
    return "no such host, is its name spelled right";
  }
  return cause.message;
}
