// The relay's side of a connection as a console sees it: text comes in pieces, goes out as lines, and is
// counted as the protocol counts it, so that it can be acknowledged. Pure.

const encoder = new TextEncoder();

/** What kind of line it is: an event of somebody, a control line, or a complaint of the relay. */
export type LineKind = "event" | "control" | "error";

/** A complete line, without its LF. */
export interface Line {
  text: string;
  kind: LineKind;
}

/** Cuts what comes into lines, and counts the bytes of those behind the welcome. */
export class Stream {
  #rest = "";
  #isWelcome = false;
  #bytes = 0;
  readonly #isSession: boolean;

  /** In a session, lines that begin with `{"$` are control lines; a plain client knows but `$error`. */
  constructor(isSession: boolean) {
    this.#isSession = isSession;
  }

  /** The bytes to acknowledge: of complete lines after the welcome. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the welcome has come. */
  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** Takes a piece of the stream, which may end anywhere; returns the lines that end in it. */
  push(text: string): Line[] {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop()!;
    return parts.map((line) => {
      if (this.#isWelcome) this.#bytes += encoder.encode(line).length + 1;
      const kind = kindOf(line, this.#isSession);
      if (this.#isSession && line.startsWith(`{"$welcome":`)) this.#isWelcome = true;
      return { text: line.endsWith("\r") ? line.slice(0, -1) : line, kind };
    });
  }
}

function kindOf(line: string, isSession: boolean): LineKind {
  if (line.startsWith(`{"$error":`)) return "error";
  return isSession && line.startsWith(`{"$`) ? "control" : "event";
}

/** Whether a line only keeps a connection going, so that nobody wants to see it each time. */
export function isHeartbeat(text: string): boolean {
  return /^\{"\$(pong|time|ping|ack)":/.test(text);
}
