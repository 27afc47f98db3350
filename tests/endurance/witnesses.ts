// Clients beside a fuzzed relay that must not notice anything: they ping, send and receive in a room of their
// own, in one with hostile clients, and in the lobby, and they look at the relay's memory and at what it
// says.

import { type TransportKind, TRANSPORTS } from "../support/websocket_conn.ts";
import { type News, payload } from "./history.ts";
import { MinimalPlain } from "./minimal_plain.ts";
import { MinimalSession } from "./minimal_session.ts";
import type { RelayProcess } from "./relay_process.ts";
import { Starvation } from "./starvation.ts";
import { pause } from "../support/pause.ts";

/** How late an answer may be, in ms. */
export const HANG_MS = 1000;
/** How long a newcomer may have to wait, in ms: among floods of others it has to queue. */
const DOOR_MS = 3000;
/** How long the last events may be on their way, in ms. */
const LAST_MS = 1000;
const RING_MS = 300;
const PING_MS = 200;
const WATCH_MS = 50;
const SEND_MS = 40;

/** The witnesses, and what they look at. */
export class Witnesses {
  readonly #relay: RelayProcess;
  readonly #maxRssMib: number;
  readonly #find: (what: string) => void;
  readonly #senders: (MinimalSession | MinimalPlain)[] = [];
  readonly #all: (MinimalSession | MinimalPlain)[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #lastPongMs = new Map<string, number>();
  readonly #mark = `witness ${crypto.randomUUID()}`;
  readonly #last = new Map<string, number>();
  #sent = 0;
  #isOver = false;
  /** Since when somebody waits at the door, by fair time, and how. */
  #newcomer:
    | { sinceMs: number; transport: TransportKind; session: MinimalSession; giveUp(): void }
    | undefined;
  #starvation: Starvation | undefined;
  peakMib = 0;

  constructor(relay: RelayProcess, maxRssMib: number, find: (what: string) => void) {
    this.#relay = relay;
    this.#maxRssMib = maxRssMib;
    this.#find = find;
  }

  async start(): Promise<void> {
    for (const room of ["quiet", "fuzz", "lobby"]) {
      const [first, second] = room === "fuzz" ? TRANSPORTS.toReversed() : TRANSPORTS;
      const sender = this.#session(room, "sender", first);
      this.#senders.push(sender);
      this.#session(room, "receiver", second);
    }
    for (const transport of TRANSPORTS) {
      const label = `plain by ${transport}`;
      const receiver = new MinimalPlain({
        port: this.#relay.port,
        transport,
        record: (news: News) => this.#take(label, "lobby", news),
      });
      this.#all.push(receiver);
      await receiver.start();
    }
    const deadline = performance.now() + 5000;
    while (this.#all.some(({ isConnected }) => !isConnected)) {
      if (performance.now() > deadline) throw new Error("the witnesses could not connect");
      await pause(20);
    }
    this.#starvation = new Starvation(this.#relay.pid!, WATCH_MS);
    for (const room of this.#lastPongMs.keys()) this.#lastPongMs.set(room, performance.now());
    this.#timers.push(setInterval(() => this.#send(), SEND_MS), setInterval(() => this.#look(), WATCH_MS));
    void this.#ring();
  }

  /** Stops sending, waits for what is on its way, and looks whether it has come. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timers[0]);
    const startMs = this.#fairMs();
    const isDue = () => [...this.#last.values()].some((last) => last !== this.#sent);
    while (isDue() && this.#fairMs() - startMs < LAST_MS) await pause(WATCH_MS);
    clearInterval(this.#timers[1]);
    this.#look();
    const behind = [...this.#last].filter(([, last]) => last !== this.#sent);
    const list = behind.map(([who, last]) => `${who} ${last}`).join(", ");
    if (behind.length > 0) this.#find(`of ${this.#sent} events were received: ${list}`);
    for (const client of this.#all) client.abandon();
    this.#newcomer?.giveUp();
  }

  /** The time, in ms, without that in which the machine let this program or the relay stand still. */
  #fairMs(): number {
    return performance.now() - (this.#starvation?.totalMs ?? 0);
  }

  #session(room: string, who: string, transport: TransportKind): MinimalSession {
    const label = `the ${who} in ${room} by ${transport}`;
    this.#lastPongMs.set(label, 0);
    const client: MinimalSession = new MinimalSession({
      port: this.#relay.port,
      transport,
      room,
      name: this.#mark,
      pingMs: PING_MS,
      record: (news) => this.#take(label, room, news, client.lastEnd),
      onPong: () => this.#lastPongMs.set(label, performance.now()),
    });
    this.#all.push(client);
    client.start();
    return client;
  }

