// What is spoken over a link, behind one interface: nothing but events (plain, here), or a session (session_talk.ts).
// A link makes connections, reads and writes; a talk says what comes first, what to write and what received bytes mean.

import { LineDecoder, type LineSink } from "./line_decoder.ts";
import { type LineSource, Outbox } from "./outbox.ts";

/** A connection that is being opened, as a talk may use it. */
export interface Channel {
  /** Waits for bytes, valid until the next call; `null` when the other side has ended. */
  read(): Promise<Uint8Array | null>;
  /** Writes all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A connection in use, as a talk may use it. */
export interface Connection {
  /** Has what waits written after this turn of the event loop. */
  flush(): void;
  /** Gives the connection up: another one is made. */
  fail(error: Error): void;
}

/** What is said over the connections of one link, which come one after the other. */
export interface Talk {
  /** What is to be written. */
  readonly source: LineSource;
  /** Says and reads what comes first on a new connection; tells whether a session went on. Rejects if that fails. */
  open(channel: Channel): Promise<{ resumed?: boolean }>;
  /** Begins to use the connection that was opened last. */
  begin(connection: Connection): void;
  /** Takes received bytes, valid only during the call. */
  receive(bytes: Uint8Array): void;
  /** Notes that the connection ended. */
  end(): void;
  /** Makes a goodbye the last thing that will be written. */
  finish(): void;
  /** Returns, once, how long the relay asked to stay away, in ms, if it did. */
  takeRetryMs(): number | undefined;
}

/** Speaks level 0: received lines and sent lines, nothing else. */
export class PlainTalk implements Talk {
  readonly #maxUnfinishedBytes: number;
  readonly #sink: LineSink;
  #decoder: LineDecoder;

  /** What is to be written: the events. */
  readonly source: Outbox = new Outbox();

  /** Makes a talk; a received line may have `maxUnfinishedBytes` without having ended. */
  constructor(maxUnfinishedBytes: number, sink: LineSink) {
    this.#maxUnfinishedBytes = maxUnfinishedBytes;
    this.#sink = sink;
    this.#decoder = new LineDecoder(maxUnfinishedBytes, sink);
  }

  /** Says nothing. */
  open(): Promise<{ resumed?: boolean }> {
    return Promise.resolve({});
  }

  /** Forgets the unfinished line of the connection before. */
  begin(): void {
    this.#decoder = new LineDecoder(this.#maxUnfinishedBytes, this.#sink);
  }

  /** Hands the lines on to the sink. */
  receive(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
  }

  /** Needs nothing to be done. */
  end(): void {}

  /** Says no goodbye. */
  finish(): void {}

  /** Knows no such wish. */
  takeRetryMs(): undefined {}
}
