// What Deno's own accept, first read and first write cost: a server that answers the first line of each
// connection with so many bytes, the number of its argument, and does nothing else. A contender of
// ../storm.ts; prints its port.

/** How a session's welcome ends: the load waits for that. */
const END = new TextEncoder().encode('"state":{}}}\n');

const LF = 10;

async function serve(conn: Deno.TcpConn, answer: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      if (buffer[n - 1] !== LF) continue;
      for (let at = 0; at < answer.length;) at += await conn.write(answer.subarray(at));
    }
  } catch {
    // It has gone.
  }
  conn.close();
}

const answer = new Uint8Array(Math.max(Number(Deno.args[0]), END.length)).fill(0x20);
answer.set(END, answer.length - END.length);
const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 };
const listener = Deno.listen(options);
console.log(listener.addr.port);
for await (const conn of listener) {
  conn.setNoDelay(true);
  serve(conn, answer);
}
