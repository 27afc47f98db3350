// The hostile client: does what one kind does, in a process of its own, and says how much it got rid of. It
// is started by isolation.ts, which tells it when; what it sends is in kinds.ts.

import net from "node:net";
import { sleep } from "../load_crowd.ts";
import {
  type Behaviour,
  findKind,
  type Flood,
  HOSTILE_ROOM,
  type Kind,
  repeatLine,
  roomOf,
} from "./kinds.ts";
import { Orders } from "./orders.ts";
import { RawSession } from "./raw_session.ts";
import type { LoadReport } from "./report.ts";
import { frame, get, HANDSHAKE, OPCODES } from "./web_bytes.ts";
import { writeAll } from "../write_all.ts";

/** How many connections are being made at once in a crowd. */
const CONNECTING_AT_ONCE = 64;
/** A storm is over when nobody has heard anything for this long, in ms. */
const QUIET_MS = 400;
/** More than a quiet pair says in a part of {@linkcode QUIET_MS}: a storm goes on. */
const STORM_BYTES = 2000;
/** Longer than the time that the relay waits for a session that has gone without a word. */
const LEAVE_MS = 6500;
/** What fills the buffers of the kernel of who does not read: less than the relay keeps for it. */
const FILL_BYTES = 4 * 1024 * 1024;
/** 1 MB/s in parts of 20 ms. */
const TRICKLE_MS = 20;
const TRICKLE_BYTES = 20_000;
const VISIT_STATE_VALUES = 250;

export interface LoadOrder {
  kind: string;
  port: number;
  clients: number;
}

const encoder = new TextEncoder();

/** What a behaviour is made of: `prepare` ends before the measuring begins, `run` is what is measured. */
class Load {
  readonly #kind: Kind;
  readonly #port: number;
  readonly #clients: number;
  readonly #orders = new Orders();
  #bytes = 0;
  #steps = 0;
  #isOver = false;

  constructor({ kind, port, clients }: LoadOrder) {
    this.#kind = findKind(kind);
    this.#port = port;
    this.#clients = clients;
  }

  async run(): Promise<LoadReport> {
    const act = await this.#prepare(this.#kind.behaviour);
    this.#orders.say("ready");
    void this.#orders.heard("stop").then(() => this.#isOver = true);
    await this.#orders.heard("go");
    const startedMs = performance.now();
    void act().then(() => this.#orders.say("done"), (error) => {
      // The relay has closed the door on it. That is an end like another one.
      console.error(
        `the load of "${this.#kind.name}" ended early: ${error instanceof Error ? error.message : error}`,
      );
      this.#orders.say("done");
    });
    await this.#orders.heard("stop");
    return { bytes: this.#bytes, steps: this.#steps, seconds: (performance.now() - startedMs) / 1000 };
  }

