// The clients of a chaotic run, with their processes and proxies, and the bad luck that can reach them. What
// each of them saw comes back as histories.

import { between, mixSeed, type Random } from "../../bench/motion/random.ts";
import { pause } from "../support/pause.ts";
import type { TransportKind } from "../support/websocket_conn.ts";
import type { Entry, History } from "./history.ts";
import type { Order, Role } from "./player.ts";
import { eachLine } from "./relay_process.ts";
import { type Cut, RoughProxy } from "./rough_proxy.ts";

const PLAYERS = 3;
/** How long the processes may take to say what they hold, and how often it is looked whether they have. */
const LOOK_TIMEOUT_MS = 20_000, LOOK_PAUSE_MS = 50;
/** How long the witnesses may take to be there. */
const GATHER_MS = 20_000;
/**
 * The longest padding of an event in each room: the window of a session that stands still is full after
 * seconds in the one, never in the others.
 */
export const ROOMS = { lobby: 200, pong: 6000, "räume/2": 1000 };
/** Networks that clients ask the relay for. */
export const NETWORKS = [
  "",
  "",
  "",
  "lan",
  "wifi",
  "delay=80ms,jitter=40ms",
  "delay=30ms,rate=96k",
  "stall=800ms/3s",
];

/** How a client speaks to the relay. */
export function anyTransport(random: Random): TransportKind {
  return random() < 0.5 ? "tcp" : "websocket";
}

/** The clients of a run with their processes and proxies. */
export class Cast implements AsyncDisposable {
  readonly #relayPort: number;
  readonly #seed: number;
  readonly #say: (line: string) => void;
  readonly #histories = new Map<string, History>();
  readonly #processes: PlayerProcess[] = [];
  readonly #proxies = new Map<string, RoughProxy>();
  readonly #homes = new Map<string, PlayerProcess>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #isOver = false;
  /** How often what was done. */
  readonly deeds: Record<string, number> = {};

  constructor(relayPort: number, seed: number, say: (line: string) => void) {
    this.#relayPort = relayPort;
    this.#seed = seed;
    this.#say = say;
    for (let i = 0; i <= PLAYERS; i++) {
      this.#processes.push(
        new PlayerProcess((name, entry) => this.#histories.get(name)?.entries.push(entry)),
      );
    }
  }

  /** Lets a client play that is near and undisturbed. */
  add(part: Pick<Role, "kind" | "room" | "transport"> & { isWitness: boolean }): void {
    this.#play(this.#processes[0], { ...part, port: this.#relayPort, simulate: "" });
  }

  /** Waits until the sessions among the witnesses are in their rooms. */
  async gather(): Promise<void> {
    const histories = [...this.#histories.values()];
    const isIn = ({ level, entries }: History) =>
      level === "plain" || entries.some(({ kind }) => kind === "opened");
    for (const deadlineMs = performance.now() + GATHER_MS; !histories.every(isIn);) {
      if (performance.now() > deadlineMs) throw new Error("the witnesses could not connect");
      await pause(50);
    }
  }

  /** Lets a client play that bad luck can reach. */
  async invite(kind: Role["kind"], room: string, random: Random, simulate: string): Promise<void> {
    const home = this.#processes[1 + Math.floor(random() * PLAYERS)];
    const isDirect = random() < 0.2;
    const proxy = isDirect ? undefined : await RoughProxy.listen(this.#relayPort);
    const name = this.#play(home, {
      kind,
      transport: anyTransport(random),
      room,
      isWitness: false,
      port: proxy?.port ?? this.#relayPort,
      simulate,
    });
    if (proxy !== undefined) this.#proxies.set(name, proxy);
  }

