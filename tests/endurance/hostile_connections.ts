// Connections of the fuzzer to a relay: bytes go out in pieces and end in any way, and what comes has to be
// lines of JSON, by WebSocket in frames as they should be. What is sent is made elsewhere
// (hostile_client.ts).

import net from "node:net";
import type { Random } from "../../bench/motion/random.ts";
import { AnswerWatch } from "./answer_watch.ts";
import { bytesOf, onceDrained, split } from "./bytes.ts";
import { FRAME_FAULT_CODES, GOOD_UPGRADE } from "./frame_grammar.ts";
import { pause } from "../support/pause.ts";

/** Stands for the rest of a line that a resume in its middle has asked for. */
const REST = "the rest of a line";

/** Makes connections for one case. */
export class HostileConnections {
  readonly #random: Random;
  readonly #port: number;
  readonly #enough: AbortSignal;
  readonly #find: (what: string) => void;

  constructor(random: Random, port: number, enough: AbortSignal, find: (what: string) => void) {
    this.#random = random;
    this.#port = port;
    this.#enough = enough;
    this.#find = find;
  }

  /** Sends bytes by TCP; returns the lines that came. */
  async byTcp(bytes: Uint8Array, isDeaf = false, waitMs?: number): Promise<string[]> {
    const received: string[] = [];
    let rest = "";
    const decoder = new TextDecoder();
    await this.#exchange(bytes, isDeaf, waitMs, (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#check(line, received);
    });
    return received;
  }

  /**
   * Asks for a WebSocket and sends frames, lawful or not. `mayClose`: the codes for wrong frames that the
   * relay may close with. Returns the lines that came.
   */
  async byWebSocket(
    frames: Uint8Array,
    mayClose: readonly number[],
    { head = GOOD_UPGRADE, isDeaf = false, waitMs }: {
      head?: string | Uint8Array;
      isDeaf?: boolean;
      waitMs?: number;
    } = {},
  ): Promise<string[]> {
    const received: string[] = [];
    const watch = new AnswerWatch({
      onLine: (line) => this.#check(line, received),
      onFault: (what) => {
        if (!hasLied(received)) this.#find(`a WebSocket was answered wrongly: ${what}`);
      },
    }, head === GOOD_UPGRADE);
    const start = typeof head === "string" ? new TextEncoder().encode(head) : head;
    await this.#exchange(bytesOf([start, frames]), isDeaf, waitMs, (chunk) => watch.take(chunk));
    const { closeCode } = watch;
    if (closeCode !== undefined && FRAME_FAULT_CODES.includes(closeCode) && !mayClose.includes(closeCode)) {
      this.#find(
        `the relay closed a WebSocket with code ${closeCode}, ${mayClose.join() || "no such"} was due`,
      );
    }
    return received;
  }

  /** Connects, sends bytes in pieces, and ends in one way or another. */
  async #exchange(
    bytes: Uint8Array,
    isDeaf: boolean,
    waitMs: number | undefined,
    take: (chunk: Uint8Array) => void,
  ): Promise<void> {
    const random = this.#random;
    const socket = net.connect({ port: this.#port, host: "127.0.0.1", allowHalfOpen: true });
    const closed = new Promise<void>((done) => socket.on("close", () => done()));
    const onEnough = () => socket.resetAndDestroy();
    this.#enough.addEventListener("abort", onEnough);
    socket.on("error", () => {});
    if (isDeaf) socket.pause();
    else {
      socket.on("data", take);
      socket.on("end", () => socket.end());
    }
    for (const piece of split(random, bytes)) {
      if (socket.destroyed || this.#enough.aborted) break;
      if (!socket.write(piece)) await onceDrained(socket);
      if (random() < 0.02) await pause(random() * 20);
    }
    await Promise.race([closed, pause(waitMs ?? random() * 40)]);
    const ending = random();
    if (ending < 0.4) socket.end();
    else if (ending < 0.7) socket.resetAndDestroy();
    else if (ending < 0.9) socket.destroy();
    else await Promise.race([closed, pause(200)]);
    if (ending < 0.4) await Promise.race([closed, pause(100)]);
    socket.destroy();
    await closed;
    this.#enough.removeEventListener("abort", onEnough);
  }

  /** What the relay says has to be JSON. */
  #check(line: string, received: string[]): void {
    if (received.length < 50) received.push(line);
    if (line.startsWith("HTTP/") || received[0]?.startsWith("HTTP/")) return;
    try {
      JSON.parse(line);
    } catch {
      // Who has lied about what it has, gets the rest of it, once, from wherever that is on.
      if (hasLied(received) && !received.includes(REST)) return void received.push(REST);
      this.#find(`a client received what is no JSON: ${line.slice(0, 200)}`);
    }
  }
}

/** Whether a client was taken back, here mostly with a count that is wrong. */
function hasLied(received: readonly string[]): boolean {
  return received.some((one) => one.startsWith('{"$welcome"') && one.includes('"resumed":true'));
}
