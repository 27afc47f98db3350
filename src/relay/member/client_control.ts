// What clients say in control lines: text in, checked fields out, or a message that says what is allowed.
// Pure.

import { isRecord, quote } from "../../wire/untrusted.ts";
import { keyFault, LOBBY, MAX_RECEIVERS, nameFault, nonceFault, startsAt } from "../../wire/protocol.ts";

/** A control line that was understood, or what is wrong with it. */
export type Understood<T> = T | Misunderstood;

/** What is wrong with a control line. */
export class Misunderstood {
  constructor(readonly message: string) {}
}

/** What a client says of itself. */
export interface Hello {
  version: number;
  room: string;
  name: string;
  token: string;
  /** The bad network that the client wants; "" for none. */
  simulate: string;
  /** What the answer has to repeat, so that the client knows it for the relay's. */
  nonce: string | undefined;
  resume: { session: string; bytes: number } | undefined;
  /** Whether a new session hears its own events, too. */
  echo: boolean;
}

/** A control line's name without its `$`, and its fields. */
export interface Control {
  name: string;
  fields: Readonly<Record<string, unknown>>;
  /** The line as it came. */
  text: string;
}

/** The longest time that a client is believed, in ms. */
const MAX_TOLD_MS = 3_600_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads a line that begins with `{"$` and is known to be JSON. */
export function readControl(line: Uint8Array): Understood<Control> {
  const text = decoder.decode(line);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Misunderstood("it is not JSON"); // possible where lines are not checked
  }
  const members = Object.entries(value as object);
  const [key, fields] = members[0];
  if (members.length !== 1) {
    return new Misunderstood(`it has ${members.length} members beside each other, one is allowed`);
  }
  if (!isRecord(fields)) return new Misunderstood(`${quote(key)} is no object`);
  return { name: key.slice(1), fields, text };
}

/** How an `$ack` begins and ends that is written without spaces, and how many digits between are a safe integer in any case. */
const ACK_START = encoder.encode('{"$ack":{"bytes":');
const ACK_END = encoder.encode("}}\n");
const MAX_DIGITS = 15;

/**
 * Reads the count of an `$ack`, `bytes[start, end)` with its LF: most of what clients say beside events, so it shall cost little.
 * Returns undefined for any other line, and for one that is written in another way.
 */
export function readPlainAck(bytes: Uint8Array, start: number, end: number): number | undefined {
  const from = start + ACK_START.length, to = end - ACK_END.length;
  if (to <= from || to > from + MAX_DIGITS) return undefined;
  if (!startsAt(bytes, start, ACK_START) || !startsAt(bytes, to, ACK_END)) return undefined;
  let count = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    count = 10 * count + digit;
  }
  return count;
}

/** Checks the fields of a `$hello`. */
export function readHello({ fields }: Control): Understood<Hello> {
  const { version, room = LOBBY, name = "", token = "", simulate = "", nonce, resume, echo = false } = fields;
  if (!isCount(version) || version < 1) return new Misunderstood("version is a whole number from 1");
  const faults = {
    nonce: nonce === undefined ? undefined : nonceFault(nonce),
    room: nameFault(room, 1),
    name: nameFault(name, 0),
  };
  for (const [field, fault] of Object.entries(faults)) {
    if (fault !== undefined) return new Misunderstood(`${field} ${fault}`);
  }
  if (typeof token !== "string") return new Misunderstood("token is a string");
  if (typeof simulate !== "string") return new Misunderstood("simulate is a string");
  if (typeof echo !== "boolean") return new Misunderstood("echo is true or false");
  const texts = { room: room as string, name: name as string, nonce: nonce as string | undefined, echo };
  if (resume === undefined) return { ...texts, version, token, simulate, resume };
  if (!isRecord(resume) || typeof resume.session !== "string" || !isCount(resume.bytes)) {
    return new Misunderstood("resume is an object with session, a string, and bytes, a whole number");
  }
  const { session, bytes } = resume;
  return { ...texts, version, token, simulate, resume: { session, bytes } };
}

