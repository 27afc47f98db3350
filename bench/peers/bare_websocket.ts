// What Deno's own reads and writes cost where clients speak WebSocket: bare.ts with frames, made and read by
// hand as in the relay. For each read there is one frame with what came in it, written to all others, a write
// for each. It knows no lines, no pings and no ends, and checks nothing. A contender of run.ts; prints its
// port.

import { createHash } from "node:crypto";
import { serveEach } from "../bare_server.ts";
import { writeAll } from "../write_all.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const members = new Set<Deno.TcpConn>();

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024 + 14);
  try {
    const head = new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer)) ?? 0));
    const key = /^Sec-WebSocket-Key: *(\S+)/im.exec(head)![1];
    const accept = createHash("sha1").update(key + GUID).digest("base64");
    await writeAll(
      conn,
      new TextEncoder().encode(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      ),
    );
    members.add(conn);
    for (let rest = 0;;) { // the bytes of a frame that has not come whole
      const n = await conn.read(buffer.subarray(rest));
      if (n === null) break;
      const frame = new Uint8Array(10 + rest + n);
      const { used, length } = unmask(buffer.subarray(0, rest + n), frame.subarray(10));
      buffer.copyWithin(0, used, rest + n);
      rest += n - used;
      if (length === 0) continue;
      const bytes = withHeader(frame, length);
      const writes = Array.from(members, (member) => member === conn ? undefined : writeAll(member, bytes));
      await Promise.allSettled(writes);
    }
  } catch {
    // It has gone.
  }
  members.delete(conn);
  conn.close();
}

/**
 * Writes the payloads of the frames that are there whole, one behind the other; says how much is used and
 * written.
 */
function unmask(bytes: Uint8Array, to: Uint8Array): { used: number; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let used = 0, length = 0;
  while (used + 6 <= bytes.length) {
    const short = bytes[used + 1] & 0x7f, mask = used + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (mask + 4 > bytes.length) break;
    const size = short < 126
      ? short
      : short === 126
      ? view.getUint16(used + 2)
      : Number(view.getBigUint64(used + 2));
    if (mask + 4 + size > bytes.length) break;
    for (let i = 0; i < size; i++) to[length + i] = bytes[mask + 4 + i] ^ bytes[mask + (i & 3)];
    used = mask + 4 + size;
    length += size;
  }
  return { used, length };
}

/** Puts the header of a text frame before the payload that begins at byte 10. */
function withHeader(frame: Uint8Array, length: number): Uint8Array {
  const start = length < 126 ? 8 : length < 65536 ? 6 : 0;
  const view = new DataView(frame.buffer);
  frame[start] = 0x81;
  frame[start + 1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (length >= 65536) view.setBigUint64(2, BigInt(length));
  else if (length >= 126) view.setUint16(8, length);
  return frame.subarray(start, 10 + length);
}

await serveEach(serve);
