// What clients say in control lines: bytes in, checked fields out, or a message that says what is allowed.
// Reads where they lie only the fields that mean something: a line costs its bytes, whatever else is in it.
// Pure.

import { endOfEvent } from "../../wire/event_check.ts";
import {
  countElements,
  elementsOf,
  endOfString,
  endOfValue,
  findMembers,
  flatValueOf,
  isArrayAt,
  isObjectAt,
  MemberName,
  type Piece,
  skipSpace,
  textOf,
} from "./json_members.ts";
import { isCount, quote } from "../../wire/untrusted.ts";
import {
  askFault,
  keyFault,
  LOBBY,
  MAX_RECEIVERS,
  nameFault,
  nonceFault,
  startsAt,
  type Tag,
} from "../../wire/protocol.ts";

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
  /** Whether a new session hears its own events, too, and whether it may become the host of its room. */
  echo: boolean;
  canHost: boolean;
  /** How many members the room has at most, if it is opened. */
  maxMembers: number | undefined;
  /** Whether another room of that kind will do, and which name they have, if it is not that of the room. */
  any: boolean;
  base: string | undefined;
}

/** A control line: its name without the `$`, and where its fields stand. Valid as long as its bytes are. */
export interface Control {
  name: string;
  bytes: Uint8Array;
  /** Where the object with the fields begins. */
  body: number;
}

/** The longest time that a client is believed, in ms. */
const MAX_TOLD_MS = 3_600_000;

const encoder = new TextEncoder();

/** Reads a line that begins with `{"$`: `bytes[start, end)` with its LF. */
export function readControl(bytes: Uint8Array, start: number, end: number): Understood<Control> {
  // Possible where lines are not checked.
  if (endOfEvent(bytes, start, end) < 0) return new Misunderstood("it is not JSON");
  const key = skipSpace(bytes, skipSpace(bytes, start) + 1), keyEnd = endOfString(bytes, key);
  const body = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
  if (bytes[skipSpace(bytes, endOfValue(bytes, body))] === COMMA) {
    return new Misunderstood("it has several members beside each other, one is allowed");
  }
  const name = textOf(bytes, { start: key, end: keyEnd });
  if (!isObjectAt(bytes, body)) return new Misunderstood(`${quote(name)} is no object`);
  return { name: name.slice(1), bytes, body };
}

const COMMA = 0x2c;

/** Reads what stands in each of `pieces`; undefined stays undefined. */
function readPieces(bytes: Uint8Array, pieces: readonly (Piece | undefined)[]): unknown[] {
  return pieces.map((piece) => piece && flatValueOf(bytes, piece));
}

/** Finds fields by their names, and reads them: undefined for those that are not there. */
function readFields({ bytes, body }: Control, names: readonly MemberName[]): unknown[] {
  return readPieces(bytes, findMembers(bytes, body, names));
}

/**
 * How an `$ack` begins and any control line ends that is written without spaces, and how many digits between
 * are a safe integer in any case.
 */
const ACK_START = encoder.encode('{"$ack":{"bytes":');
const LINE_END = encoder.encode("}}\n");
const MAX_DIGITS = 15;

/**
 * Reads the count of an `$ack`, `bytes[start, end)` with its LF: most of what clients say beside events, so
 * it should cost little. Returns undefined for any other line, and for one that is written in another way.
 */
export function readPlainAck(bytes: Uint8Array, start: number, end: number): number | undefined {
  const from = start + ACK_START.length, to = end - LINE_END.length;
  if (to <= from || to > from + MAX_DIGITS) return undefined;
  if (!startsAt(bytes, start, ACK_START) || !startsAt(bytes, to, LINE_END)) return undefined;
  let count = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    count = 10 * count + digit;
  }
  return count;
}

// Which fields are read of each line, in this order.
const HELLO_FIELDS = [
  ...["version", "room", "name", "token", "simulate", "nonce"],
  ...["echo", "canHost", "any", "base", "maxMembers", "resume"],
].map(toName);
const RESUME_FIELDS = ["session", "bytes"].map(toName);
const SET_FIELDS = ["key", "value", "room", "hold"].map(toName);
const TO_FIELDS = ["ids", "event", "ask", "reply", "failed"].map(toName);
const CLAIM_FIELDS = ["ask", "key", "value", "hold"].map(toName);
const ROOMS_FIELDS = ["ask"].map(toName);
const HOST_FIELDS = ["id"].map(toName);
const ACK_FIELDS = ["bytes"].map(toName);
const PING_FIELDS = ["t", "rtt", "lag"].map(toName);

const NONCE = [toName("nonce")];

function toName(text: string): MemberName {
  return new MemberName(text);
}

