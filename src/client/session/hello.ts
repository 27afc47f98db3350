// How a session begins: the hello, and the relay's answer to it, found among lines of a lobby that this
// client was taken to be in.

import { encodeControl, LF, PROTOCOL_VERSION } from "../../wire/protocol.ts";
import type { Pipe } from "../link/speaker.ts";

/** The longest answer that is looked at; a relay's welcome is half as long. */
const MAX_ANSWER_BYTES = 64 * 1024;

const WELCOME_START = `{"$welcome":`;
const ERROR_START = `{"$error":`;

const decoder = new TextDecoder();

/** What a client says first. */
export interface Hello {
  room: string;
  name: string;
  token: string;
  /** The bad network that the client asks for, "" for none. */
  simulate: string;
  /** The session to go on with, and the bytes of it that were received. */
  resume?: { session: string; bytes: number };
}

/** Encodes the first line of a session; what is empty is left out. */
export function encodeHello({ room, name, token, simulate, resume }: Hello): Uint8Array {
  return encodeControl("hello", {
    version: PROTOCOL_VERSION,
    room,
    ...(name === "" ? {} : { name }),
    ...(token === "" ? {} : { token }),
    ...(simulate === "" ? {} : { simulate }),
    ...(resume === undefined ? {} : { resume }),
  });
}

/** Finds the answer to a hello in received bytes. Lines before it are another room's and are skipped. */
export class AnswerFinder {
  #unfinished: Uint8Array[] = [];
  #unfinishedBytes = 0;

  /** Takes a chunk; returns the answer when it is whole, and the bytes that follow it: the session's stream. */
  push(chunk: Uint8Array): { line: string; rest: Uint8Array } | undefined {
    for (let start = 0;;) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) {
        this.#keep(chunk.slice(start));
        return undefined;
      }
      this.#keep(chunk.subarray(start, end));
      const line = this.#unfinishedBytes > MAX_ANSWER_BYTES ? "" : this.#text();
      this.#unfinished = [];
      this.#unfinishedBytes = 0;
      start = end + 1;
      if (line.startsWith(WELCOME_START) || line.startsWith(ERROR_START)) {
        return { line, rest: chunk.subarray(start) };
      }
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#unfinishedBytes += bytes.length;
    if (this.#unfinishedBytes > MAX_ANSWER_BYTES) this.#unfinished = [];
    else this.#unfinished.push(bytes);
  }

  #text(): string {
    return this.#unfinished.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  }
}

/** Reads until the answer to the hello is whole; returns it and the bytes that follow it. */
export async function findAnswer(pipe: Pipe): Promise<{ line: string; rest: Uint8Array }> {
  const finder = new AnswerFinder();
  for (;;) {
    const bytes = await pipe.read();
    if (bytes === null) {
      throw new Error(
        "the relay closed the connection before its $welcome, if it serves TLS, connect with { tls: true }",
      );
    }
    const answer = finder.push(bytes);
    if (answer !== undefined) return answer;
  }
}
