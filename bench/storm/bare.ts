// What Deno's own accept, first read and first write cost: a server that answers the first line of each
// connection with so many bytes, the number of its argument, and does nothing else. A contender of
// ../storm.ts; prints its port.

import { serveEach } from "../bare_server.ts";
import { writeAll } from "../write_all.ts";

/** How a session's welcome ends: the load waits for that. */
const END = new TextEncoder().encode('"state":{}}}\n');

const LF = 10;

async function serve(conn: Deno.TcpConn, answer: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      if (buffer[n - 1] !== LF) continue;
      await writeAll(conn, answer);
    }
  } catch {
    // It has gone.
  }
  conn.close();
}

const answer = new Uint8Array(Math.max(Number(Deno.args[0]), END.length)).fill(0x20);
answer.set(END, answer.length - END.length);
await serveEach((conn) => serve(conn, answer));
