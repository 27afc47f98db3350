// Sends the same bytes over a WebSocket as fast as it can, and drops what comes. A worker, so that it takes
// its own time and not the relay's.

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { WebSocketConn } from "./websocket_conn.ts";

/** What it is told, and what it tells each time that all bytes were taken once more. */
export interface FloodOrder {
  port: number;
  chunk: Uint8Array;
}

self.onmessage = async ({ data: { port, chunk } }: MessageEvent<FloodOrder>) => {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await WebSocketConn.open(conn, "localhost");
  void drop(conn);
  for (;;) {
    for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
    self.postMessage(chunk.length);
  }
};

async function drop(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await conn.read(buffer) !== null);
}
