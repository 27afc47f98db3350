// TCP and TLS by node:net and node:tls, in Node and Bun. They are asked for at run time: nothing is imported,
// so that a page can load this file, too.

import type { Address } from "../target.ts";
import { builtinModule } from "./runtime.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";

/** How much is handed over by one write: a slow reader shows progress each time it has taken so much. */
const MAX_WRITE_BYTES = 32 * 1024;

/** A socket of net or tls, as much of it as this needs. */
interface Socket {
  read(): Uint8Array | null;
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void;
  end(done: () => void): void;
  destroy(): void;
  setNoDelay(isOn: boolean): void;
  on(event: string, listener: (error: Error) => void): void;
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

interface Tls extends Net {
  getCACertificates?(kind: "default"): string[];
  rootCertificates: readonly string[];
}

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
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.includes(":");
  const trusted = caCerts && [...tls.getCACertificates?.("default") ?? tls.rootCertificates, ...caCerts];
  return tls.connect({
    host: hostname,
    port,
    allowHalfOpen: true,
    ...(isAddress ? {} : { servername: hostname }),
    ...(trusted === undefined ? {} : { ca: trusted }),
  });
}

class NodeTransport implements Transport {
  readonly #socket: Socket;
  #failure: Error | undefined;
  #hasEnded = false;
  /** Ends the waits of the read and of the write that are under way. */
  #onReadable: (() => void) | undefined;
  #failWrite: ((error: Error) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("readable", () => this.#onReadable?.());
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#onReadable?.();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  /** Waits until it is open. */
  async opened(event: string, signal: AbortSignal): Promise<Transport> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => this.#fail(signal.reason);
    signal.addEventListener("abort", abort);
    this.#failWrite = reject;
    this.#socket.on(event, () => resolve());
    this.#socket.on("end", () => this.#fail(new Error("the connection ended before its TLS handshake did")));
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

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const bytes = this.#socket.read();
      if (bytes !== null && bytes.length > 0) return bytes;
      if (this.#hasEnded) return null;
      await new Promise<void>((done) => this.#onReadable = done);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const part = bytes.subarray(0, MAX_WRITE_BYTES);
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
    this.#fail(new Error("the connection was closed"));
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#onReadable?.();
    this.#failWrite?.(this.#failure);
  }
}
