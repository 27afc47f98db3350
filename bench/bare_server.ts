// How the servers of bare Deno begin that stand beside the relay in benchmarks: they listen on loopback, print
// their port, and take whoever comes.

/** Serves each connection as `serve` does, which is not waited for; after the port is printed. */
export async function serveEach(serve: (conn: Deno.TcpConn) => unknown): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 }; // a thousand may come at once
  const listener = Deno.listen(options);
  console.log(listener.addr.port);
  for await (const conn of listener) {
    conn.setNoDelay(true);
    void serve(conn);
  }
}
