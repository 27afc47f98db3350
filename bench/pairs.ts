// What Deno's own reads and writes cost where a message is for one member: cuts what it has read from one
// connection into pieces of the length in its argument, and writes each to another one, all of them in turn.
// It knows no lines and checks nothing. A contender of private.ts; prints its port.

import { serveEach } from "./bare_server.ts";
import { writeAll } from "./write_all.ts";

const pieceBytes = Number(Deno.args[0]);
const members: Deno.TcpConn[] = [];

async function serve(conn: Deno.TcpConn, self: number): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let turn = 0;
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      for (let at = 0; at < n; at += pieceBytes) {
        const to = (self + 1 + turn++ % (members.length - 1)) % members.length;
        void writeAll(members[to], buffer.slice(at, Math.min(n, at + pieceBytes))).catch(() => {});
      }
    }
  } catch {
    // It has gone.
  }
}

if (import.meta.main) {
  await serveEach((conn) => serve(conn, members.push(conn) - 1));
}
