// TCP and TLS by node:net and node:tls, in Node and Bun. They are asked for at run time: nothing is imported,
// so that a page can load this file, too.

import type { Address } from "../target.ts";
import { NodeStream, type Stream } from "../../wire/node_stream.ts";
import { isAddress, trusted, type TrustStore } from "../../wire/tls_stream.ts";
import { builtinModule } from "./runtime.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";

/** A socket of net or tls, as much of it as this needs. */
interface Socket extends Stream {
  destroy(): void;
  setNoDelay(isOn: boolean): void;
}

interface SocketOptions {
  host: string;
  port: number;
  allowHalfOpen: boolean;
  servername?: string;
  ca?: string[];
}

interface Net {
  connect(options: SocketOptions): Socket;
}

interface Tls extends Net, TrustStore {}

/**
 * Returns a function that opens a TCP connection, or with `tls` one that is encrypted, with `TCP_NODELAY`.
 */
export function openNode(tls?: TlsOptions): OpenTransport {
  return async (address, signal) => {
    signal.throwIfAborted();
    const transport = new NodeTransport(tls === undefined ? connectTcp(address) : connectTls(address, tls));
    return await transport.opened(tls === undefined ? "connect" : "secureConnect", signal);
  };
}

function connectTcp({ hostname, port }: Address): Socket {
  return builtinModule<Net>("net")!.connect({ host: hostname, port, allowHalfOpen: true });
}

function connectTls({ hostname, port }: Address, { caCerts }: TlsOptions): Socket {
  const tls = builtinModule<Tls>("tls")!;
  return tls.connect({
    host: hostname,
    port,
    allowHalfOpen: true,
    ...(isAddress(hostname) ? {} : { servername: hostname }),
    ...(caCerts === undefined ? {} : { ca: trusted(tls, caCerts) }),
  });
}

class NodeTransport implements Transport {
  readonly #socket: Socket;
  readonly #stream: NodeStream;
  readonly #opened = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#stream = new NodeStream(socket);
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  /** Waits until it is open. */
  async opened(event: string, signal: AbortSignal): Promise<Transport> {
    const { promise, resolve, reject } = this.#opened;
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    this.#socket.on(event, () => resolve());
    this.#socket.on("end", () => reject(new Error("the connection ended before its TLS handshake did")));
    try {
      await promise;
      this.#socket.setNoDelay(true);
      return this;
    } catch (error) {
      this.#socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  read(): Promise<Uint8Array | null> {
    return this.#stream.read();
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  endWriting(): Promise<void> {
    return this.#stream.endWriting();
  }

  close(): void {
    this.#fail(new Error("the connection was closed"));
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#opened.reject(error);
    this.#stream.fail(error);
  }
}
