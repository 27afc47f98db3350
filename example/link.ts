// The relay as the game has it: from before the first connection, through every break, and what there is to
// tell of it. Prints nothing, ends nothing.

import { connect, type ConnectOptions, rateLimit, type Relay } from "../client.ts";
import { type Gold, goldOf, type Points, pointsOf } from "./golden.ts";
import type { Options } from "./options.ts";
import type { MemberReport, RosterReport } from "./status.ts";

/** The key of the state in which a member tells its round trip, in milliseconds. */
const RTT_KEY = "rtt";

/** How often that is looked at, times a second, and which change is worth telling everybody. */
const RTT_HZ = 0.2;
const RTT_CHANGE = 0.1;

/** What the relay complains about before it closes a connection. */
const CLOSING_CODES: readonly string[] = ["bad_token", "idle_line", "relay_full", "too_many_errors"];

/** Where to, and as whom. */
export type LinkOptions = Pick<Options, "target" | "room" | "name" | "token" | "plain" | "simulate">;

/** A lasting wish to be connected. */
export class Link {
  /** None before the first connection. */
  relay: Relay | undefined;
  status = "connecting";
  /** Where it goes, as it was named. */
  readonly place: string;
  /** The same, or why it does not get there. */
  detail: string;

  readonly #isTimeToTell = rateLimit(RTT_HZ);
  readonly #isPlain: boolean;
  /** Why the relay closes this connection, if it said so. */
  #farewell: string | undefined;
  #toldRttMs = 0;

  /** Begins to connect, and never stops trying; `giveUp` is called with what no patience mends. */
  constructor(options: LinkOptions, signal: AbortSignal, giveUp: (error: Error) => void) {
    const { target, room, name, token, plain, simulate } = options;
    const place = room === undefined ? target : `${target}/${room}`;
    this.place = this.detail = place;
    this.#isPlain = plain;
    const wishes: ConnectOptions = {
      plain,
      ...(room === undefined ? {} : { room }),
      ...(plain ? {} : { name, token, simulate }),
      retry: true,
      signal,
      onStatus: (status, { error }) => {
        this.status = status;
        // The client speaks to programmers. Why it closed the connection, the relay has said just before.
        const farewell = status === "reconnecting" ? this.#farewell : undefined;
        this.#farewell = undefined;
        this.detail = farewell ?? (error === undefined ? place : whyNot(error));
      },
      // By default it would be printed, into the middle of the picture.
      onError: ({ code, message }) => {
        this.detail = saidByRelay(message);
        if (CLOSING_CODES.includes(code)) this.#farewell = this.detail;
      },
    };
    connect(target, wishes).then((relay) => this.relay = relay, giveUp);
  }

  /** Says whether what is sent goes out now. Where a ball was before a break is worth nothing after it. */
  get isUp(): boolean {
    return this.relay?.status === "connected";
  }

  /** Tells the time: on the relay's clock, which all sessions share, once there is one. */
  now(): number {
    return this.relay?.now() ?? performance.now();
  }

  /** Returns what events carry beside a ball that is where it is at `t`: nothing without a session. */
  stamp(t: number): { t?: number; owner?: string } {
    return this.#isPlain || this.relay === undefined ? {} : { t, owner: this.relay.id };
  }

  /** Who is there; undefined as long as nobody knows. */
  get members(): ReadonlyMap<string, unknown> | undefined {
    return this.#isPlain ? undefined : this.relay?.peers;
  }

  /** The relay for the game with the golden ball; undefined without a session. */
  get room(): Relay | undefined {
    return this.#isPlain ? undefined : this.relay;
  }

  /** The golden ball that lies there, if one does. */
  get gold(): Gold[] {
    const gold = this.room && goldOf(this.room.state);
    return gold === undefined ? [] : [gold];
  }

  /** Who has caught how many golden balls, the most first. */
  get points(): Points[] {
    return this.room === undefined ? [] : pointsOf(this.room.state);
  }

  /** Who is there, for a person. */
  get roster(): RosterReport | undefined {
    const { relay } = this;
    if (relay === undefined || this.#isPlain) return undefined;
    const others: MemberReport[] = [];
    const points = new Map(pointsOf(relay.state).map(({ name, points }) => [name, points]));
    const game = (id: string, name: string) => ({
      points: points.get(name === "" ? id : name),
      isHost: relay.host?.id === id,
    });
    for (const { id, name, state: { [RTT_KEY]: rtt } } of relay.peers.values()) {
      const rttMs = typeof rtt === "number" && rtt >= 0 && rtt < 1e6 ? rtt : undefined; // from outside
      others.push({ name: name === "" ? id : name, rttMs, ...game(id, name) });
    }
    return {
      room: relay.room,
      own: { name: relay.name, rttMs: relay.rtt, ...game(relay.id, relay.name) },
      others,
    };
  }

  /** Tells the others our round trip, as state, now and then. To be called often. */
  tellRtt(): void {
    if (this.#isPlain || this.relay === undefined || !this.#isTimeToTell()) return;
    const { rtt } = this.relay;
    if (Math.abs(rtt - this.#toldRttMs) <= RTT_CHANGE * this.#toldRttMs) return;
    this.#toldRttMs = rtt;
    this.relay.set(RTT_KEY, Number(rtt.toFixed(1)));
  }
}

/** Why there is no connection, for a player: a refusal in the relay's own words. */
function whyNot({ message, cause }: Error): string {
  if (cause instanceof Error && cause.name === "RefusedError") return saidByRelay(cause.message);
  return message.replace("{ plain: true }", "--plain").replace(
    "connect with { tls: true }",
    "name it wss://…",
  );
}

/** What the relay says is text from outside. */
function saidByRelay(message: string): string {
  return `the relay says: ${message.replaceAll(/\p{Cc}/gu, "?")}`;
}
