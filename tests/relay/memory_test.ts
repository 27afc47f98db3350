// Holds the relay to its memory, as the system counts it: whatever 2,000 hostile clients do, a relay with the default flags stays below 300 MiB.

import assert from "node:assert/strict";
import { FROM_SOURCE, Program } from "../support/program.ts";

const CLIENTS = 2000, MAX_RSS_MIB = 300;

/** How many clients are busy at a time. */
const WIDTH = 50;

const encoder = new TextEncoder();

type Send = (text: string) => Promise<void>;

interface Pattern {
  what: string;
  /** What each client does once it is connected; `read` takes a little of what comes. */
  each: (send: Send, i: number, read: () => Promise<void>) => Promise<void>;
  /** Whether it takes what comes; otherwise it reads nothing. */
  reads: boolean;
  /** What one more does in the end. */
  then?: (send: Send) => Promise<void>;
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
];

for (const { what, each, reads, then } of PATTERNS) {
  Deno.test({
    name: `a relay stays below ${MAX_RSS_MIB} MiB while ${CLIENTS} clients ${what}`,
    ignore: Deno.build.os !== "linux",
    sanitizeOps: false, // clients are closed in the middle of things
    sanitizeResources: false,
    fn: async () => {
      await using relay = new Program(FROM_SOURCE, ["0", "--host", "127.0.0.1", "--quiet"]);
      const port = await relay.port();
      const conns: Deno.TcpConn[] = [];
      const connect = async () => {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port });
        conns.push(conn);
        const send: Send = async (text) => {
          const bytes = encoder.encode(text);
          for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
        };
        const read = async () => void await conn.read(new Uint8Array(4096)).catch(() => {});
        return { conn, send, read };
      };
      let next = 0, most = 0;
      const look = () => most = Math.max(most, rssMiB(relay.pid));
      await Promise.all(Array.from({ length: WIDTH }, async () => {
        for (let i = next++; i < CLIENTS; i = next++) {
          const { conn, send, read } = await connect();
          if (reads) void drain(conn);
          await each(send, i, read).catch(() => {}); // the relay may close it
        }
      }));
      look();
      if (then !== undefined) await connect().then(({ send }) => then(send));
      for (let i = 0; i < 20; i++) {
        look();
        await new Promise((done) => setTimeout(done, 200));
      }
      assert.ok(most < MAX_RSS_MIB, `the relay took ${most} MiB`);
      const { send, read } = await connect();
      await send(hello("another")); // it still serves
      await read();
      for (const conn of conns) conn.close();
    },
  });
}

async function drain(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // closed
  }
}

function rssMiB(pid: number): number {
  const [, kiB] = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Math.round(Number(kiB) / 1024);
}