/** Checks the fields of a `$hello`. */
export function readHello({ bytes, body }: Control): Understood<Hello> {
  const pieces = findMembers(bytes, body, HELLO_FIELDS);
  const [version, room = LOBBY, name = "", token = "", simulate = "", nonce, ...wishes] = readPieces(
    bytes,
    pieces,
  );
  const [echo = false, canHost = false, any = false, base, maxMembers] = wishes;
  if (!isCount(version) || version < 1) return new Misunderstood("version is a whole number from 1");
  const faults = {
    nonce: nonce === undefined ? undefined : nonceFault(nonce),
    room: nameFault(room, 1),
    name: nameFault(name, 0),
    base: base === undefined ? undefined : nameFault(base, 1),
  };
  for (const [field, fault] of Object.entries(faults)) {
    if (fault !== undefined) return new Misunderstood(`${field} ${fault}`);
  }
  if (typeof token !== "string") return new Misunderstood("token is a string");
  if (typeof simulate !== "string") return new Misunderstood("simulate is a string");
  for (const [field, value] of Object.entries({ echo, canHost, any })) {
    if (typeof value !== "boolean") return new Misunderstood(`${field} is true or false`);
  }
  if (maxMembers !== undefined && (!isCount(maxMembers) || maxMembers < 1)) {
    return new Misunderstood("maxMembers is a whole number from 1");
  }
  if (room === LOBBY && (any || maxMembers !== undefined) || (base === LOBBY && any)) {
    return new Misunderstood(`the room "${LOBBY}" is one, and open to all`);
  }
  const texts = { room: room as string, name: name as string, nonce: nonce as string | undefined };
  const kind = { echo, canHost, any, base, maxMembers } as Pick<
    Hello,
    "echo" | "canHost" | "any" | "base" | "maxMembers"
  >;
  const resume = readResume(bytes, pieces.at(-1));
  return resume instanceof Misunderstood ? resume : { ...texts, ...kind, version, token, simulate, resume };
}

function readResume(bytes: Uint8Array, resume: Piece | undefined): Understood<Hello["resume"]> {
  if (resume === undefined) return undefined;
  if (isObjectAt(bytes, resume.start)) {
    const [session, count] = readPieces(bytes, findMembers(bytes, resume.start, RESUME_FIELDS));
    if (typeof session === "string" && isCount(count)) return { session, bytes: count };
  }
  return new Misunderstood("resume is an object with session, a string, and bytes, a whole number");
}

/**
 * Returns the `nonce` of a `$hello` whose other fields may be wrong; undefined if it has none, or a wrong
 * one.
 */
export function readNonce(control: Control): string | undefined {
  const [nonce] = readFields(control, NONCE);
  return nonceFault(nonce) === undefined ? nonce as string : undefined;
}

/** A `$set`. */
export interface SetLine {
  key: string;
  /** The value's JSON as it came, a piece of the line; undefined to remove the key. */
  value: Uint8Array | undefined;
  isRoom: boolean;
  /** Whether it goes when its setter does; of a member's own it is not looked at, as those always go. */
  isHeld: boolean;
}

/** Checks the fields of a `$set`. */
export function readSet({ bytes, body }: Control): Understood<SetLine> {
  const [keyPiece, valuePiece, roomPiece, holdPiece] = findMembers(bytes, body, SET_FIELDS);
  const [key, room = false, hold = false] = readPieces(bytes, [keyPiece, roomPiece, holdPiece]);
  const fault = keyFault(key);
  if (fault !== undefined) return new Misunderstood(`key ${fault}`);
  if (typeof room !== "boolean") return new Misunderstood("room is true or false");
  if (typeof hold !== "boolean") return new Misunderstood("hold is true or false");
  const value = valuePiece && bytes.subarray(valuePiece.start, valuePiece.end);
  return { key: key as string, value, isRoom: room, isHeld: hold };
}

/** A `$claim`. */
export interface ClaimLine {
  ask: string;
  key: string;
  /** The value's JSON as it came, a piece of the line. */
  value: Uint8Array;
  isHeld: boolean;
}

/** Checks the fields of a `$claim`. */
export function readClaim({ bytes, body }: Control): Understood<ClaimLine> {
  const [askPiece, keyPiece, value, holdPiece] = findMembers(bytes, body, CLAIM_FIELDS);
  const [ask, key, hold = false] = readPieces(bytes, [askPiece, keyPiece, holdPiece]);
  const faults = { ask: askFault(ask), key: keyFault(key) };
  for (const [field, fault] of Object.entries(faults)) {
    if (fault !== undefined) return new Misunderstood(`${field} ${fault}`);
  }
  if (value === undefined) return new Misunderstood("value is missing");
  if (typeof hold !== "boolean") return new Misunderstood("hold is true or false");
  const json = bytes.subarray(value.start, value.end);
  return { ask: ask as string, key: key as string, value: json, isHeld: hold };
}

