// What the marks in the relay's stream say of the lines that follow them: who sent those, whether that one
// leads there, when the relay received them, and whether the next one is a question or an answer. Reads the
// bodies of `$from`; how old lines may be is judged in stream_age.ts. Pure.

import { readPlainFrom } from "./relay_control.ts";
import type { Peer } from "./roster.ts";
import type { Tag } from "../../wire/protocol.ts";

/** Where an event comes from. One object serves all events that have the same origin. */
export interface Origin {
  /** Who sent it; `undefined` for a plain client. */
  readonly from: Peer | undefined;
  /** When the relay received it, by its clock, in ms; up to 100 ms less. */
  readonly time: number;
  /** Whether who sent it led the room then. */
  readonly fromHost: boolean;
}

/** Who is in the room, as far as the stream has told. */
interface Members {
  /** Says who has an id, or had it. */
  find(id: string): Peer;
  /** Who leads. */
  readonly hostId: string | undefined;
}

/** Keeps the newest marks of a stream, until the next ones or a new stream. */
export class StreamMarks {
  readonly #members: Members;
  #fromId: string | undefined;
  #timeMs = 0;
  #tag: Tag | undefined;
  /** Made once an event needs it. */
  #origin: Origin | undefined;

  /** Makes marks of a stream that has none yet. */
  constructor(members: Members) {
    this.#members = members;
  }

  /** Who sent what comes now; `undefined` for a plain client. */
  get sender(): Peer | undefined {
    return this.#fromId === undefined ? undefined : this.#members.find(this.#fromId);
  }

  /** Where what comes now is from: the same object until a control line comes. */
  get origin(): Origin {
    return this.#origin ??= {
      from: this.sender,
      time: this.#timeMs,
      fromHost: this.#fromId !== undefined && this.#fromId === this.#members.hostId,
    };
  }

  /** Begins with another stream, of that time on. */
  reset(timeMs: number): void {
    [this.#fromId, this.#tag, this.#timeMs, this.#origin] = [undefined, undefined, timeMs, undefined];
  }

  /** Notes that a control line came: it may be about who the sender is, or when. */
  noteControlLine(): void {
    this.#origin = undefined;
  }

  /** Takes a `$from` that is written as the relay writes it; false for any other line. */
  takePlainFrom(line: string): boolean {
    const fromId = readPlainFrom(line);
    if (fromId === undefined) return false;
    [this.#fromId, this.#tag] = [fromId, undefined];
    return true;
  }

  /** Takes the body of a `$from`: whose the next lines are, and what the next one is. */
  takeFrom(body: Record<string, unknown>): void {
    this.#fromId = typeof body.id === "string" ? body.id : undefined;
    this.#tag = readTag(body);
  }

  /** Notes when the relay received what follows. */
  takeTime(timeMs: number): void {
    this.#timeMs = timeMs;
  }

  /** Returns, once, what the next line is, if it is no event. */
  takeTag(): Tag | undefined {
    const tag = this.#tag;
    this.#tag = undefined;
    return tag;
  }
}

function readTag({ ask, reply, failed }: Record<string, unknown>): Tag | undefined {
  if (typeof ask === "string") return { ask };
  if (typeof reply === "string") return { reply, ...(failed === true ? { failed } : {}) };
}
