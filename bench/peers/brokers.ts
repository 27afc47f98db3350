// How brokers that are installed on the machine are started: on the loopback device, without what costs time
// and isn't asked for.

import { MANY_CONNECTIONS } from "./contender.ts";
import { freePort, type PeerServer, startOnFreePort } from "./servers.ts";

/** Where servers may write, and a command that starts commands, such as taskset. */
export interface Place {
  folder: string;
  prefix: readonly string[];
}

/** Starts redis. */
export function startRedis({ folder, prefix }: Place): Promise<PeerServer> {
  return startOnFreePort((port) => [
    ...[...prefix, "redis-server", "--port", String(port), "--bind", "127.0.0.1", "--daemonize", "no"],
    ...["--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir", folder],
    ...["--maxclients", String(MANY_CONNECTIONS), "--tcp-backlog", "4096"],
  ]);
}

/** Starts mosquitto on a free port. */
export function startMosquitto({ folder, prefix }: Place, webSocket = false): Promise<PeerServer> {
  return startOnFreePort(async (port) => {
    const file = `${folder}/mosquitto-${port}.conf`;
    const lines = [
      `listener ${port} 127.0.0.1`,
      // Version 2.0 ends at once if it has no other listener beside one for WebSocket.
      ...(webSocket ? ["protocol websockets", `listener ${freePort()} 127.0.0.1`] : []),
      "allow_anonymous true",
      "persistence false",
      "set_tcp_nodelay true",
      "log_type none",
      "max_queued_messages 0",
    ];
    await Deno.writeTextFile(file, lines.join("\n") + "\n");
    return [...prefix, "mosquitto", "-c", file];
  });
}

/** Starts nats-server. */
export function startNats({ prefix }: Place): Promise<PeerServer> {
  return startOnFreePort((port) => [...prefix, "nats-server", "-a", "127.0.0.1", "-p", String(port)]);
}

/** Starts nats-server on free ports, of which that for WebSocket is the server's. */
export function startNatsWebSocket({ folder, prefix }: Place): Promise<PeerServer> {
  return startOnFreePort(async (port) => {
    const file = `${folder}/nats-${port}.conf`;
    const text = `listen: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true }\n`;
    await Deno.writeTextFile(file, text);
    return [...prefix, "nats-server", "-c", file];
  });
}
