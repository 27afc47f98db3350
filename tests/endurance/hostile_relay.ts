// What one case of the fuzzer does to a client: welcomes that are half, wrong, endless or silent, control
// lines with anything in them, resumes that can't be, ends of all kinds; or a fair relay that says much that
// has to be ignored. By TCP or as a WebSocket server, whose handshakes and frames may be wrong, too.

import net from "node:net";
import type { Random } from "../../bench/motion/random.ts";
import type { TransportKind } from "../support/websocket_conn.ts";
import { bytesOf, mutate, onceDrained, split } from "./bytes.ts";
import { endlessFragments, serverFrames } from "./frame_grammar.ts";
import type { Answer } from "./fuzz_client_worker.ts";
import { goodWelcome, hostileWelcome, lineToClient } from "./grammar.ts";
import { answerUpgrade, ClientReader } from "./hostile_upgrade.ts";
import { pick, whole } from "./hostile_values.ts";

/** The most a client may say in a case, and how often it may connect: it has little to say, and waits. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_LINES = 3000;
const MAX_CONNECTIONS = 25;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Done = Extract<Answer, { kind: "done" }>;

/** The relay of one case. */
export class HostileRelay {
  readonly #random: Random;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Marks of events that a client of this relay has to get, as nothing says otherwise. */
  readonly #due: number[] = [];
  #isFair: boolean;
  #isWhole = false;
  #connections = 0;
  #bytes = 0;
  #lines = 0;
  /** What the last hello asked to be repeated. */
  #nonce: string | undefined;
  /** What its client calls itself: a port may have been another program's before, whose clients come back. */
  readonly victim = `victim ${crypto.randomUUID()}`;
  readonly wantsRetry: boolean;
  readonly transport: TransportKind;

  private constructor(random: Random, server: net.Server) {
    this.#random = random;
    this.#server = server;
    this.wantsRetry = random() < 0.3;
    // A fair one keeps to the protocol, but for lines that a client has to ignore.
    this.#isFair = random() < 0.35;
    this.transport = random() < 0.5 ? "tcp" : "websocket";
  }

