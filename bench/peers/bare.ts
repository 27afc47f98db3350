// What Deno's own reads and writes cost: a relay of nothing else. It writes what it has read from one
// connection to all others, a write for each and each read, and waits for them before it reads on. It knows
// no lines and checks nothing. A contender of run.ts; prints its port.

import { serveEach } from "../bare_server.ts";
import { writeAll } from "../write_all.ts";

const members = new Set<Deno.TcpConn>();

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      const bytes = buffer.slice(0, n);
      const writes = Array.from(members, (member) => member === conn ? undefined : writeAll(member, bytes));
      await Promise.allSettled(writes);
    }
  } catch {
    // It has gone.
  }
  members.delete(conn);
  conn.close();
}

await serveEach((conn) => {
  members.add(conn);
  return serve(conn);
});
