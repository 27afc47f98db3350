// What one case of the fuzzer does to a relay: sessions and plain clients that say nearly anything, in
// pieces, and end in any way; resumes that can't be, floods of hellos, connections that are gone at once.

import net from "node:net";
import type { Random } from "../../bench/motion/random.ts";
import { bytesOf, mutate } from "./bytes.ts";
import {
  encodeFrames,
  FRAME_FAULT_CODES,
  hostileUpgrade,
  lawfulClose,
  lawfulFrames,
  spoil,
} from "./frame_grammar.ts";
import { goodHello, hostileHello, lineToRelay } from "./grammar.ts";
import { HostileConnections } from "./hostile_connections.ts";
import { hostileRequests } from "./http_grammar.ts";
import { oddSimulation, pick, whole } from "./hostile_values.ts";

/** One hostile client, or some. */
export class HostileClient {
  readonly #random: Random;
  readonly #port: number;
  readonly #find: (what: string) => void;
  readonly #connections: HostileConnections;

  constructor(random: Random, port: number, enough: AbortSignal, find: (what: string) => void) {
    this.#random = random;
    this.#port = port;
    this.#find = find;
    this.#connections = new HostileConnections(random, port, enough, find);
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
      [15, () => this.#spoilt()],
      [10, () => this.#upgrade()],
      [4, () => this.#controlFrames()],
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
          this.#connections.byTcp(bytesOf([
            pick(random, [
              "GET / HTTP/1.1\r\n\r\n",
              "POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n[1]\n[2]\n",
              "\x16\x03\x01\x02",
              "SSH-2.0-x\r\n",
            ]),
          ])),
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

  /**
   * Asks by HTTP; at times what it says is changed, or stops in the middle. What is answered is never a
   * failure of the relay's.
   */
  async #ask(): Promise<void> {
    const random = this.#random;
    let bytes = Uint8Array.from(hostileRequests(random), (character) => character.charCodeAt(0) & 255);
    if (random() < 0.3) bytes = Uint8Array.from(mutate(random, bytes));
    if (random() < 0.1) bytes = bytes.slice(0, whole(random, 0, bytes.length));
    const [first = ""] = await this.#connections.byTcp(bytes, false, 200);
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

  /** Frames of which one is wrong, or of which the bytes were changed, or that end in the middle. */
  async #spoilt(): Promise<void> {
    const random = this.#random;
    const lawful = lawfulFrames(
      random,
      bytesOf([...random() < 0.8 ? this.#hello() : [], ...this.#lines(10)]),
    );
    if (random() < 0.4) {
      const { frames, code } = spoil(random, lawful);
      return void await this.#connections.byWebSocket(bytesOf(encodeFrames(frames)), [code]);
    }
    let bytes = bytesOf(encodeFrames(lawful));
    if (random() < 0.7) bytes = Uint8Array.from(mutate(random, bytes));
    else bytes = bytes.slice(0, whole(random, 0, bytes.length));
    await this.#connections.byWebSocket(bytes, FRAME_FAULT_CODES);
  }

  /** A handshake that may not be right; frames follow. At times its bytes are changed, too. */
  async #upgrade(): Promise<void> {
    const random = this.#random;
    let head = Uint8Array.from(hostileUpgrade(random), (character) => character.charCodeAt(0) & 255);
    if (random() < 0.2) head = Uint8Array.from(mutate(random, head));
    const frames = encodeFrames(lawfulFrames(random, bytesOf([...this.#hello(), ...this.#lines(5)])));
    await this.#connections.byWebSocket(bytesOf(random() < 0.8 ? frames : []), FRAME_FAULT_CODES, {
      head,
      waitMs: 200,
    });
  }

  /** Many frames that are no lines: pings to be answered, empty fragments, empty messages. */
  async #controlFrames(): Promise<void> {
    const random = this.#random;
    const mask = [1, 2, 3, 4];
    const [frame] = encodeFrames([pick(random, [
      { opcode: 9, payload: new Uint8Array(whole(random, 0, 125)), mask },
      { opcode: 10, mask },
      { opcode: 0, isFinal: false, mask },
      { opcode: 1, mask },
    ])]);
    const [begin] = encodeFrames([{ opcode: 1, isFinal: false, payload: "1", mask }]);
    const isMidMessage = frame[0] === 0;
    const parts = Array.from({ length: whole(random, 1, 8000) }, () => frame);
    await this.#connections.byWebSocket(bytesOf(isMidMessage ? [begin, ...parts] : parts), [], {
      isDeaf: random() < 0.4,
    });
  }

  /**
   * Connects, sends what is given as lines and bytes, over the one transport or the other, and ends in one
   * way or another. Returns the lines that came.
   */
  async #connect(parts: (string | Uint8Array)[], isDeaf = false, waitMs?: number): Promise<string[]> {
    const random = this.#random;
    if (random() < 0.5) {
      const frames = lawfulFrames(random, bytesOf(parts));
      const closes = random() < 0.3 ? [lawfulClose(random)] : [];
      const echoed = closes.map(({ payload }) => closeCodeOf(payload));
      return await this.#connections.byWebSocket(bytesOf(encodeFrames([...frames, ...closes])), echoed, {
        isDeaf,
        waitMs,
      });
    }
    return await this.#connections.byTcp(bytesOf(parts), isDeaf, waitMs);
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

function closeCodeOf(payload: Uint8Array | string = ""): number {
  return payload.length < 2 || typeof payload === "string" ? 1005 : payload[0] << 8 | payload[1];
}