  /** Comes in as a newcomer again and again, which may not take long either. */
  async #ring(): Promise<void> {
    let round = 0;
    while (!this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const transport = TRANSPORTS[round++ % TRANSPORTS.length];
      const newcomer = new MinimalSession({
        port: this.#relay.port,
        transport,
        room: "quiet",
        record: ({ kind }) => kind === "opened" && resolve(),
      });
      this.#newcomer = { sinceMs: this.#fairMs(), transport, session: newcomer, giveUp: resolve };
      newcomer.start();
      await promise;
      this.#newcomer = undefined;
      newcomer.abandon();
      await pause(RING_MS);
    }
  }

  #send(): void {
    this.#sent++;
    for (const sender of this.#senders) sender.send(payload({ from: this.#mark, number: this.#sent }, 30));
  }

  #take(who: string, room: string, news: News, lastEnd = ""): void {
    if (news.kind === "lost") {
      this.#find(`${who} was told that it has lost ${news.lines} lines (${news.reason})`);
    }
    if (news.kind === "opened" && this.#sent > 0) {
      this.#find(`the connection of ${who} was broken: ${lastEnd}`);
    }
    if (news.kind === "strange" && /^(no |refused|the relay counts|state of)/.test(news.what)) {
      this.#find(`${who}: ${news.what}`);
    }
    if (news.kind !== "event" || news.from !== this.#mark) return;
    const label = `${who} (${room})`;
    const last = this.#last.get(label) ?? 0;
    if (news.number !== last + 1) this.#find(`${label} received event ${news.number} after ${last}`);
    this.#last.set(label, news.number);
  }

  #look(): void {
    const nowMs = performance.now();
    const starvedMs = this.#starvation!.look();
    for (const [who, lastMs] of this.#lastPongMs) {
      if (starvedMs > 0) this.#lastPongMs.set(who, Math.min(nowMs, lastMs + starvedMs));
      if (nowMs - lastMs - starvedMs > HANG_MS + PING_MS) {
        this.#find(`${who} has had no $pong for ${Math.round(nowMs - lastMs)} ms`);
      }
    }
    this.#lookAtDoor();
    for (const alarm of this.#relay.alarms) this.#find(`the relay said: ${alarm}`);
    const mib = this.#relay.rssMib ?? 0;
    this.peakMib = Math.max(this.peakMib, mib);
    if (mib > this.#maxRssMib) {
      this.#find(`the relay has ${mib.toFixed(0)} MiB resident, ${this.#maxRssMib} are allowed`);
    }
  }

  /** Looks how long a newcomer has waited, once the time is known in which nobody could do anything. */
  #lookAtDoor(): void {
    if (this.#newcomer === undefined) return;
    const { sinceMs, transport, session, giveUp } = this.#newcomer;
    const waitedMs = this.#fairMs() - sinceMs;
    if (waitedMs < DOOR_MS) return;
    const end = session.lastEnd === "" ? "" : `; its last connection ended: ${session.lastEnd}`;
    this.#find(`a newcomer by ${transport} has waited ${Math.round(waitedMs)} ms for its $welcome${end}`);
    giveUp();
  }
}
