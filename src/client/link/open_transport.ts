// Which transport an address asks for, where this program runs.

import type { Address } from "../target.ts";
import { ImpossibleError } from "./connect_error.ts";
import { openTcp, openTls } from "./deno_transport.ts";
import { openNode } from "./node_transport.ts";
import { runtime, runtimeFault } from "./runtime.ts";
import type { OpenTransport, TlsOptions } from "./transport.ts";
import { openWebSocket } from "./websocket_transport.ts";

/**
 * Returns what opens connections to an address: a WebSocket if that is its form, or where there is nothing
 * else; TCP, or TLS if `tls` says so, otherwise. Where the client can't run, it says so instead.
 */
export function transportFor({ label, url }: Address, tls: TlsOptions | undefined): OpenTransport {
  const fault = runtimeFault();
  if (fault !== undefined) return () => Promise.reject(new ImpossibleError(fault));
  if (url !== undefined) return openWebSocket(url, tls);
  switch (runtime()) {
    case "deno":
      return tls === undefined ? openTcp : openTls(tls);
    case "node":
      return openNode(tls);
    case "page":
      return openWebSocket(`${tls === undefined ? "ws" : "wss"}://${label}/`, tls);
  }
}
