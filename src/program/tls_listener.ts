// A listener that speaks TLS and whose connections are really closed when they are closed, where the runtime
// can do that.

import type { Accepted, Listener } from "../relay/relay.ts";
import { nodeParts, TlsStream } from "../wire/tls_stream.ts";

/** A listener that says on which port. */
export interface BoundListener extends Listener {
  readonly addr: { port: number };
}

/** What {@linkcode listenTls} needs. */
export interface TlsListenOptions {
  hostname: string;
  port: number;
  /** The certificate and those that signed it, and its key, in PEM. */
  cert: string;
  key: string;
  tcpBacklog?: number;
}

/** Listens for connections that speak TLS. Throws what `Deno.listen` throws. */
export function listenTls(options: TlsListenOptions): BoundListener {
  const parts = nodeParts();
  if (parts === undefined) return Deno.listenTls(options);
  const { cert, key, ...address } = options;
  const secureContext = parts.tls.createSecureContext({ cert, key });
  const listener = Deno.listen(address);
  return {
    addr: listener.addr,
    accept: async () => {
      const conn = await listener.accept();
      return new TlsTransport(conn, TlsStream.serve(parts, conn, secureContext));
    },
    close: () => listener.close(),
  };
}

/** Says what is wrong with a certificate and its key; undefined if nothing is. */
export function tlsFault(cert: string, key: string): string | undefined {
  if (/^(-----BEGIN ENCRYPTED |Proc-Type: *4,ENCRYPTED)/m.test(key)) {
    return "the key is encrypted, one without a passphrase is allowed";
  }
  try {
    // For node:tls does not look at them before somebody comes.
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined; // not there: elsewhere shows later
    return error instanceof Error ? error.message : String(error);
  }
}

class TlsTransport implements Accepted {
  readonly remoteAddr: Deno.Addr;
  readonly #conn: Deno.TcpConn;
  readonly #stream: TlsStream;

  constructor(conn: Deno.TcpConn, stream: TlsStream) {
    this.remoteAddr = conn.remoteAddr;
    this.#conn = conn;
    this.#stream = stream;
  }

  setNoDelay(noDelay?: boolean): void {
    this.#conn.setNoDelay(noDelay);
  }

  handshake(): Promise<void> {
    return this.#stream.handshake();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const bytes = await this.#stream.read(buffer.length);
    if (bytes === null) return null;
    buffer.set(bytes);
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#stream.endWriting();
  }

  close(): void {
    this.#stream.close();
  }
}
