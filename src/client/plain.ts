// Level 0 as a client speaks it: events in lines, nothing else; and the refusal of what needs more. Touches
// no socket: its link does.

import { LineDecoder, type LineSink } from "./link/line_decoder.ts";
import type { Speaker } from "./link/speaker.ts";
import { PlainOutbox } from "./plain_outbox.ts";

/** Speaks level 0: received lines and sent lines, nothing else. */
export class PlainSpeaker implements Speaker {
  readonly #maxUnfinishedBytes: number;
  readonly #sink: LineSink;
  #decoder: LineDecoder;

  /** What is to be written: the events. */
  readonly source: PlainOutbox = new PlainOutbox();

  /** Makes a speaker; a received line may have `maxUnfinishedBytes` without having ended. */
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

  /** Can't ask: there is no answer at level 0. */
  wake(): void {}

  /** Needs nothing to be done. */
  end(): void {}

  /** Says no goodbye. */
  finish(): void {}

  /** Knows no such wish. */
  takeRetryMs(): undefined {}
}

/**
 * Returns the session that something needs.
 *
 * @throws {TypeError} where there is none, as the client is plain: `Cannot ${verb}: a plain client ${lack}`
 */
export function needSession<S>(session: S | undefined, verb: string, lack = "has no session"): S {
  if (session !== undefined) return session;
  throw new TypeError(`Cannot ${verb}: a plain client ${lack}, connect without { plain: true }`);
}