/** Returns the `nonce` of a `$hello` whose other fields may be wrong; undefined if it has none, or a wrong one. */
export function readNonce({ fields: { nonce } }: Control): string | undefined {
  return nonceFault(nonce) === undefined ? nonce as string : undefined;
}

/** Checks the fields of a `$set`; `value` is the JSON text as it came, undefined to remove the key. */
export function readSet(
  { fields, text }: Control,
): Understood<{ key: string; value: string | undefined; isRoom: boolean }> {
  const { key, room = false } = fields;
  const fault = keyFault(key);
  if (fault !== undefined) return new Misunderstood(`key ${fault}`);
  if (typeof room !== "boolean") return new Misunderstood("room is true or false");
  const body = text.indexOf(":") + 1;
  if (text[endOfValue(text, body)] === ",") return new Misunderstood("it stands there twice");
  return {
    key: key as string,
    value: "value" in fields ? findMember(text, text.indexOf("{", body), "value") : undefined,
    isRoom: room,
  };
}

/** Checks the fields of a `$to`; `event` is the JSON text as it came. */
export function readTo({ fields, text }: Control): Understood<{ ids: string[]; event: string }> {
  const { ids, event } = fields;
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MAX_RECEIVERS) {
    const what = Array.isArray(ids) ? `ids has ${ids.length} members` : "ids is no array";
    return new Misunderstood(`${what}, 1 to ${MAX_RECEIVERS} are allowed`);
  }
  if (!ids.every((id) => typeof id === "string")) {
    return new Misunderstood("ids has members that are no strings");
  }
  if (event === undefined) return new Misunderstood("event is missing");
  const body = text.indexOf(":") + 1;
  if (text[endOfValue(text, body)] === ",") return new Misunderstood("it stands there twice");
  return { ids, event: findMember(text, text.indexOf("{", body), "event")! };
}

/** Checks the count in an `$ack`. */
export function readAck({ fields: { bytes } }: Control): Understood<number> {
  return isCount(bytes) ? bytes : new Misunderstood("bytes is a whole number");
}

/** What a client tells of its network, for people to see: in ms, and of no consequence. */
export interface Told {
  rttMs?: number;
  lagMs?: number;
}

/** Checks the time in a `$ping`. */
export function readPing({ fields: { t, rtt, lag } }: Control): Understood<{ t: number; told: Told }> {
  if (!Number.isFinite(t)) return new Misunderstood("t is a number");
  return { t: t as number, told: { rttMs: readMs(rtt), lagMs: readMs(lag) } };
}

/** Reads a time that a client tells; undefined for what is none. */
function readMs(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= MAX_TOLD_MS ? value : undefined;
}

/** Returns the text of the member `name` of the object that begins at `at` of a JSON text: the last one of that name, as JSON.parse takes it. */
function findMember(text: string, at: number, name: string): string | undefined {
  const plain = `"${name}"`;
  let found: string | undefined;
  do {
    const keyStart = text.indexOf('"', at);
    const keyEnd = endOfString(text, keyStart);
    const valueStart = text.indexOf(":", keyEnd) + 1;
    at = endOfValue(text, valueStart);
    const key = text.slice(keyStart, keyEnd);
    // To decode each of thousands of keys would take longer than all else.
    if (key === plain || (key.includes("\\") && JSON.parse(key) === name)) {
      found = text.slice(valueStart, at).trim();
    }
  } while (text.charCodeAt(at) === COMMA);
  return found;
}

const QUOTE = 0x22, COMMA = 0x2c, BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;

/** Returns the index behind the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (at++;; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
}

/** Returns the index of the comma or bracket that ends the value before which `at` stands. */
function endOfValue(text: string, at: number): number {
  for (let depth = 0;; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if (depth === 0 && (code === COMMA || code === CLOSE_OBJECT)) return at;
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
