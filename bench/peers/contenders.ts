// The servers that are compared: how each is started with fair, fast settings, which protocol it speaks, which version it
// is. A contender whose program isn't installed is named and left out. Used by run.ts.

import { sourceCommand } from "../relay_process.ts";
import { type PeerServer, startOnFreePort, startOnOwnPort } from "./servers.ts";

/** The protocols that native/wire.c speaks. */
export type Wire = "lines" | "sessions" | "nats" | "resp" | "mqtt";

export interface Contender {
  name: string;
  /** What it is to the comparison: ours, a peer, or a measure of what the machine can do. */
  kind: "product" | "broker" | "pipe" | "limit";
  wire: Wire;
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

/** The limit that the relay is given, so that 5,000 idle connections and those beside them fit. */
const MANY_CONNECTIONS = 20_000;
/** ncat waits with select(), which takes descriptors below 1,024; some are its own. */
const SELECT_CONNECTIONS = 1000;

/** Returns all contenders, whether installed or not. */
export function allContenders(
  { relay, folder, limitProgram, before = null, prefix = [] }: ContenderOptions,
): Contender[] {
  const command = relay ?? sourceCommand();
  const product = (name: string, wire: Wire, flags: string[], command: readonly string[]): Contender => ({
    name,
    kind: "product",
    wire,
    hasRooms: wire === "sessions",
    maxConnections: MANY_CONNECTIONS,
    settings: ["--quiet", ...flags, `--max-clients ${MANY_CONNECTIONS}`].join(" ") +
      (wire === "sessions" ? "; level 1: a room, $ack at each 192 KiB, $ping and $ack each second" : ""),
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
    product("eventrelay", "lines", [], command),
    product("eventrelay --unchecked", "lines", ["--unchecked"], command),
    product("eventrelay, sessions", "sessions", [], command),
    ...(before === null ? [] : [product("eventrelay, before", "lines", [], before)]),
    {
      name: "redis",
      kind: "broker",
      wire: "resp",
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "no persistence; RESP2, PUBLISH pipelined on a second connection with CLIENT REPLY OFF",
      version: () => versionOf(["redis-server", "--version"], /v=(\S+)/),
      start: () =>
        startOnFreePort((port) => [
          ...[...prefix, "redis-server", "--port", String(port), "--bind", "127.0.0.1", "--daemonize", "no"],
          ...["--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir", folder],
          ...["--maxclients", String(MANY_CONNECTIONS), "--tcp-backlog", "4096"],
        ]),
    },
    {
      name: "nats-server",
      kind: "broker",
      wire: "nats",
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "defaults, all cores; verbose, pedantic and echo off",
      version: () => versionOf(["nats-server", "--version"], /v(\d\S*)/),
      start: () =>
        startOnFreePort((port) => [...prefix, "nats-server", "-a", "127.0.0.1", "-p", String(port)]),
    },
    {
      name: "mosquitto",
      kind: "broker",
      wire: "mqtt",
      hasRooms: true,
      maxConnections: MANY_CONNECTIONS,
      settings: "TCP_NODELAY, no persistence, no log, no limit of queued messages; MQTT 3.1.1, QoS 0",
      version: () => versionOf(["mosquitto", "-h"], /version (\S+)/),
      start: () =>
        startOnFreePort(async (port) => {
          const file = `${folder}/mosquitto-${port}.conf`;
          const lines = [
            `listener ${port} 127.0.0.1`,
            "allow_anonymous true",
            "persistence false",
            "set_tcp_nodelay true",
            "log_type none",
            "max_queued_messages 0",
          ];
          await Deno.writeTextFile(file, lines.join("\n") + "\n");
          return [...prefix, "mosquitto", "-c", file];
        }),
    },
    {
      name: "ncat --broker",
      kind: "pipe",
      wire: "lines",
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
    {
      name: "bare Deno",
      kind: "limit",
      wire: "lines",
      hasRooms: false,
      maxConnections: MANY_CONNECTIONS,
      settings: "bare.ts: one write to each member for each read; no lines, no checks",
      version: () => Promise.resolve(Deno.version.deno),
      start: () => {
        const script = decodeURIComponent(new URL("bare.ts", import.meta.url).pathname);
        return startOnOwnPort(
          [...prefix, Deno.execPath(), "run", "--no-lock", "--allow-net", script],
          /^(\d+)$/m,
        );
      },
    },
    {
      name: "copy only",
      kind: "limit",
      wire: "lines",
      hasRooms: false,
      maxConnections: MANY_CONNECTIONS,
      settings:
        "native/limit.c: one write to each member, up to 256 KiB, for all that was read in a turn; no lines, no checks",
      version: () => Promise.resolve(limitProgram === "" ? null : "of this checkout"),
      start: () => startOnOwnPort([...prefix, limitProgram], /^(\d+)$/m),
    },
  ];
}

async function versionOf(command: string[], pattern: RegExp): Promise<string | null> {
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
