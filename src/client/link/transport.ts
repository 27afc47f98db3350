// The seam between the client and the network: bytes in, bytes out, close. What stands behind it is in
// deno_transport.ts, node_transport.ts and websocket_transport.ts; which of them, in open_transport.ts.

import type { Address } from "../target.ts";

/** A connection as the client needs it. One reader, one writer. */
export interface Transport {
  /**
   * Waits for bytes: at least one, or `null` when the other side has ended. The bytes are valid until the
   * next call. Rejects when the connection broke or `close()` was called.
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

/** Whose certificates to trust beside those that the system trusts: certificates in PEM. */
export interface TlsOptions {
  /** Certificates in PEM. */
  caCerts?: string[];
}
