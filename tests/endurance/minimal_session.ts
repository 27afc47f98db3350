// A session written from docs/PROTOCOL.md alone, in the plainest way: it counts, acknowledges, pings and
// resumes. It shares no code with client.ts or with the relay, so that a misunderstanding of theirs can't
// hide in both.

import { pause } from "../support/pause.ts";
import type { LineConn } from "../support/websocket_conn.ts";
import { originMs, readPayload, type Snapshot, type Values } from "./history.ts";
import {
  type Body,
  connectMinimal,
  isNetworkError,
  Lines,
  type MinimalOptions,
  readJson,
  readLine,
  writeAll,
} from "./minimal_wire.ts";

const encoder = new TextEncoder();
const PING_MS = 1000;
const WELCOME_TIMEOUT_MS = 3000;
const CLOSE_TIMEOUT_MS = 3000;
/**
 * How far the relay's clock may be from that of this machine, in ms: it takes it at its start from two
 * others.
 */
const CLOCKS_APART_MS = 25;

/** A line that the relay has not confirmed; `end` is the place in the stream after its LF. */
interface Unconfirmed {
  bytes: Uint8Array;
  end: number;
  isEvent: boolean;
}

interface Member {
  name: string;
  state: Map<string, string>;
}

/** A session that comes back until it is closed. */
export class MinimalSession {
  readonly #options: MinimalOptions;
  readonly #peers = new Map<string, Member>();
  readonly #room = new Map<string, string>();
  readonly #own = new Map<string, string>();
  readonly #ownRoom = new Map<string, string>();
  #conn: LineConn | undefined;
  #nonce = "";
  #welcome: Body;
  /** Lines of the welcome that have not come; such a session is not resumed. */
  #moreLeft = 0;
  #isOpen = false;
  #isClosed = false;
  #running: Promise<void> | undefined;
  /** The relay's stream: what was processed, and what was acknowledged. */
  #processed = 0;
  #acked = 0;
  /**
   * This client's stream: where it ends, what is not confirmed, and how many of those lines this connection
   * was given.
   */
  #sent = 0;
  #unconfirmed: Unconfirmed[] = [];
  #written = 0;
  #isWriting = false;
  #heardAtMs = 0;
  #retryMs: number | undefined;
  #wake: (() => void) | undefined;
  #gaveUp: string | undefined;
  /** How its last connection ended. */
  lastEnd = "";

  constructor(options: MinimalOptions) {
    this.#options = options;
  }

  /** Its id; empty before the first welcome. */
  get id(): string {
    return this.#welcome?.id ?? "";
  }

  get isConnected(): boolean {
    return this.#isOpen && this.#moreLeft === 0;
  }

  /** Connects, and keeps connecting. */
  start(): void {
    this.#running = this.#run();
  }

  /** Sends an event: its JSON. */
  send(json: string): void {
    // A space keeps an event from being read as a control line.
    this.#push((json.startsWith('{"$') ? " " : "") + json, true);
  }

