// Holds serve() to it that nobody waits for a client by WebSocket, whatever that sends as fast as it can: two
// of a kind at a time beside a pair that speaks.

import { concat } from "../../src/wire/concat.ts";
import { clientFrame, textFrame } from "../support/websocket_frames.ts";
import { pause } from "../support/pause.ts";
import { Loopback, repeated } from "../support/websocket_loopback.ts";
import { inTime } from "../support/deadline.ts";

/** Sends the same bytes again and again, until it is ended. */
class Flood implements Disposable {
  readonly #worker = new Worker(new URL("../support/websocket_flooder.ts", import.meta.url), {
    type: "module",
  });
  bytes = 0;

  constructor(port: number, chunk: Uint8Array) {
    this.#worker.onmessage = ({ data }: MessageEvent<number>) => this.bytes += data;
    this.#worker.postMessage({ port, chunk });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What costs a relay more than it costs who sends it. */
const FLOODS: [what: string, chunk: Uint8Array][] = [
  ["empty pings", repeated(clientFrame({ opcode: 9 }), 10_000)],
  ["long pings", repeated(clientFrame({ opcode: 9, payload: "x".repeat(125) }), 500)],
  ["pongs", repeated(clientFrame({ opcode: 10 }), 10_000)],
  ["empty messages", repeated(textFrame(""), 10_000)],
  [
    "empty fragments",
    concat([
      clientFrame({ opcode: 1, isFinal: false }),
      repeated(clientFrame({ opcode: 0, isFinal: false }), 10_000),
      clientFrame({ opcode: 0 }),
    ]),
  ],
  ["messages of one byte", repeated(textFrame("1"), 10_000)],
  ["messages of 1 MiB of LFs", clientFrame({ opcode: 2, payload: new Uint8Array(1 << 20).fill(10) })],
];

for (const [what, chunk] of FLOODS) {
  Deno.test(`serve lets nobody wait for a WebSocket that sends ${what} as fast as it can`, async () => {
    await using loopback = new Loopback();
    const [ada, bo] = [await loopback.plain(), (await loopback.join()).client];
    using one = new Flood(loopback.port, chunk);
    using other = new Flood(loopback.port, chunk);
    while (one.bytes === 0 || other.bytes === 0) await inTime(pause(5), "the floods to begin");
    for (let i = 0, seen = bo.lines.length; i < 60 || one.bytes + other.bytes < 10 * chunk.length; i++) {
      await ada.send(`{"n":${i}}\n`);
      const isThere = async () => {
        while (!bo.lines.slice(seen).includes(`{"n":${i}}`)) await pause(1);
      };
      await inTime(isThere(), "a line to arrive");
      seen = bo.lines.length;
    }
  });
}
