// The least that sessions cost in this runtime: a server that reads a hello, answers with a welcome that names
// all members, and tells them every quarter of a second who has come. No limits, no rooms, no resume, nothing
// checked: what a relay that does its work can't be faster than. A contender of ../storm.ts; prints its port.

import { randomBytes } from "node:crypto";
import { serveEach } from "../bare_server.ts";
import { writeAll } from "../write_all.ts";

/** Names in a welcome take so many bytes at most, as the relay's do. */
const MAX_NAMES_BYTES = 30_000;

const TELL_EVERY_MS = 250;

const encoder = new TextEncoder(), decoder = new TextDecoder();
const END = encoder.encode('],"state":{}}}\n');

/** Pieces of text as bytes, one behind the other, from which ranges are taken. */
class Bytes {
  #bytes = new Uint8Array(1024 * 1024);
  length = 0;

  add(text: string): void {
    this.length += encoder.encodeInto(text, this.#bytes.subarray(this.length)).written;
  }

  range(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }
}

interface Member {
  conn: Deno.TcpConn;
  /** Up to where in `joins` it was told. */
  told: number;
  isWriting: boolean;
}

const names = new Bytes(), joins = new Bytes();
const members = new Set<Member>();
let lastId = 0;

function enter(line: string, conn: Deno.TcpConn): [Member, Uint8Array] {
  const { $hello: { nonce, room, name = "" } } = JSON.parse(line);
  const id = String(++lastId), session = randomBytes(16).toString("hex");
  const welcome = { version: 1, id, room, session, nonce, time: Date.now(), bytes: 0 };
  const opening = encoder.encode(`${JSON.stringify({ $welcome: welcome }).slice(0, -2)},"peers":[`);
  const known = names.range(0, Math.min(names.length, MAX_NAMES_BYTES));
  const answer = new Uint8Array(opening.length + known.length + END.length);
  answer.set(opening);
  answer.set(known, opening.length);
  answer.set(END, opening.length + known.length);
  names.add(`${names.length > 0 ? "," : ""}${JSON.stringify({ id, name, state: {} })}`);
  const member = { conn, told: joins.length, isWriting: true };
  joins.add(`${JSON.stringify({ $join: { id, name } })}\n`);
  members.add(member);
  return [member, answer];
}

async function write(member: Member, bytes: Uint8Array): Promise<void> {
  member.isWriting = true;
  await writeAll(member.conn, bytes);
  member.isWriting = false;
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  let member: Member | undefined;
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      if (member !== undefined) continue;
      let answer: Uint8Array;
      [member, answer] = enter(decoder.decode(buffer.subarray(0, n)), conn);
      await write(member, answer);
    }
  } catch {
    // It has gone.
  }
  if (member !== undefined) members.delete(member);
  conn.close();
}

setInterval(() => {
  for (const member of members) {
    if (member.isWriting || member.told === joins.length) continue;
    const news = joins.range(member.told, joins.length);
    member.told = joins.length;
    write(member, news).catch(() => {});
  }
}, TELL_EVERY_MS);

await serveEach(serve);