  static async listen(random: Random): Promise<HostileRelay> {
    const server = net.createServer();
    const relay = new HostileRelay(random, server);
    server.on("connection", (socket) => relay.#onConnection(socket));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  /** What the client did that it must not. */
  judge({ marks, outcome, attempts }: Done): string[] {
    const faults: string[] = [];
    if (this.#bytes > MAX_BYTES || this.#lines > MAX_LINES) {
      faults.push(`the client has sent ${this.#lines} lines, ${this.#bytes} bytes`);
    }
    if (Math.max(this.#connections, attempts) > MAX_CONNECTIONS) {
      faults.push(
        `the client has connected ${this.#connections} times, in ${attempts} attempts that it told`,
      );
    }
    if (this.#isDue(outcome) && marks.some((mark, index) => mark !== this.#due[index])) {
      faults.push(`the program got the events ${marks}, ${this.#due} were valid`);
    }
    if (marks.some((mark, index) => marks.indexOf(mark) !== index)) {
      faults.push(`an event came twice: ${marks}`);
    }
    return faults;
  }

  /** The same, for what may also come of too little time. */
  judgeOutcome({ marks, outcome }: Done): string[] {
    const faults: string[] = [];
    if (this.#isFair && outcome !== "connected") faults.push(`the client has ${outcome} a good welcome`);
    if (this.#isDue(outcome) && marks.length < this.#due.length) {
      faults.push(`the program got ${marks.length} of ${this.#due.length} events`);
    }
    return faults;
  }

  /** Whether the program has to have got all events. */
  #isDue(outcome: string): boolean {
    return this.#isFair && this.#isWhole && outcome === "connected";
  }

  #onConnection(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    let isGreeted = false;
    const take = (lines: Uint8Array) => {
      if (lines.length === 0 || socket.destroyed) return;
      const hello = isGreeted ? "" : decoder.decode(lines);
      if (!isGreeted && !hello.includes(`"name":"${this.victim}"`)) return void socket.destroy();
      this.#bytes += lines.length;
      for (const byte of lines) if (byte === 0x0a) this.#lines++;
      if (isGreeted) return;
      isGreeted = true;
      this.#connections++;
      this.#nonce = /"nonce":"([^"]*)"/.exec(hello)?.[1];
      void this.#answer(socket).catch(() => {});
    };
    if (this.transport === "tcp") return void socket.on("data", take);
    const client = new ClientReader();
    let isAnswered = false;
    socket.on("data", (chunk: Uint8Array) => {
      take(client.take(chunk));
      if (client.hasClosed) socket.end();
      if (isAnswered || client.key === undefined) return;
      isAnswered = true;
      void this.#shakeHands(socket, client.key).catch(() => {});
    });
  }

  async #shakeHands(socket: net.Socket, key: string): Promise<void> {
    const random = this.#random;
    const { bytes, isRight } = answerUpgrade(random, key, this.#isFair);
    await this.#write(socket, bytes);
    if (!isRight && random() < 0.7) socket.end();
  }

  async #answer(socket: net.Socket): Promise<void> {
    const random = this.#random;
    if (this.#isFair) return await this.#answerFairly(socket);
    const isAgain = this.#connections > 1;
    const resumed = isAgain && random() < 0.7;
    const bytes = pick(random, [0, 1, 50, 1000, 2 ** 53 - 1, -1, 0.5]);
    const good = () => this.#welcome(resumed ? { resumed, bytes, peers: undefined, state: undefined } : {});
    const lines = () =>
      Array.from({ length: whole(random, 0, 60) }, () => lineToClient(random, false)).join("\n") + "\n";
    const kinds: [weight: number, answer: () => Promise<void>][] = [
      [25, () => this.#say(socket, `${good()}\n${lines()}`)],
      [20, () => this.#say(socket, `${hostileWelcome(random, this.#nonce ?? "")}\n${lines()}`)],
      [10, () => this.#say(socket, mutate(random, encoder.encode(`${good()}\n${lines()}`)))],
      [8, () => this.#say(socket, `${good().slice(0, whole(random, 1, 600))}`)],
      [
        6,
        () =>
          this.#say(
            socket,
            `${this.#welcome({ more: pick(random, [1, 3, 1e9, 2 ** 53 - 1, -1]) })}\n${lines()}`,
          ),
      ],
      [
        6,
        () =>
          this.#say(
            socket,
            `{"$error":{"nonce":${JSON.stringify(this.#nonce ?? null)},"code":${
              pick(random, ['"bad_hello"', '"bad_token"', '"x"', "1"])
            },"message":${pick(random, ['"no"', "7", '"\\u001b[2J"'])}}}\n`,
          ),
      ],
      [4, () => this.#say(socket, lines())],
      [
        4,
        () =>
          this.#say(socket, Uint8Array.from({ length: whole(random, 1, 5000) }, () => whole(random, 0, 255))),
      ],
      [1, () => this.#endless(socket)],
      [4, () => Promise.resolve()],
      [3, () => this.#say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n")],
    ];
    let dice = random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    const [, answer] = kinds.find(([weight]) => (dice -= weight) < 0)!;
    await answer();
    const ending = random();
    if (ending < 0.25) socket.end();
    else if (ending < 0.4) socket.resetAndDestroy();
    else if (ending < 0.5) socket.destroy();
  }

  /** A good welcome, then valid events among lines that have to be ignored; one connection, which lasts. */
  async #answerFairly(socket: net.Socket): Promise<void> {
    const random = this.#random;
    const lines = [this.#welcome()];
    for (let mark = 1, last = whole(random, 1, 40); mark <= last; mark++) {
      while (random() < 0.6) lines.push(lineToClient(random, true));
      lines.push(JSON.stringify({ mark }));
      this.#due.push(mark);
    }
    await this.#say(socket, `${lines.join("\n")}\n`);
    this.#isWhole = !socket.destroyed && this.#connections === 1;
  }

  /** A good answer: without the nonce it would be one only at once. */
  #welcome(fields: Record<string, unknown> = {}): string {
    return goodWelcome({ nonce: this.#nonce, ...fields });
  }

  /** Writes in pieces; by WebSocket in frames, which may be wrong unless it is fair. */
  async #say(socket: net.Socket, data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (this.transport === "websocket") {
      const isSpoilt = !this.#isFair && this.#random() < 0.4;
      bytes = bytesOf(serverFrames(this.#random, bytes, isSpoilt));
    }
    await this.#write(socket, bytes);
  }

  async #write(socket: net.Socket, bytes: Uint8Array): Promise<void> {
    for (const piece of split(this.#random, bytes)) {
      if (socket.destroyed) return;
      if (!socket.write(piece)) await this.#pause(5);
      if (this.#random() < 0.01) await this.#pause(this.#random() * 30);
    }
  }

  /** A line without an end: 24 MB of it. */
  async #endless(socket: net.Socket): Promise<void> {
    await this.#say(socket, `${this.#welcome()}\n"`);
    const chunk = new Uint8Array(256 * 1024).fill(0x78);
    const [first, next] = this.transport === "tcp" ? [chunk, chunk] : endlessFragments(chunk);
    for (let i = 0; i < 96 && !socket.destroyed; i++) {
      if (!socket.write(i === 0 ? first : next)) await onceDrained(socket);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        done();
      }, ms);
      this.#timers.add(timer);
    });
  }
}
