// What one case of the fuzzer does to a relay: sessions and plain clients that say nearly anything, in
// pieces, and end in any way; resumes that can't be, floods of hellos, connections that are gone at once.

import net from "node:net";
import type { Random } from "../../bench/motion/random.ts";
import { bytesOf, mutate, onceDrained, split } from "./bytes.ts";
import { goodHello, hostileHello, lineToRelay } from "./grammar.ts";
import { hostileRequests } from "./http_grammar.ts";
import { oddSimulation, pick, whole } from "./hostile_values.ts";

/** Stands for the rest of a line that a resume in its middle has asked for. */
const REST = "the rest of a line";

/** One hostile client, or some. */
export class HostileClient {
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

  async run(): Promise<void> {
    const random = this.#random;
    const kinds: [weight: number, run: () => Promise<unknown>][] = [
      [30, () => this.#connect([...this.#hello(), ...this.#lines(40)])],
      [15, () => this.#connect([mutate(random, bytesOf([...this.#hello(), ...this.#lines(10)]))])],
      [10, () => this.#connect(this.#lines(40))],
      [15, () => this.#connect([this.#simulated(), ...this.#lines(10), '{"$ping":{"t":1}}'], false, 400)],
      [15, () => this.#resume()],
      [20, () => this.#ask()],
      [4, () => this.#floodHellos()],
      [4, () => this.#resets()],
      [
        5,
        () =>
          this.#connect([...this.#hello(), ...Array.from({ length: 3000 }, () => '{"$ping":{"t":1}}')], true),
      ],
      [
        4,
        () => this.#connect([...this.#hello(), new Uint8Array(whole(random, 60_000, 2_000_000)).fill(0x78)]),
      ],
      [
        4,
        () =>
          this.#connect([Uint8Array.from({ length: whole(random, 1, 3000) }, () => whole(random, 0, 255))]),
      ],
      [
        4,
        () =>
          this.#connect([
            pick(random, [
              "GET / HTTP/1.1\r\n\r\n",
              "POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n[1]\n[2]\n",
              "\x16\x03\x01\x02",
              "SSH-2.0-x\r\n",
            ]),
          ]),
      ],
      [
        5,
        () =>
          this.#connect([
            ...this.#hello(),
            ...Array.from(
              { length: 400 },
              (_, i) => `{"$set":{"key":"k${i}","value":${"[".repeat(50)}${"]".repeat(50)}}}`,
            ),
          ]),
      ],
    ];
    let dice = random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    const [, kind] = kinds.find(([weight]) => (dice -= weight) < 0)!;
    await kind();
  }

  /** Asks by HTTP; at times what it says is changed, or stops in the middle. What is answered is never a failure of the relay's. */
  async #ask(): Promise<void> {
    const random = this.#random;
    let bytes = Uint8Array.from(hostileRequests(random), (character) => character.charCodeAt(0) & 255);
    if (random() < 0.3) bytes = Uint8Array.from(mutate(random, bytes));
    if (random() < 0.1) bytes = bytes.slice(0, whole(random, 0, bytes.length));
    const [first = ""] = await this.#connect([bytes], false, 200);
    const isAnswer = /^HTTP\/1\.1 (101|2\d\d|3\d\d|4\d\d|50[35]) /.test(first);
    if (first.startsWith("HTTP/") && !isAnswer) {
      this.#find(`a request was answered with ${first.slice(0, 200)}`);
    }
  }

  #room(): string {
    return pick(this.#random, ["fuzz", "fuzz", "lobby", `fuzz ${whole(this.#random, 1, 50)}`]);
  }

  #hello(): string[] {
    const random = this.#random;
    return [
      random() < 0.7 ? goodHello({ room: this.#room(), name: "fuzz" }) : hostileHello(random, this.#room()),
    ];
  }

  #simulated(): string {
    return goodHello({ room: this.#room(), name: "fuzz", simulate: oddSimulation(this.#random) });
  }

  #lines(most: number): string[] {
    return Array.from({ length: whole(this.#random, 0, most) }, () => lineToRelay(this.#random));
  }

  /** Connects, sends, and ends in one way or another. Returns the lines that came. */
  async #connect(parts: (string | Uint8Array)[], isDeaf = false, waitMs?: number): Promise<string[]> {
    const random = this.#random;
    const received: string[] = [];
    const socket = net.connect({ port: this.#port, host: "127.0.0.1", allowHalfOpen: true });
    const closed = new Promise<void>((done) => socket.on("close", () => done()));
    const onEnough = () => socket.resetAndDestroy();
    this.#enough.addEventListener("abort", onEnough);
    socket.on("error", () => {});
    let rest = "";
    const decoder = new TextDecoder();
    if (isDeaf) socket.pause();
    else {
      socket.on("data", (chunk) => {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) this.#check(line, received);
      });
      socket.on("end", () => socket.end());
    }
    for (const piece of split(random, bytesOf(parts))) {
      if (socket.destroyed || this.#enough.aborted) break;
      if (!socket.write(piece)) await onceDrained(socket);
      if (random() < 0.02) await sleep(random() * 20);
    }
    await Promise.race([closed, sleep(waitMs ?? random() * 40)]);
    const ending = random();
    if (ending < 0.4) socket.end();
    else if (ending < 0.7) socket.resetAndDestroy();
    else if (ending < 0.9) socket.destroy();
    else await Promise.race([closed, sleep(200)]);
    if (ending < 0.4) await Promise.race([closed, sleep(100)]);
    socket.destroy();
    await closed;
    this.#enough.removeEventListener("abort", onEnough);
    return received;
  }

  /** What the relay says has to be JSON. */
  #check(line: string, received: string[]): void {
    if (received.length < 50) received.push(line);
    if (line.startsWith("HTTP/") || received[0]?.startsWith("HTTP/")) return;
    try {
      JSON.parse(line);
    } catch {
      // Who has lied about what it has, gets the rest of it, once, from wherever that is on.
      const hasLied = received.some((one) => one.startsWith('{"$welcome"') && one.includes('"resumed":true'));
      if (hasLied && !received.includes(REST)) return void received.push(REST);
      this.#find(`a client received what is no JSON: ${line.slice(0, 200)}`);
    }
  }

  /** Opens a session and comes back with counts that are right or wrong, once or several times at once. */
  async #resume(): Promise<void> {
    const random = this.#random;
    const room = this.#room();
    const lines = await this.#connect([goodHello({ room, name: "fuzz" }), ...this.#lines(10)], false, 60);
    const welcome = lines.find((line) => line.startsWith('{"$welcome"'));
    if (welcome === undefined) return;
    const { session } = JSON.parse(welcome).$welcome;
    const hello = () => {
      const bytes = pick(random, [
        "0",
        "1",
        "17",
        "100",
        "300",
        "262144",
        "9007199254740991",
        "-1",
        "1e300",
        "0.5",
        '"0"',
        "null",
      ]);
      return `{"$hello":{"version":1,"room":${
        JSON.stringify(room)
      },"name":"fuzz","resume":{"session":"${session}","bytes":${bytes}}}}`;
    };
    for (let round = whole(random, 1, 3); round > 0; round--) {
      await Promise.all(
        Array.from(
          { length: whole(random, 1, 3) },
          () => this.#connect([hello(), ...this.#lines(10)], random() < 0.2),
        ),
      );
    }
  }

  async #floodHellos(): Promise<void> {
    await Promise.all(
      Array.from(
        { length: 40 },
        () => this.#connect([goodHello({ room: this.#room() })], this.#random() < 0.3, 10),
      ),
    );
  }

  /** Connections that are gone before anybody has accepted them. */
  async #resets(): Promise<void> {
    await Promise.all(Array.from({ length: 30 }, () => {
      const socket = net.connect({ port: this.#port, host: "127.0.0.1" });
      socket.on("error", () => {});
      socket.on("connect", () => socket.resetAndDestroy());
      return new Promise<void>((done) => socket.on("close", () => done()));
    }));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
