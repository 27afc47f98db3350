// Does what a session's client asks for in a control line, and answers: `$ping`, `$ack`, `$set`, `$to`,
// `$claim`, `$rooms`, `$host` and `$bye`. What stands in a line client_control.ts reads; what a room makes of
// it the room knows. Keeps nothing.

import {
  type Control,
  Misunderstood,
  type PingLine,
  readAck,
  readClaim,
  readControl,
  readHost,
  readPing,
  readPlainAck,
  readPlainTo,
  readRooms,
  readSet,
  readTo,
  type ToLine,
  type Understood,
} from "./client_control.ts";
import { encodeFrom, isControlLine, LF, type WireError } from "../../wire/protocol.ts";
import { beginning, quote } from "../../wire/untrusted.ts";
import { Letter } from "../room/letter.ts";
import type { Receiver } from "../room/post.ts";
import type { Peer, Room } from "../room/room.ts";

/** The session that a control line came from. */
export interface ControlledSession extends Peer, Receiver {
  readonly room: Room;
  readonly fromLine: Uint8Array;
  /** Answers a `$ping`. */
  onPing(ping: PingLine): void;
  /** Is told how many bytes of its stream the client has. */
  onAck(bytes: number): void;
  /** Is told that the client leaves for good. */
  onBye(): void;
  /** Whether an answer of so many bytes would be kept until the client has it. */
  hasRoomForAnswer(bytes: number): boolean;
  /** Names the rooms that are open. */
  listRooms(): unknown;
}

/** What is wrong with a control line; the number of the line is not known here. */
export type ControlError = Omit<WireError, "line">;

const SPACE = Uint8Array.of(0x20);
const LINE_END = Uint8Array.of(LF);

/** Answers a question whose answer is too long for what memory is left. */
const NO_MEMORY_FOR_ANSWER = JSON.stringify({
  code: "relay_full",
  message: "the memory of the relay is full",
});

const encoder = new TextEncoder();

/**
 * Does what a line says, `bytes[start, end)` with its LF, that begins as a control line; returns what is
 * wrong with it. Those that come often, as client.ts writes them, are read in a shorter way.
 * @param isChecked whether it is known to be JSON
 */
export function followLine(
  session: ControlledSession,
  bytes: Uint8Array,
  start: number,
  end: number,
  isChecked: boolean,
): ControlError | undefined {
  const acknowledged = readPlainAck(bytes, start, end);
  if (acknowledged !== undefined) return void session.onAck(acknowledged);
  const to = isChecked ? readPlainTo(bytes, start, end) : undefined;
  if (to !== undefined) return sendTo(session, to);
  const control = readControl(bytes, start, end);
  if (control instanceof Misunderstood) return { code: "unknown_control", message: control.message };
  return follow(session, control);
}

function follow(session: ControlledSession, control: Control): ControlError | undefined {
  switch (control.name) {
    case "ping":
      return inForm("$ping", readPing(control), (ping) => session.onPing(ping));
    case "ack":
      return inForm("$ack", readAck(control), (bytes) => session.onAck(bytes));
    case "set":
      return set(session, control);
    case "claim":
      return claim(session, control);
    case "rooms":
      return inForm("$rooms", readRooms(control), (ask) => {
        answer(session, ask, JSON.stringify(session.listRooms()));
      });
    case "host":
      return passHost(session, control);
    case "to": {
      const to = readTo(control);
      return to instanceof Misunderstood
        ? { code: "bad_to", message: `in $to, ${to.message}` }
        : sendTo(session, to);
    }
    case "bye":
      session.onBye();
      return undefined;
  }
  const message = `${
    quote(`$${control.name}`)
  } is no control line, $ping, $ack, $set, $to, $claim, $rooms, $host and $bye are`;
  return { code: "unknown_control", message };
}