  /**
   * Sets or, without a value, removes a key of its own or of the room; `isOwn` says that nobody else sets
   * that one of the room.
   */
  set(key: string, json: string | undefined, isRoom = false, isOwn = true): void {
    const values = isRoom ? this.#ownRoom : this.#own;
    if (isRoom && !isOwn) { /* nobody's: not set again */ }
    else if (json === undefined) values.delete(key);
    else values.set(key, json);
    if (this.#welcome !== undefined) this.#pushSet(key, json, isRoom);
  }

  /** Says goodbye once all is confirmed. */
  async close(): Promise<void> {
    const deadline = performance.now() + CLOSE_TIMEOUT_MS;
    while (
      performance.now() < deadline && (!this.isConnected || this.#unconfirmed.some((line) => line.isEvent))
    ) {
      if (this.isConnected) this.#ping();
      await pause(50);
    }
    this.#isClosed = true;
    this.#push('{"$bye":{}}', false);
    await pause(20);
    this.abandon();
    await this.#running;
  }

  /** Ends without a word. */
  abandon(): void {
    this.#isClosed = true;
    this.#wake?.();
    this.#end();
  }

  /** What it holds now. */
  snapshot(): Snapshot {
    const peers: Record<string, string> = {}, states: Record<string, Values> = {};
    for (const [id, { name, state }] of this.#peers) {
      peers[id] = name;
      states[id] = Object.fromEntries(state);
    }
    return {
      id: this.id,
      isConnected: this.isConnected,
      peers,
      states,
      room: Object.fromEntries(this.#room),
      own: Object.fromEntries(this.#own),
      ownRoom: Object.fromEntries(this.#ownRoom),
      unsent: 0,
    };
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt++) {
      if (attempt > 0) {
        const waitMs = this.#retryMs ?? Math.min(5000, 250 * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
        this.#retryMs = undefined;
        await new Promise<void>((done) => {
          const timer = setTimeout(done, waitMs);
          this.#wake = () => (clearTimeout(timer), done());
        });
        if (this.#isClosed) return;
      }
      if (await this.#connection()) attempt = 0;
    }
  }

  /** Lives through one connection; returns whether there was a welcome. */
  async #connection(): Promise<boolean> {
    const { room, name = "", simulate } = this.#options;
    this.#isOpen = false;
    let end = "the relay ended it";
    let ticker: ReturnType<typeof setInterval> | undefined;
    try {
      const conn = this.#conn = await connectMinimal(this.#options);
      const resume = this.#welcome !== undefined && this.#moreLeft === 0
        ? { session: this.#welcome.session, bytes: this.#processed }
        : undefined;
      this.#nonce = crypto.randomUUID();
      const hello = { version: 1, room, name, nonce: this.#nonce, simulate, resume };
      await writeAll(conn, `${JSON.stringify({ $hello: hello })}\n`);
      this.#heardAtMs = performance.now();
      ticker = setInterval(() => this.#tick(), this.#options.pingMs ?? PING_MS);
      const lines = new Lines();
      const buffer = new Uint8Array(64 * 1024);
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        this.#heardAtMs = performance.now();
        for (const line of lines.take(buffer.subarray(0, count))) this.#onBytes(line);
        const { limits } = this.#welcome ?? {};
        if (limits !== undefined && this.#processed - this.#acked >= limits.windowBytes * 3 / 4) this.#ack();
      }
    } catch (error) {
      if (!(error instanceof Error) || !isNetworkError(error)) throw error;
      end = this.#gaveUp ?? String(error);
    } finally {
      clearInterval(ticker);
      this.lastEnd = end;
      this.#gaveUp = undefined;
      this.#end();
    }
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }

  #end(): void {
    try {
      this.#conn?.close();
    } catch { /* it was */ }
    this.#conn = undefined;
  }

  #tick(): void {
    const limitMs = this.#isOpen ? this.#welcome.limits.pingTimeoutMs : WELCOME_TIMEOUT_MS;
    const silentMs = performance.now() - this.#heardAtMs;
    if (silentMs > limitMs) {
      this.#gaveUp = `nothing was heard for ${silentMs.toFixed(0)} ms`;
      return this.#end();
    }
    if (this.isConnected) this.#ping();
  }

  #ping(): void {
    this.#push(`{"$ping":{"t":${performance.now()}}}`, false);
    this.#ack();
  }

  #ack(): void {
    if (this.#processed === this.#acked) return;
    this.#acked = this.#processed;
    this.#push(`{"$ack":{"bytes":${this.#acked}}}`, false);
  }

  #pushSet(key: string, json: string | undefined, isRoom: boolean): void {
    const value = json === undefined ? "" : `,"value":${json}`;
    this.#push(`{"$set":{"key":${JSON.stringify(key)}${value}${isRoom ? ',"room":true' : ""}}}`, false);
  }

  #push(line: string, isEvent: boolean): void {
    const bytes = encoder.encode(`${line}\n`);
    this.#sent += bytes.length;
    this.#unconfirmed.push({ bytes, end: this.#sent, isEvent });
    void this.#write();
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    let conn = this.#conn;
    try {
      while (this.isConnected && this.#written < this.#unconfirmed.length) {
        conn = this.#conn;
        const batch = this.#unconfirmed.slice(this.#written, this.#written + 100);
        this.#written += batch.length;
        for (const { bytes } of batch) {
          if (conn === this.#conn) await writeAll(conn!, bytes);
        }
      }
    } catch {
      if (conn === this.#conn) this.#end(); // its reader sees it, too
    } finally {
      this.#isWriting = false;
    }
    // It may have been opened again while an old write failed.
    if (this.isConnected && this.#written < this.#unconfirmed.length) void this.#write();
  }

  #confirm(bytes: number): void {
    const start = this.#unconfirmed.length === 0
      ? this.#sent
      : this.#unconfirmed[0].end - this.#unconfirmed[0].bytes.length;
    const count = this.#unconfirmed.findLastIndex((line) => line.end <= bytes) + 1;
    const end = count === 0 ? start : this.#unconfirmed[count - 1].end;
    if (bytes !== end && bytes > start) {
      return this.#strange(
        `the relay counts ${bytes} bytes, which is no end of a line (${start} to ${this.#sent})`,
      );
    }
    this.#unconfirmed.splice(0, count);
    this.#written -= count;
  }

  #strange(what: string): void {
    this.#options.record({ kind: "strange", what });
  }

  #onBytes(bytes: Uint8Array): void {
    const line = readLine(bytes);
    const json = line === undefined ? undefined : readJson(line);
    if (line === undefined) this.#strange(`no UTF-8: ${bytes}`);
    else if (json === undefined) this.#strange(`no JSON: ${line.slice(0, 200)}`);
    else this.#onLine(bytes, line, json);
  }

  #onLine(bytes: Uint8Array, line: string, json: Body): void {
    if (!this.#isOpen) {
      if (!line.startsWith('{"$')) return; // the lobby's, before this was known to be a session
      const { $welcome, $error } = json;
      // Anything without the nonce is somebody else's event.
      if (($welcome ?? $error)?.nonce !== this.#nonce) return;
      if ($error !== undefined) this.#strange(`refused: ${$error.code} ${$error.message}`);
      if ($welcome !== undefined) this.#onWelcome($welcome);
      return;
    }
    this.#processed += bytes.length;
    if (line.startsWith('{"$')) this.#onControl(json);
    else {
      const name = readPayload(json);
      if (name === undefined) this.#strange(`received ${line.slice(0, 200)}`);
      else this.#options.record({ kind: "event", ...name });
    }
    if (this.#moreLeft > 0 && --this.#moreLeft === 0) void this.#write();
  }

  #onWelcome(welcome: Body): void {
    this.#isOpen = true;
    const { resumed, id, bytes, more, peers, state } = welcome;
    if (resumed) {
      if (id !== this.#welcome.id || welcome.session !== this.#welcome.session) {
        this.#strange("resumed as somebody else");
      }
      this.#welcome = welcome;
      this.#acked = this.#processed;
      this.#confirm(bytes);
      this.#written = 0;
      this.#options.record({ kind: "opened", id, resumed });
      return void this.#write();
    }
    if (this.#welcome !== undefined) {
      const lines = this.#unconfirmed.filter((line) => line.isEvent).length;
      this.#options.record({ kind: "lost", reason: "unconfirmed", lines });
    }
    const isFirst = this.#welcome === undefined;
    const queued = isFirst ? this.#unconfirmed : [];
    this.#welcome = welcome;
    this.#processed =
      this.#acked =
      this.#sent =
      this.#written =
        0;
    this.#unconfirmed = [];
    this.#peers.clear();
    this.#room.clear();
    for (const peer of peers) this.#peers.set(peer.id, { name: peer.name, state: toValues(peer.state) });
    for (const [key, value] of toValues(state)) this.#room.set(key, value);
    this.#options.record({
      kind: "opened",
      id,
      resumed: false,
      peers: peers.map((peer: Body) => [peer.id, peer.name]),
    });
    for (const [key, json] of this.#own) this.#pushSet(key, json, false);
    for (const [key, json] of this.#ownRoom) this.#pushSet(key, json, true);
    for (const { bytes, isEvent } of queued) {
      if (isEvent) this.#push(readLine(bytes)!, true);
    }
    this.#moreLeft = more;
    void this.#write();
  }

  #onControl(control: Body): void {
    const { $pong, $join, $leave, $set, $peers, $lost, $error, $bye } = control;
    if ($pong !== undefined) this.#onPong($pong);
    if ($join !== undefined) this.#join($join);
    if ($leave !== undefined) this.#leave($leave.id, $leave.reason);
    if ($set !== undefined) this.#onSet($set);
    if ($lost !== undefined) this.#options.record({ kind: "lost", reason: "behind", lines: $lost.lines });
    if ($error !== undefined) this.#strange(`$error ${$error.code}: ${$error.message}`);
    if ($bye !== undefined) this.#retryMs = $bye.retryMs;
    if ($peers !== undefined) {
      const ids = new Set($peers.peers.map(({ id }: Body) => id));
      for (const id of [...this.#peers.keys()]) if (!ids.has(id)) this.#leave(id, "lost");
      for (const peer of $peers.peers) if (!this.#peers.has(peer.id)) this.#join(peer);
    }
  }

  #join({ id, name }: Body): void {
    this.#options.record({ kind: "join", id, name });
    this.#peers.set(id, { name, state: new Map() });
  }

  #leave(id: string, reason: string): void {
    this.#options.record({ kind: "leave", id, reason });
    this.#peers.delete(id);
  }

  #onSet($set: Body): void {
    const { key, from, room } = $set;
    const values = room === true ? this.#room : this.#peers.get(from)?.state;
    if (values === undefined) return this.#strange(`state of ${from}, who is not there`);
    if ("value" in $set) values.set(key, JSON.stringify($set.value));
    else values.delete(key);
  }

  #onPong({ t, time, bytes }: Body): void {
    const nowMs = performance.now();
    this.#confirm(bytes);
    this.#options.onPong?.(nowMs - t);
    // The relay said it somewhere between the ping and now: only what is outside of that is wrong.
    const offMs = Math.max(0, originMs + t - time, time - originMs - nowMs);
    this.#options.record({ kind: "clock", relayMs: time, offMs, boundMs: CLOCKS_APART_MS });
  }
}

function toValues(state: Record<string, unknown>): Map<string, string> {
  return new Map(Object.entries(state).map(([key, value]) => [key, JSON.stringify(value)]));
}
