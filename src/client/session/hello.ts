// The first line of a session, and the nonce in it by which its answer is known. Pure.

import { encodeControl, PROTOCOL_VERSION } from "../../wire/protocol.ts";

/** The random bytes of a nonce: as hard to guess as a key. */
const NONCE_BYTES = 16;

/** What a client says first. */
export interface Hello {
  room: string;
  name: string;
  token: string;
  /** The bad network that the client asks for, "" for none. */
  simulate: string;
  /** Whether this program's own events come back at their place among all. */
  echo?: boolean;
  /** Whether this member may become the host of the room. */
  canHost?: boolean;
  /** How many members the room has at most, if it is opened, and whether another one of its kind will do. */
  maxMembers?: number;
  any?: boolean;
  /** The name of that kind, where `room` is the one of them that this program was in before. */
  base?: string;
  /** What the answer has to repeat. */
  nonce: string;
  /** The session to go on with, and the bytes of it that were received. */
  resume?: { session: string; bytes: number };
}

/** Encodes the first line of a session; what is empty or false is left out. */
export function encodeHello(hello: Hello): Uint8Array {
  const { room, name, token, simulate, echo, canHost, maxMembers, any, base, nonce, resume } = hello;
  // JSON leaves out what is undefined.
  return encodeControl("hello", {
    version: PROTOCOL_VERSION,
    room,
    name: name || undefined,
    token: token || undefined,
    simulate: simulate || undefined,
    echo: echo || undefined,
    canHost: canHost || undefined,
    maxMembers,
    any: any || undefined,
    base,
    nonce,
    resume,
  });
}

/** Makes text that nobody can guess, another one each time. */
export function makeNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