  async #prepare(behaviour: Behaviour): Promise<() => Promise<void>> {
    switch (behaviour.act) {
      case "nothing":
        return () => this.#orders.heard("stop");
      case "burn":
        return () => this.#burn();
      case "flood":
        return await this.#prepareFlood(behaviour);
      case "stuck":
        return await this.#prepareStuck(behaviour);
      case "join":
        return async () => {
          const members = await this.#join(behaviour.members);
          await this.#quiet(members);
        };
      case "leave":
        return await this.#prepareLeave(behaviour.members);
      case "reset":
        return () => this.#reset(behaviour.perSecond);
      case "resume":
        return await this.#prepareResume(behaviour.members);
      case "visit":
        return await this.#prepareVisit(behaviour.atOnce);
      case "wander":
        return () => this.#times(behaviour.atOnce, () => this.#wander());
      case "churn":
        return () => this.#times(behaviour.atOnce, () => this.#churn(behaviour.what));
      case "heads":
        return () => this.#times(behaviour.connections, () => this.#dripHead(behaviour.everyMs));
    }
  }

  async #open(level: "plain" | "session", reads = true): Promise<RawSession> {
    const room = level === "plain" ? undefined : roomOf(this.#kind);
    const client = await RawSession.open({ port: this.#port, room });
    if (reads) void client.run();
    return client;
  }

  async #prepareFlood({ level, payload, writeBytes, over, crowd }: Flood): Promise<() => Promise<void>> {
    const members = crowd === undefined
      ? []
      : await this.#join(crowd.members, crowd.rooms === "each", crowd.hello);
    await this.#quiet(members);
    this.#bytes = this.#steps = 0;
    const bytes = payload(members.map(({ id }) => id));
    const conns: Deno.TcpConn[] = [];
    for (let i = 0; i < this.#clients; i++) {
      conns.push(
        over === undefined ? (await this.#open(level)).conn : await this.#openWeb(over === "websocket"),
      );
    }
    const step = writeBytes ?? bytes.length;
    const flood = async (conn: Deno.TcpConn) => {
      while (!this.#isOver) {
        for (let at = 0; at < bytes.length && !this.#isOver; at += step) {
          await writeAll(conn, bytes.subarray(at, at + step));
          this.#bytes += Math.min(step, bytes.length - at);
        }
      }
    };
    return async () => void await Promise.all(conns.map(flood));
  }

  /**
   * Opens a connection that reads whatever comes and looks at nothing of it; by WebSocket, once that is open.
   */
  async #openWeb(isWebSocket: boolean): Promise<Deno.TcpConn> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    conn.setNoDelay(true);
    if (isWebSocket) {
      await writeAll(conn, encoder.encode(HANDSHAKE));
      await conn.read(new Uint8Array(1024));
    }
    void dropAll(conn);
    return conn;
  }

  /** Opens WebSockets, or asks for a page, and closes each connection when it is answered. */
  async #churn(what: "websocket" | "request"): Promise<void> {
    const request = encoder.encode(what === "websocket" ? HANDSHAKE : get("/healthz", true));
    const goodbye = what === "websocket" ? frame(OPCODES.close, "") : undefined;
    const buffer = new Uint8Array(1024);
    while (!this.#isOver) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      await writeAll(conn, request);
      await conn.read(buffer);
      if (goodbye !== undefined) await writeAll(conn, goodbye);
      while (await conn.read(buffer).catch(() => null) !== null);
      this.#steps++;
    }
  }

  /** Sends a head a byte at a time, and the next one where that is refused. */
  async #dripHead(everyMs: number): Promise<void> {
    const head = encoder.encode(get("/healthz"));
    while (!this.#isOver) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      void dropAll(conn);
      try {
        for (let at = 0; at < head.length && !this.#isOver; at++) {
          this.#bytes += await conn.write(head.subarray(at, at + 1));
          await sleep(everyMs);
        }
      } catch {
        // It took too long.
      }
    }
  }

  /** Takes a core, but for the moments in which it looks whether it should stop. */
  async #burn(): Promise<void> {
    while (!this.#isOver) {
      for (const untilMs = performance.now() + 5; performance.now() < untilMs;);
      await new Promise((done) => setTimeout(done, 0));
    }
  }

  /** Does the same so many times side by side. */
  async #times(count: number, act: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: count }, act));
  }

  async #prepareStuck({ level, members }: Behaviour & { act: "stuck" }): Promise<() => Promise<void>> {
    await this.#atOnce(members, () => this.#open(level, false));
    const { conn } = await this.#open(level);
    const lines = repeatLine("1", TRICKLE_BYTES);
    for (let sent = 0; sent < FILL_BYTES; sent += lines.length) await writeAll(conn, lines);
    return async () => {
      for (const startedMs = performance.now(); !this.#isOver;) {
        await writeAll(conn, lines);
        this.#bytes += lines.length;
        await sleep(startedMs + this.#bytes / TRICKLE_BYTES * TRICKLE_MS - performance.now());
      }
    };
  }

  /** Makes sessions that read and acknowledge, as many at once as a port takes. */
  async #join(
    count: number,
    inRoomsOfTheirOwn = false,
    hello?: Readonly<Record<string, unknown>>,
  ): Promise<RawSession[]> {
    const members: RawSession[] = [];
    await this.#atOnce(count, async (index) => {
      const name = `player-${String(index).padStart(4, "0")}`;
      const room = inRoomsOfTheirOwn ? `${HOSTILE_ROOM}-${index}` : HOSTILE_ROOM;
      const member = await RawSession.open({ port: this.#port, room, name, hello, small: true });
      members.push(member);
      this.#steps++;
      void member.run();
    });
    return members;
  }

  /** Waits until all is told: until nobody hears of anybody any more. */
  async #quiet(members: readonly RawSession[]): Promise<void> {
    let heardMs = performance.now();
    const before = new Map<RawSession, number>();
    while (performance.now() - heardMs < QUIET_MS && !this.#isOver) {
      await sleep(QUIET_MS / 8);
      for (const member of members) {
        if (member.received - (before.get(member) ?? 0) > STORM_BYTES) heardMs = performance.now();
        before.set(member, member.received);
      }
    }
    for (const { received } of members) this.#bytes += received;
  }

  async #prepareLeave(count: number): Promise<() => Promise<void>> {
    const members = await this.#join(count);
    await this.#quiet(members);
    return async () => {
      this.#bytes = 0;
      const bye = encoder.encode('{"$bye":{}}\n');
      members.forEach((member, index) => {
        if (index % 2 === 0) void member.write(bye).catch(() => {});
        else member.conn.close();
        this.#steps++;
      });
      // Who has said nothing is waited for by the relay; then it leaves, all of them together.
      await sleep(LEAVE_MS);
    };
  }

  async #reset(perSecond: number): Promise<void> {
    const startedMs = performance.now();
    while (!this.#isOver) {
      const due = (performance.now() - startedMs) / 1000 * perSecond;
      while (this.#steps < due && !this.#isOver) {
        this.#steps++;
        const socket = net.connect(this.#port, "127.0.0.1");
        socket.on("error", () => {});
        socket.on("connect", () => socket.resetAndDestroy());
      }
      await sleep(2);
    }
  }

  async #prepareResume(members: number): Promise<() => Promise<void>> {
    const sessions: RawSession[] = [];
    for (let i = 0; i < members; i++) sessions.push(await this.#open("session"));
    const loop = async (session: RawSession) => {
      while (!this.#isOver) {
        session.conn.close();
        const resume = { session: session.secret, bytes: session.received };
        session = await RawSession.open({ port: this.#port, room: HOSTILE_ROOM, resume, small: true });
        void session.run();
        this.#steps++;
      }
    };
    return async () => void await Promise.all(sessions.map(loop));
  }

  async #prepareVisit(atOnce: number): Promise<() => Promise<void>> {
    const host = await this.#open("session");
    const value = "x".repeat(16_000);
    for (let i = 0; i < VISIT_STATE_VALUES; i++) {
      await host.write(encoder.encode(JSON.stringify({ $set: { key: `k${i}`, value } }) + "\n"));
    }
    const visit = async () => {
      while (!this.#isOver) {
        using _visitor = await RawSession.open({ port: this.#port, room: HOSTILE_ROOM, small: true });
        this.#steps++;
      }
    };
    return () => this.#times(atOnce, visit);
  }

  async #wander(): Promise<void> {
    const sets = Array.from({ length: 10 }, (_, i) => `{"$set":{"key":"k${i}","value":${i},"room":true}}\n`);
    const last = encoder.encode(`${sets.join("")}{"$bye":{}}\n`);
    while (!this.#isOver) {
      const room = `${HOSTILE_ROOM}-${this.#steps++}`;
      using wanderer = await RawSession.open({ port: this.#port, room, small: true });
      await wanderer.write(last);
      await wanderer.run();
    }
  }

  /** Calls `make` so many times, a few at a time. */
  async #atOnce(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count && !this.#isOver) await make(next++);
    };
    await Promise.all(Array.from({ length: Math.min(count, CONNECTING_AT_ONCE) }, worker));
  }
}

/** Reads until the end. */
async function dropAll(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // Closed, here or there.
  }
}

if (import.meta.main) {
  try {
    console.log(JSON.stringify(await new Load(JSON.parse(Deno.args[0])).run()));
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