  /** Does one bad thing. */
  async badLuck(random: Random): Promise<void> {
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)];
    const dice = random();
    const proxied = [...this.#proxies.keys()];
    if (dice < 0.4) {
      const how = pick<Cut>(["fin", "rst", "half"]);
      const afterBytes = random() < 0.3 ? 0 : Math.floor(between(random, 1, 600));
      this.#did(`cut ${how}`);
      this.#proxies.get(pick(proxied))!.cut(how, afterBytes);
    } else if (dice < 0.6) {
      // What has waited, such as what was skipped and who is there, gets lost when it is on its way at last.
      const proxy = this.#proxies.get(pick(proxied))!;
      const how = pick<Cut>(["fin", "rst", "half"]);
      const afterBytes = Math.floor(between(random, 0, 1) ** 3 * 400_000);
      this.#did("stall and cut");
      proxy.stall(true);
      this.#later(between(random, 1500, 6000), () => {
        proxy.cut(how, afterBytes);
        proxy.stall(false);
      });
    } else if (dice < 0.7) {
      const proxy = this.#proxies.get(pick(proxied))!;
      this.#did("stall");
      proxy.stall(true);
      this.#later(between(random, 200, 4000), () => proxy.stall(false));
    } else if (dice < 0.85) {
      const process = this.#processes[1 + Math.floor(random() * PLAYERS)];
      this.#did("stop");
      process.stop();
      this.#later(between(random, 200, random() < 0.2 ? 8000 : 2500), () => process.goOn());
    } else {
      const names = [...this.#homes.keys()].filter((name) => this.#histories.get(name)!.level === "session");
      const name = pick(names);
      this.#did("leave and join");
      const history = this.#histories.get(name)!;
      history.isThere = false;
      this.#homes.get(name)!.order({ order: "leave", name });
      this.#homes.delete(name);
      await this.invite(random() < 0.5 ? "module" : "minimal", history.room, random, pick(NETWORKS));
    }
  }

  /** Ends all bad luck. */
  comfort(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const proxy of this.#proxies.values()) proxy.comfort();
    for (const process of this.#processes) process.goOn();
  }

  order(order: Order): void {
    for (const process of this.#processes) process.order(order);
  }

  /** Asks all who are there what they hold, and returns everything once they have said it. */
  async look(): Promise<History[]> {
    const histories = [...this.#histories.values()];
    const asked = histories.filter(({ level, isThere }) => level === "session" && isThere);
    const looks = ({ entries }: History) => entries.filter(({ kind }) => kind === "end").length;
    const before = asked.map(looks);
    this.order({ order: "look" });
    const deadlineMs = performance.now() + LOOK_TIMEOUT_MS;
    while (asked.some((history, i) => looks(history) === before[i]) && performance.now() < deadlineMs) {
      await pause(LOOK_PAUSE_MS);
    }
    return histories;
  }

  /** Ends the processes of all. */
  async end(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.comfort();
    for (const process of this.#processes) process.kill();
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
  }

  #play(
    home: PlayerProcess,
    part: Pick<Role, "kind" | "transport" | "room" | "port" | "simulate"> & { isWitness: boolean },
  ): string {
    const { kind, transport, room, isWitness, simulate } = part;
    const index = this.#histories.size + 1;
    const name = `${isWitness ? "witness" : kind} ${index}`;
    this.#histories.set(name, {
      name,
      room,
      level: kind === "plain" ? "plain" : "session",
      isWitness,
      isComplete: true,
      isThere: true,
      entries: [],
    });
    home.order({
      order: "play",
      role: {
        ...part,
        simulate: simulate || undefined,
        name,
        seed: mixSeed(this.#seed, index),
        eventsPerSecond: isWitness ? 0 : 25,
        setsPerSecond: isWitness ? 0 : 3,
        maxPadding: ROOMS[room as keyof typeof ROOMS],
      },
    });
    if (!isWitness) this.#homes.set(name, home);
    this.#say(
      `${name} in ${room} by ${transport}${simulate ? ` over ${simulate}` : ""}${
        part.port === this.#relayPort ? ", near" : ""
      }`,
    );
    return name;
  }

  #did(what: string): void {
    this.deeds[what] = (this.deeds[what] ?? 0) + 1;
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isOver) act();
    }, ms);
    this.#timers.add(timer);
  }
}

/** A process with clients. */
class PlayerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(take: (name: string, entry: Entry) => void) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-A", new URL("player.ts", import.meta.url).pathname],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = eachLine(this.#child.stdout, (line) => {
      const [name, entry] = JSON.parse(line);
      take(name, entry);
    });
  }

  order(order: Order): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(order)}\n`);
    this.#writing = this.#writing.then(() => this.#writer.write(bytes)).catch(() => {});
  }

  stop(): void {
    this.#signal("SIGSTOP");
  }

  goOn(): void {
    this.#signal("SIGCONT");
  }

  async end(): Promise<void> {
    await this.#writing;
    await this.#writer.close();
    await this.#reading;
    await this.#child.status;
  }

  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch { /* it has ended */ }
  }
}
