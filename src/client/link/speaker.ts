// What is spoken over a link, behind one interface: nothing but events, or a session. A link makes
// connections, reads and writes; a speaker says what comes first, what to write and what received bytes mean.

import type { LineSource } from "./line_source.ts";

/** A connection that is being opened, as a speaker may use it. */
export interface Pipe {
  /** How long ago the attempt to connect began, in ms. */
  ageMs(): number;
  /** Waits for bytes, valid until the next call; `null` when the other side has ended. */
  read(): Promise<Uint8Array | null>;
  /** Writes all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A connection in use, as a speaker may use it. */
export interface LiveLink {
  /** Has what waits written after this turn of the event loop. */
  flush(): void;
  /** Gives the connection up: another one is made. */
  fail(error: Error): void;
}

/** What is said over the connections of one link, which come one after the other. */
export interface Speaker {
  /** What is to be written. */
  readonly source: LineSource;
  /**
   * Says and reads what comes first on a new connection; tells whether a session went on. Rejects if that
   * fails.
   */
  open(pipe: Pipe): Promise<{ resumed?: boolean }>;
  /** Begins to use the connection that was opened last. */
  begin(connection: LiveLink): void;
  /** Takes received bytes, valid only during the call. */
  receive(bytes: Uint8Array): void;
  /**
   * Looks at once whether the other side is still there: the program, or its whole machine, stood still for a
   * while.
   */
  wake(): void;
  /** Notes that the connection ended. */
  end(): void;
  /** Makes a goodbye the last thing that will be written. */
  finish(): void;
  /** Returns, once, how long the relay asked to stay away, in ms, if it did. */
  takeRetryMs(): number | undefined;
}
