// client.ts as a member of a run: what it tells its program becomes entries, in the order of the stream.
// Nothing is checked here.

import { readWaitUs } from "../../bench/process_stats.ts";
import { connect, type Relay } from "../../client.ts";
import { pause } from "../support/pause.ts";
import type { TransportKind } from "../support/websocket_conn.ts";
import { type News, readPayload, type Snapshot, timeMs, type Values } from "./history.ts";

/**
 * The error of now() is at most half of the shortest of the last eight round trips. Of those, `rtt` tells no
 * more than their mean with falling weights, in which the last eight have 1 - (7/8)^8 = 0.66: so it is at
 * most rtt / 2 / 0.66.
 */
const RTT_SHARE = 0.77;
/** What now() may take its time to correct, and the clocks of two processes may differ. */
const SLEW_MS = 25;
/**
 * How long the last eight round trips reach back, at most. An answer that lay here unread does not count in
 * `rtt`, so where the scheduler has let this process wait meanwhile, they may have been longer by that than
 * `rtt` tells.
 */
const SAMPLES_MS = 60_000;

/** Longer than until the next turn. */
const TURN_MS = 10;

/** What a module client is made of. */
export interface ModuleOptions {
  port: number;
  /** Default: TCP. */
  transport?: TransportKind;
  room?: string;
  name?: string;
  simulate?: string;
  record(news: News): void;
}

/** A session of client.ts. */
export class ModuleClient {
  readonly #options: ModuleOptions;
  readonly #own = new Map<string, string>();
  readonly #ownRoom = new Map<string, string>();
  /** Entries from before connect() had given out the relay object; undefined afterwards. */
  #early: News[] | undefined = [];
  #relay: Relay | undefined;
  /** How long this process was kept waiting between two looks at the clock. */
  #waits: { atMs: number; ms: number }[] = [];
  #waitedUs = readWaitUs(Deno.pid) ?? 0;

  constructor(options: ModuleOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#relay?.status === "connected";
  }

  /** Resolves when it is in the room. */
  async start(): Promise<void> {
    const { port, transport, room, name, simulate } = this.#options;
    const target = transport === "websocket" ? `ws://127.0.0.1:${port}/` : `127.0.0.1:${port}`;
    const relay = this.#relay = await connect(target, {
      room,
      name,
      simulate,
      retry: true,
      inboxLimit: 1_000_000,
      // Asked for each event when it is read, so events stand among joins and losses as they came.
      schema: { "~standard": { version: 1, vendor: "endurance", validate: (value) => this.#onEvent(value) } },
      onJoin: ({ id, name }) => this.#record({ kind: "join", id, name }),
      onLeave: ({ id }, reason) => this.#record({ kind: "leave", id, reason }),
      onLost: ({ reason, lines }) => {
        // Its own that were dropped here are in `unsent`.
        if (reason === "outbox" || reason === "closed" || reason === "state") return;
        this.#record({ kind: "lost", reason, lines });
        // A new session begins here: who is there is told from now on as differences.
        if (reason === "unconfirmed") {
          this.#record({ kind: "opened", id: this.#relay!.id, resumed: false });
        }
      },
      onStatus: (status, { resumed }) => {
        if (status === "connected" && resumed) this.#record({ kind: "opened", id: this.#relay!.id, resumed });
      },
      onError: ({ code, message }) => this.#record({ kind: "strange", what: `$error ${code}: ${message}` }),
      onInvalid: (line, error) =>
        this.#record({ kind: "strange", what: `invalid line ${line.slice(0, 200)}: ${error}` }),
    });
    // What came in the turn of connect() is told by callbacks a turn later, events have been read by then.
    await pause(TURN_MS);
    const peers = [...relay.peers.values()].map(({ id, name }): [string, string] => [id, name]);
    const early = this.#early!;
    this.#early = undefined;
    for (const news of early) this.#record(news);
    // Who is there is known as of now, which says nothing about who was when those first events came.
    this.#record({ kind: "opened", id: relay.id, resumed: false, peers, isLate: true });
  }

  send(json: string): void {
    this.#relay?.send(JSON.parse(json));
  }

  /**
   * Sets or, without a value, removes a key of its own or of the room; `isOwn` says that nobody else sets
   * that one of the room.
   */
  set(key: string, json: string | undefined, isRoom = false, isOwn = true): void {
    const relay = this.#relay;
    if (relay === undefined) return;
    const values = isRoom ? this.#ownRoom : this.#own;
    if (isRoom && !isOwn) { /* nobody's */ }
    else if (json === undefined) values.delete(key);
    else values.set(key, json);
    if (json === undefined) relay.unset(key, { room: isRoom });
    else relay.set(key, JSON.parse(json), { room: isRoom });
  }

  /** Takes what has arrived, and writes down what time it shows. */
  tick(): void {
    this.#relay?.drain();
    if (this.#relay === undefined) return;
    const boundMs = (this.#relay.rtt + this.#longestWaitMs()) * RTT_SHARE + SLEW_MS;
    // The machine may turn to something else between two looks at a clock.
    const beforeMs = timeMs();
    const relayMs = this.#relay.now();
    const offMs = Math.max(0, beforeMs - relayMs, relayMs - timeMs());
    this.#record({ kind: "clock", relayMs, offMs, boundMs });
  }

  async close(): Promise<void> {
    await this.#relay?.close();
  }

  snapshot(): Snapshot {
    const relay = this.#relay;
    if (relay === undefined) {
      return { id: "", isConnected: false, peers: {}, states: {}, room: {}, own: {}, ownRoom: {}, unsent: 0 };
    }
    const peers: Record<string, string> = {}, states: Record<string, Values> = {};
    for (const [id, { name, state }] of relay.peers) {
      peers[id] = name;
      states[id] = toValues(state);
    }
    return {
      id: relay.id,
      isConnected: this.isConnected,
      peers,
      states,
      room: toValues(relay.state),
      own: Object.fromEntries(this.#own),
      ownRoom: Object.fromEntries(this.#ownRoom),
      unsent: 0, // told as lost
    };
  }

  #onEvent(value: unknown): { value: unknown } {
    if (value === undefined) return { value }; // connect() tries whether the schema answers at once
    const name = readPayload(value);
    if (name === undefined) {
      this.#record({ kind: "strange", what: `received ${JSON.stringify(value)?.slice(0, 200)}` });
    } else this.#record({ kind: "event", ...name });
    return { value };
  }

  #longestWaitMs(): number {
    const waitedUs = readWaitUs(Deno.pid) ?? 0, nowMs = performance.now();
    this.#waits.push({ atMs: nowMs, ms: (waitedUs - this.#waitedUs) / 1000 });
    this.#waits = this.#waits.filter(({ atMs }) => atMs > nowMs - SAMPLES_MS);
    this.#waitedUs = waitedUs;
    return Math.max(...this.#waits.map(({ ms }) => ms));
  }

  #record(news: News): void {
    if (this.#early === undefined) this.#options.record(news);
    else this.#early.push(news);
  }
}

function toValues(state: Readonly<Record<string, unknown>>): Values {
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, JSON.stringify(value)]));
}
