// The seam between a connection and its socket: bytes in, bytes out, close. A TCP or a TLS connection of Deno
// stands behind it.

/** What a connection asks of its socket; {@linkcode Deno.TcpConn} has it. One read and one write are under way at the most. */
export interface Transport {
  /** What carries it, where that is not TCP alone. */
  readonly kind?: "websocket";
  /** How long the last answer of the other side's end of it took, in ms, where it asks for one. */
  readonly rttMs?: number;
  /** How many bytes it should be given at a time at most, where it takes few. */
  readonly maxWriteBytes?: number;
  /** Reads at least one byte and says how many; null at the end of the input. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes at least one byte and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the output; what was written still arrives. */
  closeWrite(): Promise<void>;
  /** Ends both directions; a read or write that is under way rejects. */
  close(): void;
}
