// The peers that browsers reach, by WebSocket: what passes messages on with the fewest lines, in the way that
// its documentation advises. Scripts are in websocket/, packages come from npm.

import { type Place, startMosquitto, startNatsWebSocket } from "./brokers.ts";
import { type Contender, MANY_CONNECTIONS, versionOf } from "./contender.ts";
import { npmCommand, npmFolder, type Package, versionOfPackage } from "./npm_peers.ts";
import { startOnOwnPort } from "./servers.ts";

/** More would take minutes to connect. */
const SLOW_CONNECTIONS = 50;

/** Returns them, whether installed or not. */
export function webSocketPeers(place: Place): Contender[] {
  const shared = {
    kind: "broker",
    transports: ["websocket"],
    fetched: false,
    hasRooms: true,
    maxConnections: MANY_CONNECTIONS,
  } as const;
  return [
    fromNpm({
      name: "Bun, publish",
      wire: "messages/websocket",
      script: "bun.js",
      packages: ["bun"],
      settings: "Bun.serve, topics: subscribe and publish; a message is an event",
    }, place),
    fromNpm({
      name: "ws on Node",
      wire: "messages/websocket",
      script: "ws.js",
      packages: ["node", "ws", "bufferutil"],
      settings: "a send to each of all others, no compression; a message is an event",
    }, place),
    fromNpm({
      name: "Socket.IO",
      wire: "socket.io/websocket",
      script: "socket_io.js",
      packages: ["node", "socket.io", "bufferutil"],
      settings:
        "broadcast.emit, WebSocket only, no compression; an event is an object in JSON, parsed and written anew",
    }, place),
    fromNpm({
      name: "Colyseus, RelayRoom",
      wire: "colyseus/websocket",
      script: "colyseus.js",
      packages: ["node", "@colyseus/core", "@colyseus/ws-transport", "bufferutil"],
      settings:
        "its RelayRoom on its ws transport; an event is a string in MessagePack, less work than an object",
    }, place),
    {
      ...shared,
      name: "nats-server, WebSocket",
      wire: "nats/websocket",
      settings: "no TLS, no compression; the protocol of NATS in binary messages, else as nats-server",
      version: () => versionOf(["nats-server", "--version"], /v(\d\S*)/),
      start: () => startNatsWebSocket(place),
    },
    {
      ...shared,
      name: "mosquitto, WebSocket",
      wire: "mqtt/websocket",
      maxConnections: SLOW_CONNECTIONS,
      settings:
        "protocol websockets, else as mosquitto; MQTT in binary messages; takes 0.2 s for each to connect, so the class alone",
      version: () => versionOf(["mosquitto", "-h"], /version (\S+)/),
      start: () => startMosquitto(place, true),
    },
  ];
}

/** Returns a server of the folder websocket/, on a runtime and packages from npm. */
function fromNpm(
  { name, wire, script, packages, settings }:
    & Pick<Contender, "name" | "wire" | "settings">
    & { script: string; packages: readonly [runtime: "bun" | "node", ...Package[]] },
  { prefix }: Place,
): Contender {
  return {
    name,
    kind: "broker",
    wire,
    transports: ["websocket"],
    fetched: true,
    hasRooms: false,
    maxConnections: MANY_CONNECTIONS,
    settings,
    async version() {
      if (await npmFolder() === null) return null;
      return packages.map((each) => `${each} ${versionOfPackage(each)}`).join(", ");
    },
    async start() {
      const folder = await npmFolder();
      if (folder === null) throw new Error(`Cannot start ${name}: its packages are not installed`);
      return await startOnOwnPort(
        [...prefix, ...npmCommand(folder, packages[0], script)],
        /^(\d+)$/m,
        folder,
      );
    },
  };
}
