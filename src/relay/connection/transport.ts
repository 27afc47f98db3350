// The seam between a connection and its socket: bytes in, bytes out, two ways to end. A TCP or a TLS
// connection of Deno stands behind it, or a WebSocket over one of these, which has messages of its own.

import type { ErrorCode } from "../../wire/protocol.ts";
import type { EndReason } from "../member/member.ts";
import type { Source } from "../room/cursor.ts";

/** Why the relay ends a connection: what the other side is told, where its transport can say it. */
export interface Farewell {
  reason: EndReason;
  /** The code of the `$error` with which it is refused. */
  code?: ErrorCode;
}

/**
 * What a connection asks of its socket; {@linkcode Deno.TcpConn} has it. One read and one write are under way
 * at the most.
 */
export interface Transport {
  /** What carries it, where that is not TCP alone. */
  readonly kind?: "websocket";
  /** How long the last answer of the other side's end of it took, in ms, where it asks for one. */
  readonly rttMs?: number;
  /** How many bytes it should be given at a time at most, where it takes few. */
  readonly maxWriteBytes?: number;
  /** What a WebSocket knows beside the bytes of lines; undefined for TCP and TLS. */
  readonly websocket?: WebSocketSide;
  /**
   * Reads at least one byte and says how many; null at the end of the input. A WebSocket returns 0 where what
   * came holds no byte of a line, or its client is at fault.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Writes at least one byte and says how many. Whoever began a run of lines goes on with it until it is
   * written, before anything else.
   * @param source where the bytes come from, if from a log: it tells what may be shared, or written to
   */
  write(bytes: Uint8Array, source?: Source): Promise<number>;
  /** Ends the output; what was written still arrives. */
  closeWrite(farewell?: Farewell): Promise<void>;
  /** Ends both directions; a read or write that is under way rejects. */
  close(): void;
}

/** Whether an error of a transport is one by which connections end in everyday life, or by our own close. */
export function isExpectedEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

/** Closes a transport that may be closed already. */
export function closeQuietly(conn: Pick<Transport, "close">): void {
  try {
    conn.close();
  } catch {
    // It is.
  }
}

/**
 * What the client of a WebSocket did that ends it: the code of the close frame, and what was wrong in words.
 */
export interface FrameFault {
  code: number;
  message: string;
}

/** What is to be known of the client of a WebSocket. */
export interface WebSocketSide {
  /** What it did wrong. Nothing it sends is looked at any more. */
  readonly fault: FrameFault | undefined;
  /** Whether it has closed: it reads nothing any more. */
  readonly hasClosed: boolean;
  /** Whether a message was begun and has not ended: the line at its end may be a half one. */
  readonly isMidMessage: boolean;
  /** How much of the buffer the last read filled, headers and all. */
  readonly filledBytes: number;
  /**
   * How long nothing has been heard of it, in ms, less the time that what was written to it since may take.
   */
  silentMs(nowMs: number): number;
  /** Asks for a sign of life, where there was none for a while. Is called every so often. */
  sweep(nowMs: number): void;
}
