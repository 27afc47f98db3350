// Holds the relay to its memory, as the system counts it: whatever 2,000 hostile clients do, a relay with the
// default flags stays below 300 MiB. The most that it ever had is asked for, and only once it has nothing
// left to do, however long that takes on a busy machine.

import assert from "node:assert/strict";
import { readCpuUs, readMemory, readWaitUs } from "../../bench/process_stats.ts";
import { drain } from "../support/drain.ts";
import { pause } from "../support/pause.ts";
import { connectTo, type LineConn } from "../support/websocket_conn.ts";
import { FROM_SOURCE, type Launch, Program } from "../support/program.ts";
import { encodeId } from "../../src/wire/protocol.ts";

const CLIENTS = 2000, MAX_RSS_MIB = 300;

/** How many clients are busy at a time. */
const WIDTH = 50;

/** How often it is looked whether the relay has something to do, in ms. */
const LOOK_MS = 100;

/**
 * In so many looks one after the other it had nothing to do: that is more than its own timers wait, 250 ms
 * and 1 s.
 */
const IDLE_LOOKS = 15;

/**
 * The most that it worked and waited for a core between two looks if it had nothing to do, in us: a fifth of
 * the time.
 */
const IDLE_US = 20_000;

/** A safety net only: a relay that works for so long after the last byte has failed. */
const DEADLINE_MS = 120_000;

/** Files of a certificate for 127.0.0.1, and of who has signed it. */
const CERTIFICATES = new URL("../tls/", import.meta.url).pathname;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same from source, which may read the files of its certificate. */
const WITH_FILES: Launch = { ...FROM_SOURCE, args: FROM_SOURCE.args.toSpliced(1, 0, "--allow-read") };

type Send = (text: string) => Promise<void>;
type Read = () => Promise<string>;

interface Pattern {
  what: string;
  /** What each client does once it is connected; `read` takes a little of what comes. */
  each: (send: Send, i: number, read: Read) => Promise<void>;
  /** Whether it takes what comes; otherwise it reads nothing but what it asks for. */
  reads: boolean;
  /** Whether its connection is reset after that. */
  goes?: boolean;
  /** What one does before, and what one more does in the end. */
  first?: (send: Send, read: Read) => Promise<void>;
  then?: (send: Send) => Promise<void>;
  /** How many do it, where a single one costs the test too much; {@linkcode CLIENTS} otherwise. */
  clients?: number;
  /** How long what it does goes on in the relay while that seems to be idle, in ms; 0 otherwise. */
  lastsMs?: number;
  /** Whether they come by WebSocket. */
  websocket?: boolean;
  /** Whether the relay has TLS, and who comes shakes hands or says nothing. */
  tls?: "shakes hands" | "is silent";
}

const hello = (room: string, more = "") => `{"$hello":{"version":1,"room":"${room}"${more}}}\n`;
const filler = (bytes: number) => "x".repeat(bytes);