/** Checks the fields of a `$rooms`. */
export function readRooms(control: Control): Understood<string> {
  const [ask] = readFields(control, ROOMS_FIELDS);
  const fault = askFault(ask);
  return fault === undefined ? ask as string : new Misunderstood(`ask ${fault}`);
}

/** Checks the fields of a `$host`. */
export function readHost(control: Control): Understood<string | undefined> {
  const [id] = readFields(control, HOST_FIELDS);
  return id === undefined || typeof id === "string" ? id : new Misunderstood("id is a string");
}

/** A `$to`. */
export interface ToLine {
  ids: string[];
  /** The event's JSON as it came, a piece of the line. */
  event: Uint8Array;
  tag: Tag | undefined;
}

/** Checks the fields of a `$to`. */
export function readTo(
  { bytes, body }: Control,
): Understood<ToLine> {
  const [ids, event, ...tagPieces] = findMembers(bytes, body, TO_FIELDS);
  const isArray = ids !== undefined && isArrayAt(bytes, ids.start);
  const count = isArray ? countElements(bytes, ids.start) : 0;
  if (!(count >= 1 && count <= MAX_RECEIVERS)) {
    const what = isArray ? `ids has ${count} members` : "ids is no array";
    return new Misunderstood(`${what}, 1 to ${MAX_RECEIVERS} are allowed`);
  }
  const values = elementsOf(bytes, ids!.start).map((piece) => flatValueOf(bytes, piece));
  if (!values.every((id) => typeof id === "string")) {
    return new Misunderstood("ids has members that are no strings");
  }
  if (event === undefined) return new Misunderstood("event is missing");
  const [ask, reply, failed = false] = readPieces(bytes, tagPieces);
  const tag = readTag(ask, reply, failed, values.length);
  if (tag instanceof Misunderstood) return tag;
  return { ids: values, tag, event: bytes.subarray(event.start, event.end) };
}

/** How a `$to` begins that client.ts writes for one member, and what stands between its id and the event. */
const TO_START = encoder.encode('{"$to":{"ids":["');
const TO_EVENT = encoder.encode('"],"event":');

/**
 * Reads a `$to` for one member, `bytes[start, end)` with its LF, which is known to be JSON: where many are
 * sent, reading should cost little. Returns undefined for any other line, and for one that is written in
 * another way.
 */
export function readPlainTo(bytes: Uint8Array, start: number, end: number): ToLine | undefined {
  if (!startsAt(bytes, start, TO_START)) return undefined;
  const id = start + TO_START.length - 1, idEnd = endOfString(bytes, id);
  const event = idEnd + TO_EVENT.length - 1, eventEnd = end - LINE_END.length;
  if (!startsAt(bytes, idEnd - 1, TO_EVENT) || !startsAt(bytes, eventEnd, LINE_END)) return undefined;
  // What stands behind the event would be another member.
  if (endOfValue(bytes, event) !== eventEnd) return undefined;
  return {
    ids: [textOf(bytes, { start: id, end: idEnd })],
    tag: undefined,
    event: bytes.subarray(event, eventEnd),
  };
}

function readTag(
  ask: unknown,
  reply: unknown,
  failed: unknown,
  receivers: number,
): Understood<Tag | undefined> {
  if (ask === undefined && reply === undefined) return undefined;
  if (ask !== undefined && reply !== undefined) {
    return new Misunderstood("ask and reply are there, one is allowed");
  }
  const fault = askFault(ask ?? reply);
  if (fault !== undefined) return new Misunderstood(`${ask === undefined ? "reply" : "ask"} ${fault}`);
  if (receivers > 1) {
    return new Misunderstood(`ids has ${receivers} members, with ask or reply one is allowed`);
  }
  if (ask !== undefined) return { ask: ask as string };
  if (typeof failed !== "boolean") return new Misunderstood("failed is true or false");
  return { reply: reply as string, ...(failed ? { failed } : {}) };
}

/** Checks the count in an `$ack`. */
export function readAck(control: Control): Understood<number> {
  const [bytes] = readFields(control, ACK_FIELDS);
  return isCount(bytes) ? bytes : new Misunderstood("bytes is a whole number");
}

/** What a client tells of its network, for people to see: in ms, and of no consequence. */
export interface Told {
  rttMs?: number;
  lagMs?: number;
}

/** A `$ping`. */
export interface PingLine {
  /** What the answer repeats. */
  t: number;
  told: Told;
}

/** Checks the fields of a `$ping`. */
export function readPing(control: Control): Understood<PingLine> {
  const [t, rtt, lag] = readFields(control, PING_FIELDS);
  if (typeof t !== "number" || !Number.isFinite(t)) return new Misunderstood("t is a number");
  return { t, told: { rttMs: readMs(rtt), lagMs: readMs(lag) } };
}

/** Reads a time that a client tells; undefined for what is none. */
function readMs(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= MAX_TOLD_MS ? value : undefined;
}
