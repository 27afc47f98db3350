// Listening: on the first port that is free, with TLS or without, and in the operator's words why not.
// Accepts nothing.

import { joinHostPort } from "../relay/address.ts";
import { OperatorError, readFile } from "./files.ts";
import type { ServerOptions } from "./flags.ts";
import type { BoundListener } from "./tls_listener.ts";

/**
 * How many connections may wait to be accepted, where the runtime lets a program say so: a lecture that comes
 * back at once. The kernel has a limit of its own (`net.core.somaxconn`).
 */
const BACKLOG = 4096;

/**
 * Listens on the first port of a range that is free.
 * @throws {OperatorError} if it can't
 */
export async function listen({ host, ports: [first, last], tls }: ServerOptions): Promise<BoundListener> {
  const bind = tls === undefined ? listenPlain : await prepareTls(tls);
  for (let port = first;; port++) {
    try {
      return await bind(host, port);
    } catch (error) {
      if (isInUse(error) && port < last) continue;
      if (isInUse(error) && first < last) {
        throw new OperatorError(
          `Cannot listen on a port of ${first}-${last}: all are in use, try another range`,
        );
      }
      throw new OperatorError(`Cannot listen on ${joinHostPort(host, port)}: ${explain(error)}`);
    }
  }
}

type Bind = (hostname: string, port: number) => Promise<BoundListener> | BoundListener;

function listenPlain(hostname: string, port: number): BoundListener {
  const options = { hostname, port, tcpBacklog: BACKLOG }; // older Deno doesn't know the last, and ignores it
  return Deno.listen(options);
}

/** Reads the files first: what is wrong with them is not the port's fault. */
async function prepareTls({ certFile, keyFile }: NonNullable<ServerOptions["tls"]>): Promise<Bind> {
  const cert = readFile("certificate", certFile), key = readFile("key", keyFile);
  const { listenTls, tlsFault } = await import("./tls_listener.ts"); // takes a while to load, and few need it
  const fault = tlsFault(cert, key);
  if (fault !== undefined) {
    throw new OperatorError(
      `Cannot serve TLS with certificate ${JSON.stringify(certFile)} and key ${
        JSON.stringify(keyFile)
      }: ${fault}`,
    );
  }
  return (hostname, port) => listenTls({ hostname, port, cert, key, tcpBacklog: BACKLOG });
}

function isInUse(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse || codeOf(error) === "EADDRINUSE";
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function explain(error: unknown): string {
  if (isInUse(error)) return "the port is in use, try another one or a range such as 32000-33000";
  if (error instanceof Deno.errors.NotCapable) return "deno was not allowed to, start it with --allow-net";
  if (error instanceof Deno.errors.PermissionDenied || codeOf(error) === "EACCES") {
    return "ports below 1024 need root, try 32000-33000";
  }
  if (error instanceof Deno.errors.AddrNotAvailable || codeOf(error) === "EADDRNOTAVAIL") {
    return "this machine has no such address, try --host 0.0.0.0";
  }
  const what = error instanceof Error ? error.message : String(error);
  return /lookup address|ENOTFOUND|EAI_AGAIN/i.test(what)
    ? "there is no such host, try --host 0.0.0.0"
    : what;
}