const PATTERNS: Pattern[] = [
  {
    what: "fill the state of a thousand rooms",
    reads: true,
    each: async (send, i) => {
      await send(hello(`r${i % 1000}`));
      for (let key = 0; key < 6; key++) {
        await send(`{"$set":{"key":"k${key}","value":"${filler(16_000)}"}}\n`);
      }
    },
  },
  {
    what: "set short values in long lines, and begin one that does not end",
    reads: true,
    each: async (send, i) => {
      await send(hello(`r${i % 10}`));
      await send(
        `{"$set":{"key":"the key with number 1","value":"0123456789abc","pad":"${filler(60_000)}"}}\n`,
      );
      await send(`"${filler(60_000)}`);
    },
  },
  {
    what: "read nothing, beside a flood",
    reads: false,
    each: (send, i) => send(i % 2 ? "\n" : hello("lobby")),
    then: async (send) => {
      for (let i = 0; i < 400; i++) await send(`"${filler(998)}"\n`.repeat(100));
    },
  },
  {
    what: "set and remove keys, and never say what they have received",
    reads: false,
    each: async (send, i) => {
      await send(hello(`r${i % 20}`));
      let text = "";
      for (let key = 0; key < 200; key++) {
        text += `{"$set":{"key":"k${key}","value":1}}\n{"$set":{"key":"k${key}"}}\n`;
      }
      await send(text);
    },
  },
  {
    what: "say hello in a room full of state and go away",
    reads: false,
    goes: true,
    first: fillState,
    each: async (send, _i, read) => {
      await send(hello("full"));
      await read();
    },
  },
  {
    what: "are away, with sessions that may come back, while there is much to be kept for them",
    reads: false,
    goes: true,
    first: fillState,
    each: async (send, _i, read) => {
      await send(hello("full"));
      for (let more = 1, lines = 0; lines < more;) { // all of the welcome: only then it is a session
        const text = await read();
        if (text === "") return;
        if (lines === 0) more = Number(/"more":(\d+)/.exec(text)?.[1] ?? 0) + 1;
        lines += text.split("\n").length - 1;
      }
      await send('{"$ping":{"t":1}}\n');
      await read();
    },
    then: (send) => flood(send, "full"),
    clients: 200,
  },
  {
    what: "ask for long values, and read no answer",
    reads: false,
    first: (send) => send(`${hello("asked")}{"$set":{"key":"k0","value":"${filler(16_000)}","room":true}}\n`),
    each: (send) => send(hello("asked") + '{"$claim":{"ask":"1","key":"k0","value":1}}\n'.repeat(15)),
  },
  {
    what: "ask for pages by HTTP, one after the other, and read none",
    reads: false,
    each: (send) => send("GET /stats.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000)),
    clients: 400,
  },
  {
    what: "speak one after the other and read nothing of what the others say",
    reads: false,
    each: async (send, i) => {
      await send(hello(`r${i % 40}`));
      for (let n = 0; n < 60; n++) await send("1\n");
    },
  },
  {
    what: "send short messages to each other, one by one, and read nothing of them",
    reads: false,
    each: async (send, i, read) => {
      await send(hello(`r${i % 20}`));
      const ids = [...(await read()).matchAll(/"id":"(k\w+)"/g)].slice(1).map(([, id]) => id);
      if (ids.length === 0) return;
      const all = JSON.stringify(ids.slice(0, 256));
      for (let n = 0; n < 20; n++) await send(`{"$to":{"ids":${all},"event":${n}}}\n`);
    },
  },
  {
    what: "write to many whom nobody knows, and read no answer",
    reads: false,
    each: async (send) => {
      const ids = Array.from({ length: 250 }, (_, i) => `"${"\\u0001".repeat(40)}${i}"`);
      await send(hello("nobody") + `{"$to":{"ids":[${ids}],"event":1}}\n`.repeat(20));
    },
    clients: 1000,
  },
  {
    what: "want the longest delay of a network, beside a flood, and are asked for a pong each",
    reads: true,
    each: (send) => send(hello("lobby", ',"simulate":"delay=10s"') + '{"$ping":{"t":1}}\n'.repeat(200)),
    then: (send) => flood(send, "lobby"),
    clients: 1000,
    lastsMs: 10_000,
  },
  {
    what: "fill the logs of a thousand rooms for others who read nothing",
    reads: false,
    each: async (send, i) => {
      await send(hello(`r${i % 1000}`));
      if (i >= 1000) await send(`"${filler(998)}"\n`.repeat(100));
    },
  },
  {
    what: "open a WebSocket and read nothing, beside a flood",
    reads: false,
    websocket: true,
    each: (send, i) => send(i % 2 ? "\n" : hello("lobby")),
    then: async (send) => {
      for (let i = 0; i < 400; i++) await send(`"${filler(998)}"\n`.repeat(100));
    },
  },
  {
    what:
      "say something by WebSocket one after the other, read nothing, and begin a message that does not end",
    reads: false,
    websocket: true,
    each: async (send, i) => {
      await send(hello(`r${i % 40}`));
      for (let n = 0; n < 60; n++) await send("1\n");
      await send(`"${filler(60_000)}`);
    },
  },
  {
    what: "connect by TLS and never shake hands",
    reads: false,
    tls: "is silent",
    each: () => Promise.resolve(),
  },
  {
    what: "connect by TLS and read nothing, beside a flood",
    reads: false,
    tls: "shakes hands",
    each: (send) => send(hello("lobby")),
    then: (send) => flood(send, "lobby"),
    clients: 400,
  },
  {
    what: "say by TLS more than is read of them, flat out",
    reads: false,
    tls: "shakes hands",
    each: async (send, i) => {
      await send(hello(`r${i}`));
      for (let n = 0; n < 100; n++) await send(`"${filler(98)}"\n`.repeat(500));
    },
    clients: 40,
  },
  { what: "do all of that at once, over all kinds of networks", reads: false, each: doEverything },
  {
    what: "do all of that at once by TLS",
    reads: false,
    tls: "shakes hands",
    each: doEverything,
    clients: 500,
  },
  {
    what: "set long values again and again, and read nothing of what the others set",
    reads: false,
    each: async (send, i) => {
      await send(hello(`r${i % 200}`));
      for (let n = 0; n < 30; n++) {
        await send(`{"$set":{"key":"k${n % 4}","value":"${filler(15_000)}","room":${i % 2 === 1}}}\n`);
      }
    },
  },
];

/** Networks that sessions ask for, by turns. */
const NETWORKS = ["delay=10s", "rate=1k", "awful", "stall=10s/100ms", "jitter=10s,delay=10s", "", "", ""];

/**
 * Sets values of its own and of the room, claims some, asks, writes to others and to nobody, says a little and
 * what is wrong, and begins a line that does not end.
 */
async function doEverything(send: Send, i: number): Promise<void> {
  const simulate = NETWORKS[i % NETWORKS.length],
    network = simulate === "" ? "" : `,"simulate":"${simulate}"`;
  let text = hello(
    `r${i % 30}`,
    `,"echo":true,"canHost":${i % 2 === 1},"name":"${"é".repeat(64)}"${network}`,
  );
  for (let n = 0; n < 20; n++) {
    const key = `${"☃".repeat(40)}${n}`;
    text += `{"$set":{"key":"${key}","value":"${filler(500)}","room":${n % 2 === 1},"hold":true}}\n`;
  }
  for (let n = 0; n < 10; n++) {
    text += `{"$claim":{"ask":"${n}","key":"c${n}","value":"${filler(3000)}","hold":true}}\n`;
  }
  const ids = [i, 7 * i % CLIENTS].map((n) => `"${encodeId(n)}"`);
  text += '{"$rooms":{"ask":"r"}}\n'.repeat(10) + '{"$ping":{"t":1}}\n'.repeat(10) + "1\n".repeat(5);
  text += `{"$to":{"ids":[${ids},"nobody"],"event":"${filler(900)}"}}\n`.repeat(10);
  text += `{"$to":{"ids":[${ids[1]}],"ask":"1","event":"${filler(5000)}"}}\n`.repeat(10);
  await send(`${text}{"$dance":{}}\n"${filler(40_000)}`);
}

/** Fills the state of a room: 4 MB. */
async function fillState(send: Send, read: Read): Promise<void> {
  await send(hello("full"));
  for (let key = 0; key < 250; key++) await send(`{"$set":{"key":"k${key}","value":"${filler(16_000)}"}}\n`);
  await send('{"$ping":{"t":1}}\n');
  while (!(await read()).includes("$pong"));
}

/** Says 5 MB in a room. */
async function flood(send: Send, room: string): Promise<void> {
  await send(hello(room));
  for (let i = 0; i < 50; i++) await send(`"${filler(998)}"\n`.repeat(100));
}

for (const pattern of PATTERNS) {
  const { what, each, reads, goes, first, then, clients = CLIENTS, tls, websocket, lastsMs = 0 } = pattern;
  Deno.test({
    name: `a relay stays below ${MAX_RSS_MIB} MiB while ${clients} clients ${what}`,
    ignore: Deno.build.os !== "linux",
    sanitizeOps: false, // clients are closed in the middle of things
    sanitizeResources: false,
    fn: async () => {
      const files = ["--tls-cert", `${CERTIFICATES}good.pem`, "--tls-key", `${CERTIFICATES}good.key`];
      const args = ["0", "--host", "127.0.0.1", "--quiet", ...tls === undefined ? [] : files];
      await using relay = new Program(tls === undefined ? FROM_SOURCE : WITH_FILES, args);
      const port = await relay.port();
      const address = { hostname: "127.0.0.1", port };
      const caCerts = tls === undefined ? [] : [Deno.readTextFileSync(`${CERTIFICATES}ca.pem`)];
      const conns: Pick<LineConn, "close">[] = [];
      const connect = async (isSilent = tls === "is silent") => {
        const isPlain = tls === undefined || isSilent;
        const conn: LineConn = websocket
          ? await connectTo(port, "websocket")
          : isPlain
          ? await Deno.connect(address)
          : await Deno.connectTls({ ...address, caCerts });
        conns.push(conn);
        const send: Send = async (text) => {
          const bytes = encoder.encode(text);
          for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
        };
        const buffer = new Uint8Array(64 * 1024);
        const read: Read = async () => {
          const count = await conn.read(buffer).catch(() => null);
          return decoder.decode(buffer.subarray(0, count ?? 0));
        };
        return { conn, send, read };
      };
      let next = 0;
      if (first !== undefined) await connect().then(({ send, read }) => first(send, read));
      await Promise.all(Array.from({ length: WIDTH }, async () => {
        for (let i = next++; i < clients; i = next++) {
          const { conn, send, read } = await connect();
          if (reads) void drain(conn);
          await each(send, i, read).catch(() => {}); // the relay may close it
          if (goes) conn.close();
        }
      }));
      if (then !== undefined) await connect().then(({ send }) => then(send));
      await idle(relay.pid, lastsMs);
      const mostMiB = Math.round(readMemory(relay.pid)!.peakKib / 1024);
      assert.ok(mostMiB < MAX_RSS_MIB, `the relay took ${mostMiB} MiB`);
      const { send, read } = await connect(false);
      await send(hello("lobby")); // it still serves
      assert.match(await read(), /\$welcome/);
      for (const conn of conns) closeQuietly(conn);
    },
  });
}

function closeQuietly(conn: Pick<LineConn, "close">): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
/** Waits until a process neither works nor waits for a core, and for `leastMs` at least. */
async function idle(pid: number, leastMs: number): Promise<void> {
  const startMs = performance.now();
  for (let looks = 0, beforeUs = 0; looks < IDLE_LOOKS || performance.now() - startMs < leastMs;) {
    await pause(LOOK_MS);
    const us = readCpuUs(pid)! + readWaitUs(pid)!;
    looks = us - beforeUs > IDLE_US ? 0 : looks + 1;
    beforeUs = us;
    assert.ok(performance.now() - startMs < DEADLINE_MS, `the relay works after ${DEADLINE_MS} ms`);
  }
}
