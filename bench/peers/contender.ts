// What a comparison knows of a server: its name, which protocol it speaks, which version it is, and how it is
// started with fair, fast settings. One whose program isn't installed is named and left out.

import type { PeerServer } from "./servers.ts";

/** The limit that the relay is given, so that 5,000 idle connections and those beside them fit. */
export const MANY_CONNECTIONS = 20_000;
/** The protocols that native/wire.c and native/wire_websocket.c speak. */
export type Wire =
  | "lines"
  | "sessions"
  | "nats"
  | "resp"
  | "mqtt"
  | "lines/websocket"
  | "lines apart/websocket"
  | "sessions/websocket"
  | "nats/websocket"
  | "mqtt/websocket"
  | "messages/websocket"
  | "socket.io/websocket"
  | "colyseus/websocket";

/**
 * What is compared with what: servers by TCP, or those that browsers reach, with the relay's TCP beside them.
 */
export const TRANSPORTS = ["tcp", "websocket"] as const;
export type Transport = typeof TRANSPORTS[number];

export interface Contender {
  name: string;
  /** What it is to the comparison: ours, a peer, or a measure of what the machine can do. */
  kind: "product" | "broker" | "pipe" | "limit";
  wire: Wire;
  /** The comparisons that it is part of. */
  transports: readonly Transport[];
  /** Whether {@linkcode Contender.version} installs it, from npm, where it isn't yet. */
  fetched: boolean;
  /** Whether events of one room stay out of the others. */
  hasRooms: boolean;
  /** Connections that it can hold; what is larger is left out. */
  maxConnections: number;
  /** What differs from the defaults, for the reader. */
  settings: string;
  /** Returns the version, null if the program isn't installed. */
  version(): Promise<string | null>;
  start(): Promise<PeerServer>;
}

/** Runs a command that says its version, and finds that by a pattern. Null if there is no such command. */
export async function versionOf(command: string[], pattern: RegExp): Promise<string | null> {
  try {
    const { stdout, stderr } = await new Deno.Command(command[0], { args: command.slice(1), stdin: "null" })
      .output();
    const decoder = new TextDecoder();
    return (decoder.decode(stdout) + decoder.decode(stderr)).match(pattern)?.[1] ?? "unknown version";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
