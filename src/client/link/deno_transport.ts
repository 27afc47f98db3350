// TCP and TLS by the network functions of Deno. The only file of the client that touches them, beside the TLS
// of src/wire/.

import type { Address } from "../target.ts";
import { nodeParts, TlsStream } from "../../wire/tls_stream.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";

/** The size of the buffer a connection reads into: as much as arrives in one turn is taken by one call. */
const READ_BUFFER_BYTES = 64 * 1024;

/** Opens a TCP connection, with small writes sent at once (`TCP_NODELAY`). */
export async function openTcp(address: Address, signal: AbortSignal): Promise<Transport> {
  return new ConnTransport(await connectTcp(address, signal));
}

/**
 * Returns a function that opens a TLS connection, and is done when the relay's certificate was found good.
 */
export function openTls({ caCerts }: TlsOptions): OpenTransport {
  return async (address, signal) => {
    const tcp = await connectTcp(address, signal);
    const parts = nodeParts();
    if (parts !== undefined && (caCerts === undefined || mayReadSystemCerts())) {
      const stream = TlsStream.connect(parts, tcp, address.hostname, caCerts);
      return await shakeHands(new TlsTransport(stream), () => stream.handshake(), signal);
    }
    const conn = await Deno.startTls(tcp, { hostname: address.hostname, caCerts }); // sends nothing yet
    return await shakeHands(new ConnTransport(conn), () => conn.handshake(), signal);
  };
}

/**
 * Whether the program may ask which certificates the system trusts: node:tls wants to be told those beside
 * others. Deno's own TLS needs no such permission; what it lacks is said in src/wire/tls_stream.ts.
 */
function mayReadSystemCerts(): boolean {
  return Deno.permissions.querySync({ name: "sys", kind: "ca" }).state === "granted";
}

async function shakeHands(
  transport: Transport,
  handshake: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<Transport> {
  const close = () => transport.close();
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    await handshake();
    signal.throwIfAborted();
    return transport;
  } catch (error) {
    transport.close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/**
 * Connects. Ends at once when it is aborted: Deno itself would wait until a name is looked up, which may take
 * long.
 */
async function connectTcp({ hostname, port }: Address, signal: AbortSignal): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  const connecting = Deno.connect({ hostname, port, signal });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    // Where both happen in one turn the connection is given out, and whoever gets it closes it: only once.
    const conn = await Promise.race([connecting, aborted]);
    try {
      conn.setNoDelay(true);
    } catch {
      // A connection that is already broken says so at the first read.
    }
    return conn;
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {}); // should it be there after all
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
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

class TlsTransport implements Transport {
  readonly #stream: TlsStream;

  constructor(stream: TlsStream) {
    this.#stream = stream;
  }

  read(): Promise<Uint8Array | null> {
    return this.#stream.read(READ_BUFFER_BYTES);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  endWriting(): Promise<void> {
    return this.#stream.endWriting();
  }

  close(): void {
    this.#stream.close();
  }
}
