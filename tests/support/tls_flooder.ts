// Sends over TLS as fast as it can. A worker, so that it takes its own time and not the listener's.

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/** Whom it floods; it says once when it has begun. */
export interface TlsFloodOrder {
  port: number;
  caCerts: string[];
}

self.onmessage = async ({ data: { port, caCerts } }: MessageEvent<TlsFloodOrder>) => {
  const conn = await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts });
  const chunk = new Uint8Array(64 * 1024).fill(10);
  await conn.write(chunk);
  self.postMessage("begun");
  for (;;) await conn.write(chunk);
};