/** Goes on with what a line says that has no error code of its own, if it was understood. */
function inForm<T>(name: string, read: Understood<T>, act: (value: T) => void): ControlError | undefined {
  if (read instanceof Misunderstood) {
    return { code: "unknown_control", message: `in ${name}, ${read.message}` };
  }
  act(read);
}

function set(session: ControlledSession, control: Control): ControlError | undefined {
  const line = readSet(control);
  if (line instanceof Misunderstood) return { code: "bad_set", message: `in $set, ${line.message}` };
  const { key, value, isRoom, isHeld } = line;
  const refusal = session.room.set(session, key, value, isRoom, isHeld);
  return refusal && { ...refusal, key, room: isRoom || undefined };
}

function claim(session: ControlledSession, control: Control): ControlError | undefined {
  const line = readClaim(control);
  if (line instanceof Misunderstood) return { code: "bad_claim", message: `in $claim, ${line.message}` };
  const { ask, key, value, isHeld } = line;
  const won = session.room.claim(session, key, value, isHeld);
  // Who is answered knows by then what holds.
  const { version } = session.room.state;
  if (won === undefined) answer(session, ask, '{"won":true}', version);
  else if ("value" in won) answer(session, ask, `{"won":false,"value":${won.value}}`, version);
  else answer(session, ask, JSON.stringify(won));
}

function passHost(session: ControlledSession, control: Control): ControlError | undefined {
  const id = readHost(control), { room } = session;
  if (id instanceof Misunderstood) return { code: "unknown_control", message: `in $host, ${id.message}` };
  if (room.host !== session) {
    return { code: "not_host", message: "only the host can make another the host" };
  }
  const to = id === undefined ? undefined : room.roster.find(id);
  if (id !== undefined && to === undefined) {
    return { code: "no_such_peer", message: `nobody here has the id ${quote(id)}`, ids: [beginning(id)] };
  }
  if (to !== undefined && !(to.canHost && to.isConnected)) {
    const why = to.canHost ? "has no connection now" : "may not be the host";
    return { code: "cannot_host", message: `the member ${quote(to.id)} ${why}` };
  }
  room.passHost(to);
}

/** Sends an event to some members alone. */
function sendTo(session: ControlledSession, to: ToLine): ControlError | undefined {
  const { room } = session;
  const receivers: Receiver[] = [], missing: string[] = [];
  for (const id of to.ids.length > 1 ? new Set(to.ids) : to.ids) {
    const receiver = room.roster.find(id)?.receiver;
    if (receiver === undefined) missing.push(id);
    else receivers.push(receiver);
  }
  const { tag } = to;
  if (receivers.length > 0) {
    const from = tag === undefined ? session.fromLine : encodeFrom(session.id, tag);
    const isAnswer = tag?.reply !== undefined;
    // What begins like a control line is none: a space stands before it.
    const parts = isControlLine(to.event, 0) ? [from, SPACE, to.event, LINE_END] : [from, to.event, LINE_END];
    room.deliver(new Letter(parts, { lines: 1, isAnswer }), receivers);
  }
  if (missing.length === 0 || tag?.reply !== undefined) return undefined; // who has asked may have left
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const message = `nobody here has the id ${quote(missing[0])}${more}`;
  if (tag?.ask !== undefined) {
    return answer(session, tag.ask, JSON.stringify({ code: "no_such_peer", message }));
  }
  return { code: "no_such_peer", message, ids: missing.map(beginning) };
}

/** Answers a question of the client, with the fields of an object as JSON. */
function answer(session: ControlledSession, ask: string, fields: string, stateVersion?: number): undefined {
  // One of very many, none of which is read, or a long one for which there is no memory, is not even made.
  if (!session.hasRoomForAnswer(fields.length)) fields = NO_MEMORY_FOR_ANSWER;
  // Encoded at once: pieces would be garbage as long as the answer.
  const line = encoder.encode(`{"$answer":${JSON.stringify({ ask }).slice(0, -1)},${fields.slice(1)}}\n`);
  session.room.deliver(new Letter([line], { isAnswer: true, stateVersion }), [session]);
}
