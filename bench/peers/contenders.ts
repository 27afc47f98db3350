// The servers that are compared, all of them, in the order of the tables.

import { sourceCommand } from "../relay_process.ts";
import { startMosquitto, startNats, startRedis } from "./brokers.ts";
import {
  type Contender,
  MANY_CONNECTIONS,
  type Transport,
  TRANSPORTS,
  versionOf,
  type Wire,
} from "./contender.ts";
import { startOnFreePort, startOnOwnPort } from "./servers.ts";
import { webSocketPeers } from "./websocket_peers.ts";

export interface ContenderOptions {
  /** The relay's command; null runs server.ts of this checkout. */
  relay: readonly string[] | null;
  /** A folder for what servers want to write. */
  folder: string;
  /** The built native/limit.c. */
  limitProgram: string;
  /** Another relay's command, to be compared as "eventrelay, before"; null for none. */
  before?: readonly string[] | null;
  /** A command that starts commands, such as taskset, for all servers. */
  prefix?: readonly string[];
}

/** ncat waits with select(), which takes descriptors below 1,024; some are its own. */
const SELECT_CONNECTIONS = 1000;

const SESSION_SETTINGS = "; level 1: a room, $ack at each 192 KiB, $ping and $ack each second";

/** What the load does beside sending events, for the reader. */
const WIRE_SETTINGS: Partial<Record<Wire, string>> = {
  "sessions": SESSION_SETTINGS,
  "sessions/websocket": `${SESSION_SETTINGS}; a message for each write, both ways`,
  "lines/websocket": "; a message for each write, both ways",
  "lines apart/websocket": "; each event is sent as a message",
};

/** Returns all contenders, whether installed or not. */
export function allContenders(
  { relay, folder, limitProgram, before = null, prefix = [] }: ContenderOptions,
): Contender[] {
  const own = relay ?? sourceCommand();
  const place = { folder, prefix };
  const product = (
    name: string,
    wire: Wire,
    transports: readonly Transport[],
    flags: readonly string[] = [],
    command = own,
  ): Contender => ({
    name,
    kind: "product",
    wire,
    transports,
    fetched: false,
    hasRooms: wire === "sessions" || wire === "sessions/websocket",
    maxConnections: MANY_CONNECTIONS,
    settings: ["--quiet", ...flags, `--max-clients ${MANY_CONNECTIONS}`].join(" ") +
      (WIRE_SETTINGS[wire] ?? ""),
    version: () => versionOf([...command, "--version"], /eventrelay (\S+)/),
    start: () => {
      const args = [
        "0",
        "--host",
        "127.0.0.1",
        "--quiet",
        "--max-clients",
        String(MANY_CONNECTIONS),
        ...flags,
      ];
      return startOnOwnPort([...prefix, ...command, ...args], /listening on \S+:(\d+)$/m);
    },
  });
  return [
    product("eventrelay", "lines", TRANSPORTS),
    product("eventrelay --unchecked", "lines", ["tcp"], ["--unchecked"]),
    product("eventrelay, sessions", "sessions", TRANSPORTS),
    product("eventrelay, WebSocket", "lines/websocket", ["websocket"]),
    product("eventrelay, sessions, WebSocket", "sessions/websocket", ["websocket"]),
    product("eventrelay, WebSocket, an event a message", "lines apart/websocket", ["websocket"]),
    ...(before === null ? [] : [
      product("eventrelay, before", "lines", TRANSPORTS, [], before),
      product("eventrelay, before, sessions", "sessions", TRANSPORTS, [], before),
    ]),
    {
      name: "redis",
      kind: "broker",
      wire: "resp",
      transports: ["tcp"],
      fetched: false,
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "no persistence; RESP2, PUBLISH pipelined on a second connection with CLIENT REPLY OFF",
      version: () => versionOf(["redis-server", "--version"], /v=(\S+)/),
      start: () => startRedis(place),
    },
    {
      name: "nats-server",
      kind: "broker",
      wire: "nats",
      transports: ["tcp"],
      fetched: false,
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "defaults, all cores; verbose, pedantic and echo off",
      version: () => versionOf(["nats-server", "--version"], /v(\d\S*)/),
      start: () => startNats(place),
    },
    {
      name: "mosquitto",
      kind: "broker",
      wire: "mqtt",
      transports: ["tcp"],
      fetched: false,
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "TCP_NODELAY, no persistence, no log, no limit of queued messages; MQTT 3.1.1, QoS 0",
      version: () => versionOf(["mosquitto", "-h"], /version (\S+)/),
      start: () => startMosquitto(place),
    },
    ...webSocketPeers(place),
    {
      name: "ncat --broker",
      kind: "pipe",
      wire: "lines",
      transports: ["tcp"],
      fetched: false,
      hasRooms: false,
      maxConnections: SELECT_CONNECTIONS,
      settings: `--max-conns ${SELECT_CONNECTIONS}; passes bytes on without looking for lines`,
      version: () => versionOf(["ncat", "--version"], /Version (\S+)/),
      start: () =>
        startOnFreePort((port) => [
          ...[...prefix, "ncat", "--broker", "--listen", "127.0.0.1", String(port)],
          ...["--max-conns", String(SELECT_CONNECTIONS)],
        ]),
    },
    bare("bare Deno", "lines", "bare.ts", TRANSPORTS, "one write to each member for each read", prefix),
    bare(
      "bare Deno, WebSocket",
      "lines/websocket",
      "bare_websocket.ts",
      ["websocket"],
      "frames by hand, one to each member for each read",
      prefix,
    ),
    {
      name: "copy only",
      kind: "limit",
      wire: "lines",
      transports: ["tcp"],
      fetched: false,
      hasRooms: false,
      maxConnections: MANY_CONNECTIONS,
      settings:
        "native/limit.c: one write to each member, up to 256 KiB, for all that was read in a turn; no lines, no checks",
      version: () => Promise.resolve(limitProgram === "" ? null : "of this checkout"),
      start: () => startOnOwnPort([...prefix, limitProgram], /^(\d+)$/m),
    },
  ];
}

/** Returns a relay of a few lines that only reads and writes, by Deno's own calls. */
function bare(
  name: string,
  wire: Wire,
  file: string,
  transports: readonly Transport[],
  what: string,
  prefix: readonly string[],
): Contender {
  return {
    name,
    kind: "limit",
    wire,
    transports,
    fetched: false,
    hasRooms: false,
    maxConnections: MANY_CONNECTIONS,
    settings: `${file}: ${what}; no lines, no checks`,
    version: () => Promise.resolve(Deno.version.deno),
    start: () => {
      const script = decodeURIComponent(new URL(file, import.meta.url).pathname);
      return startOnOwnPort(
        [...prefix, Deno.execPath(), "run", "--no-lock", "--allow-net", script],
        /^(\d+)$/m,
      );
    },
  };
}
