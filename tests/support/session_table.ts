// Rooms with sessions on connections that the test controls to the byte and a clock that it sets.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { LogFunction, LogLevel } from "../../src/relay/log.ts";
import {
  REAL_ENVIRONMENT,
  type RelayOptions,
  resolveOptions,
  type Settings,
} from "../../src/relay/options.ts";
import type { EventLoop } from "../../src/relay/event_loop.ts";
import type { MemoryBudget } from "../../src/relay/memory_budget.ts";
import { Admission } from "../../src/relay/admission.ts";
import { Rooms } from "../../src/relay/room/rooms.ts";
import { Connection } from "../../src/relay/connection/connection.ts";
import { type Body, SessionClient } from "./session_client.ts";
import type { ManualTime } from "./manual_time.ts";
import { StubTransport } from "./stub_transport.ts";

/** What the table's clock begins at, in ms since 1970. */
export const TIME_ORIGIN_MS = 1_700_000_000_000;

/** Lets everything happen that is due: promises, and a flush. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((done) => setImmediate(done));
}

/** What the relay has answered to a seat's hello in the place of a welcome. */
export function refusalOf(seat: Seat): Body {
  seat.receive();
  assert.equal(seat.client.welcome, undefined);
  return seat.client.refusal;
}

/** One connection to the table. */
export class Seat {
  #seen = 0;
  /** How many more bytes reach the client, and how many more reach the relay. */
  bytesDown = Infinity;
  bytesUp = Infinity;
  /** How many bytes have reached the client, and the relay. */
  bytesReceived = 0;
  bytesSent = 0;

  constructor(
    readonly conn: StubTransport,
    readonly connection: Connection,
    readonly client: SessionClient,
    readonly done: Promise<void>,
  ) {}

  /** Sends to the relay, as far as it gets. */
  feed(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const some = bytes.subarray(0, this.bytesUp);
    this.bytesUp -= some.length;
    this.bytesSent += some.length;
    if (some.length > 0 && !this.conn.isClosed) this.conn.feed(some);
  }

  /** Hands the client what has been written since the last time, as far as it gets. */
  receive(): void {
    const bytes = this.conn.bytesFrom(this.#seen);
    const some = bytes.subarray(0, this.bytesDown);
    this.#seen += bytes.length;
    this.bytesDown -= some.length;
    this.bytesReceived += some.length;
    this.client.push(some);
  }

  /** Says events, and waits until everybody could have them. */
  async say(text: string): Promise<void> {
    this.feed(this.client.say(text));
    await turn();
  }

  /** Sets a value, of the member or of the room; removes it without a value. */
  set(key: string, value?: unknown, room?: true): Promise<void> {
    return this.control("set", { key, value, room });
  }

  async control(name: string, body: unknown): Promise<void> {
    this.feed(this.client.control(name, body));
    await turn();
  }

  /** Takes what has come, and acknowledges it. */
  async ack(): Promise<void> {
    this.receive();
    this.feed(this.client.ack());
    await turn();
    this.receive();
  }

  /** What the client was told in control lines of this name. */
  told(name: string): Body[] {
    this.receive();
    return this.client.told(name);
  }

  get events(): string[] {
    this.receive();
    return this.client.events;
  }

  /** The state that the client knows of a member, or of the room if `id` is "". */
  state(id: string): Record<string, unknown> | undefined {
    this.receive();
    const state = this.client.peers.get(id);
    return state && Object.fromEntries(state);
  }

  get id(): string {
    return this.client.welcome.id;
  }

  /** Breaks the connection: what is under way is gone. */
  async cut(): Promise<void> {
    this.receive();
    if (!this.conn.isClosed) this.conn.endInput(new Deno.errors.ConnectionReset("cut"));
    this.conn.takeBytes(Infinity);
    await this.done;
  }
}

/** Rooms, and who is connected to them. */
export class Table implements AsyncDisposable {
  readonly #time: ManualTime | undefined;
  #nowMs = 1000;
  readonly rooms: Rooms;
  readonly admission: Admission;
  readonly log: { level: LogLevel; message: string; fields?: Record<string, unknown> }[] = [];
  readonly #settings: Settings;
  readonly #seats: Seat[] = [];

  /** @param time is used in place of real timers and a clock of its own */
  constructor(options: RelayOptions = {}, time?: ManualTime) {
    this.#time = time;
    const log: LogFunction = (level, message, fields) => void this.log.push({ level, message, fields });
    this.#settings = resolveOptions({ ...options, log }, {
      ...REAL_ENVIRONMENT,
      ...(time && { timers: time.timers }),
      clock: () => this.nowMs,
      timeOriginMs: TIME_ORIGIN_MS,
    });
    this.rooms = new Rooms(this.#settings);
    this.admission = new Admission(this.#settings, this.rooms);
  }

  get nowMs(): number {
    return this.#time?.nowMs ?? this.#nowMs;
  }

  set nowMs(nowMs: number) {
    if (this.#time !== undefined) this.#time.nowMs = nowMs;
    else this.#nowMs = nowMs;
  }

  /** The memory that all draw from. */
  get memory(): MemoryBudget {
    return this.#settings.memory;
  }

  /** The turns that all wait for. */
  get loop(): EventLoop {
    return this.#settings.loop;
  }

  /** Connects from a host; nothing is said yet. */
  connect(client = new SessionClient(), host = "somewhere"): Seat {
    const conn = new StubTransport();
    const visit = this.admission.arrive(host);
    if (visit === undefined) throw new Error("Cannot connect: too many wait at the door");
    const connection = new Connection(conn, host, this.rooms.lobby, this.#settings, visit);
    const seat = new Seat(conn, connection, client, connection.run().then(() => visit.end()));
    this.#seats.push(seat);
    return seat;
  }

  /** Connects a session, which confirms its welcome: before that it is not kept. */
  async join(fields: Record<string, unknown> = {}, client?: SessionClient, host?: string): Promise<Seat> {
    const seat = this.connect(client, host);
    seat.feed(seat.client.hello(fields));
    await turn();
    seat.receive();
    if (seat.client.welcome?.resumed === false) await seat.ack();
    return seat;
  }

  /** Connects a plain client. */
  async joinPlain(): Promise<Seat> {
    const seat = this.connect();
    seat.feed("\n");
    await turn();
    return seat;
  }

  /** Goes on with the session of another connection, and sends what is owed. */
  async resume(seat: Seat, fields?: Record<string, unknown>): Promise<Seat> {
    const next = await this.join(fields, seat.client);
    next.feed(next.client.owed);
    await turn();
    next.receive();
    return next;
  }

  /** Lets time pass, looked at every second. */
  async pass(ms: number): Promise<void> {
    for (const until = this.nowMs + ms; this.nowMs < until;) {
      const stepMs = Math.min(1000, until - this.nowMs);
      if (this.#time !== undefined) await this.#time.pass(stepMs);
      else this.#nowMs += stepMs;
      for (const { connection } of this.#seats) connection.sweep(this.nowMs);
      for (const sweep of [this.admission.sweep(this.nowMs), this.rooms.sweep()]) {
        for (const _ of sweep);
      }
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { conn, connection } of this.#seats) {
      conn.takeBytes(Infinity);
      connection.cut("shutdown");
    }
    await Promise.all(this.#seats.map(({ done }) => done));
    this.admission.close();
    this.rooms.close();
    this.#settings.memory.close();
    await turn();
  }
}
