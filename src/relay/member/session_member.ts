// A member of level 1: an identity that outlives its connection. It has a name that others see, state, a
// window of bytes that may be on their way, and a second cursor at what the client has confirmed, from which
// a new connection goes on.
//
//   log ──────────┬────────────────────────┬──────────────────────┬─ end
//            confirmed: a resume     written: at most        not written yet
//            begins here, the log    windowBytes farther
//            is kept from here on

import { concat } from "../../wire/concat.ts";
import {
  type Control,
  Misunderstood,
  readAck,
  readControl,
  readPing,
  readPlainAck,
  readSet,
  type Understood,
} from "./client_control.ts";
import { type Batch, type BEHIND, type EndReason, MAX_WRITE_BYTES, Member, type Outlet } from "./member.ts";
import { encodeControl, LF, PROTOCOL_VERSION, type WireError } from "../../wire/protocol.ts";
import type { LeaveReason, Peer, Room } from "../room/room.ts";
import type { Settings } from "../options.ts";
import type { Cursor, Lost } from "../room/cursor.ts";
import { SentLedger } from "./sent_ledger.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import type { StateEntry } from "../room/state_table.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();

/** How long others see a member whose connection broke: a resume within this time goes unnoticed. */
const ABSENCE_MS = 5000;

/** How long a `$welcome` line is at most; what doesn't fit follows as lines of its own. */
const MAX_WELCOME_BYTES = 32 * 1024;

/** …and how much of it is taken by what is not about the room's members and values. */
const MAX_GREETING_BYTES = 2048;

/** The most state that one write takes. */
const MAX_STATE_WRITE_BYTES = 64 * 1024;

/** A place in the log behind lines that were skipped, from which on the client goes on once it has the `$lost` line. */
interface Jump {
  /** Where the `$lost` line ends in the stream. */
  end: number;
  cursor: Cursor;
  /** The `$peers` line that follows it, if any. */
  peers: Uint8Array | undefined;
}

/** Who keeps sessions whose clients are away. */
export interface SessionKeeper {
  /** Is told that a session has lost its connection, and may be resumed. */
  onAway(member: SessionMember): void;
  /** Is told that a session is over. */
  onOver(member: SessionMember): void;
}

/** A session in a room, with or without a connection. */
export class SessionMember extends Member implements Peer {
  readonly id: string;
  readonly name: string;
  /** With this the session can be resumed: nobody else knows it. */
  readonly secret: string;
  cursor: Cursor;
  #confirmed: Cursor;
  #ledger: SentLedger;
  #stateVersion: number;
  #isStateNext = false;
  #presenceVersion: number;
  /** Jumps that the client has not confirmed, the oldest first. */
  #jumps: Jump[] = [];
  /** The lines about the last jump, until they are written. */
  #lost: { lines: Uint8Array; lostBytes: number; peers: Uint8Array | undefined } | undefined;
  /** The `$welcome`, until it is written; it isn't part of the counted stream. */
  #welcome: Uint8Array | undefined;
  /** The lines that belong to the welcome and follow it, until they are written. */
  #follow: Uint8Array = NOTHING;
  /** Lines that can't be made again, and where they begin in the stream: kept for a resume until the client has confirmed them. */
  #kept = { start: 0, bytes: NOTHING };
  #received = 0;
  #isPresent = true;
  #isOver = false;
  #absentSince: number | undefined;
  #repairTo = 0;

  readonly #keeper: SessionKeeper | undefined;

  constructor(
    room: Room,
    peer: { id: string; name: string },
    secret: string,
    settings: Settings,
    keeper?: SessionKeeper,
  ) {
    super(room, room.sessions, settings);
    this.id = peer.id;
    this.name = peer.name;
    this.secret = secret;
    this.#keeper = keeper;
    room.enter(this);
    this.cursor = this.feed.openCursor();
    this.#confirmed = this.cursor.clone();
    this.#stateVersion = room.state.version;
    this.#presenceVersion = room.presenceVersion;
    this.#ledger = new SentLedger(this.#stateVersion);
    this.feed.join(this);
  }

  /** Whether it has left for good. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there is a connection. */
  get isConnected(): boolean {
    return this.outlet !== undefined;
  }

  /** The version of the state that the client surely has. */
  get confirmedStateVersion(): number {
    return this.#ledger.stateVersion;
  }

  /** Gives the new member its first connection, over a bad line if one is given. The welcome repeats `nonce`. */
  attach(outlet: Outlet, simulation: SimulationOptions | undefined, nonce?: string): void {
    this.outlet = outlet;
    if (simulation !== undefined) outlet.simulate(simulation);
    const { welcome, more } = this.#describeRoom(nonce);
    this.#welcome = welcome;
    this.clearReplies();
    this.#follow = more;
    this.#kept = { start: 0, bytes: more };
    this.wake();
  }

  /**
   * Goes on with a session on a new connection, whose client has received `bytes` of the stream. The old connection, if any, is cut.
   * The welcome repeats `nonce`. Returns false if the log doesn't hold any more what is missing: then the session is over.
   */
  resume(outlet: Outlet, bytes: number, simulation: SimulationOptions | undefined, nonce?: string): boolean {
    this.outlet?.cut("replaced");
    if (this.#isOver || bytes > this.#ledger.sent || bytes < this.#ledger.acked) return false;
    this.#ack(bytes);
    if (this.#confirmed.isEvicted) return false;
    this.#ledger.rewind();
    this.cursor.close();
    this.cursor = this.#confirmed.clone();
    this.#stateVersion = this.#ledger.stateVersion;
    this.#repairTo = this.feed.end;
    this.#absentSince = undefined;
    for (const jump of this.#jumps.splice(0)) jump.cursor.close();
    this.clearReplies();
    this.outlet = outlet;
    if (simulation !== undefined) outlet.simulate(simulation);
    if (!this.#isPresent) this.#appear();
    this.#follow = this.#kept.bytes.subarray(Math.max(0, bytes - this.#kept.start));
    const more = this.#follow.reduce((lines, byte) => byte === LF ? lines + 1 : lines, 0);
    this.#welcome = encodeControl("welcome", this.#greeting({ nonce, resumed: true, more }));
    this.wake();
    return true;
  }

  /** Notes that the connection is gone: for good, or for a while in which the client may come back. */
  detach(outlet: Outlet, reason: EndReason): void {
    if (outlet !== this.outlet) return;
    this.outlet = undefined;
    this.#absentSince = this.settings.clock();
    this.#keeper?.onAway(this);
    switch (reason) {
      case "bye":
      case "refused":
        return this.close("closed");
      case "behind":
        return this.close("behind");
      case "shutdown":
        return this.#leave(); // all leave: nobody is told
      case "timeout":
        this.#absentSince -= this.settings.pingTimeoutMs;
        return this.#disappear("timeout");
    }
  }

  /** Looks whether the time is over in which the client may come back. */
  sweepAbsence(nowMs: number): void {
    if (this.#absentSince === undefined || this.#isOver) return;
    const awayMs = nowMs - this.#absentSince;
    if (awayMs > ABSENCE_MS) this.#disappear("lost");
    if (awayMs > this.settings.resumeMs) this.close("lost");
  }

  /** Ends the session for good. */
  close(reason: LeaveReason): void {
    if (this.#isOver) return;
    this.#leave();
    this.#disappear(reason);
  }

  #leave(): void {
    this.#isOver = true;
    this.#keeper?.onOver(this);
    this.room.state.removeOwner(this);
    this.room.leave(this, this.feed);
    for (const jump of this.#jumps.splice(0)) jump.cursor.close();
    this.#confirmed.close();
    this.cursor.close();
  }

  /** Counts bytes of complete lines that came from the client. */
  noteReceived(bytes: number): void {
    this.#received += bytes;
  }

  override skipOwn(start: number, lines: number): void {
    this.cursor.skipOwn(start, lines);
    this.#confirmed.skipOwn(start, lines);
    for (const jump of this.#jumps) jump.cursor.skipOwn(start, lines);
  }

  /** Handles one control line, `bytes[start, end)` with its LF; returns what is wrong with it. */
  onControl(bytes: Uint8Array, start: number, end: number, lineNumber: number): WireError | undefined {
    const acknowledged = readPlainAck(bytes, start, end);
    if (acknowledged !== undefined) return void this.#onAck(acknowledged);
    const control = readControl(bytes.subarray(start, end - 1));
    const wrong = control instanceof Misunderstood
      ? { code: "unknown_control" as const, message: control.message }
      : this.#obey(control);
    if (wrong === undefined) return undefined;
    const message = `Cannot follow line ${lineNumber}: ${wrong.message}`;
    return { code: wrong.code, message, line: lineNumber };
  }

  override get hasNews(): boolean {
    return super.hasNews || this.#stateVersion !== this.room.state.version || this.#welcome !== undefined ||
      this.#follow.length > 0;
  }

  override take(nowMs: number, maxBytes = MAX_WRITE_BYTES): Batch | typeof BEHIND | undefined {
    const welcome = this.#welcome;
    this.#welcome = undefined;
    if (welcome !== undefined) return this.batchOf(welcome);
    const follow = this.#follow;
    if (follow.length === 0) return super.take(nowMs, maxBytes);
    this.#follow = NOTHING;
    this.#ledger.addReplies(follow.length);
    return this.batchOf(follow);
  }

  protected override isTooFarBehind(nowMs: number): boolean {
    if (this.cursor.isEvicted) return true;
    return this.cursor.offset >= this.#repairTo && super.isTooFarBehind(nowMs);
  }

  protected override get canTakeNews(): boolean {
    return this.#freeBytes > 0;
  }

  protected takeNews(maxBytes: number): Uint8Array | undefined {
    const limit = Math.min(this.#freeBytes, maxBytes);
    // By turns, so that neither events nor state can keep the other waiting.
    this.#isStateNext = !this.#isStateNext;
    return this.#isStateNext
      ? this.#takeState(limit) ?? this.#takeEvents(limit)
      : this.#takeEvents(limit) ?? this.#takeState(limit);
  }

  /** How many bytes the window has room for. */
  get #freeBytes(): number {
    return this.settings.windowBytes - (this.#ledger.sent - this.#ledger.acked);
  }

  protected override onRepliesTaken(replies: readonly Uint8Array[]): void {
    for (const reply of replies) {
      this.#ledger.addReplies(reply.length);
      if (reply !== this.#lost?.lines) continue;
      const { lostBytes, peers } = this.#lost;
      const end = this.#ledger.sent - reply.length + lostBytes;
      this.#jumps.push({ end, cursor: this.cursor.clone(), peers });
      this.#lost = undefined;
    }
  }

  protected override onLost(lost: Lost): void {
    const line = encodeControl("lost", lost);
    let peers: Uint8Array | undefined;
    if (this.#presenceVersion !== this.room.presenceVersion) {
      const others = Array.from(this.#others(), ({ id, name }) => ({ id, name }));
      peers = encodeControl("peers", { peers: others });
      this.#presenceVersion = this.room.presenceVersion;
    }
    // The `$time` that held here was skipped, too.
    const time = encodeControl("time", { time: this.settings.relayTime() });
    const lines = concat(peers === undefined ? [line, time] : [line, peers, time]);
    this.#lost = { lines, lostBytes: line.length, peers };
    this.reply(lines, true);
  }

  #takeEvents(limitBytes: number): Uint8Array | undefined {
    const bytes = this.cursor.take(limitBytes);
    if (bytes !== undefined) this.#ledger.addLog(bytes.length);
    return bytes;
  }

  /** Takes the changes of state that the client has not seen, the oldest first, as far as it knows whose they are. */
  #takeState(limitBytes: number): Uint8Array | undefined {
    const { state } = this.room;
    if (this.#stateVersion === state.version) return undefined;
    const lines: Uint8Array[] = [];
    let bytes = 0;
    let entry: StateEntry | undefined = state.firstAfter(this.#stateVersion);
    for (; entry !== undefined && bytes < Math.min(limitBytes, MAX_STATE_WRITE_BYTES); entry = entry.newer) {
      const since = this.room.presentSince(entry.owner);
      if (since > this.cursor.offset && since < Infinity) break; // its $join comes first
      this.#stateVersion = entry.version;
      if (since === Infinity || entry.owner === this) continue;
      lines.push(entry.line);
      bytes += entry.line.length;
    }
    if (entry === undefined) this.#stateVersion = state.version;
    if (lines.length === 0) {
      this.#ledger.passState(this.#stateVersion);
      return undefined;
    }
    this.#ledger.addState(bytes, this.#stateVersion);
    return concat(lines);
  }

  /** Does what a control line says. */
  #obey(control: Control): Pick<WireError, "code" | "message"> | undefined {
    switch (control.name) {
      case "ping":
        return this.#with("$ping", readPing(control), (t) => {
          this.reply(encodeControl("pong", { t, time: this.settings.relayTime(), bytes: this.#received }));
        });
      case "ack":
        return this.#with("$ack", readAck(control), (bytes) => this.#onAck(bytes));
      case "set": {
        const set = readSet(control);
        if (set instanceof Misunderstood) return { code: "bad_set", message: `in $set, ${set.message}` };
        return this.room.set(this, set.key, set.value, set.isRoom);
      }
      case "bye":
        this.outlet?.cut("bye");
        return undefined;
    }
    const message = `"$${control.name.slice(0, 40)}" is no control line, $ping, $ack, $set and $bye are`;
    return { code: "unknown_control", message };
  }

  #with<T>(
    name: string,
    read: Understood<T>,
    act: (value: T) => void,
  ): Pick<WireError, "code" | "message"> | undefined {
    if (read instanceof Misunderstood) {
      return { code: "unknown_control", message: `in ${name}, ${read.message}` };
    }
    act(read);
  }

  #onAck(bytes: number): void {
    if (bytes <= this.#ledger.sent) this.#ack(bytes);
    this.wake();
  }

  #ack(bytes: number): void {
    while (this.#jumps.length > 0 && this.#jumps[0].end <= bytes) {
      const { end, cursor, peers } = this.#jumps.shift()!;
      this.#ledger.ack(end);
      this.#confirmed.close();
      this.#confirmed = cursor;
      if (peers !== undefined) this.#kept = { start: end, bytes: peers };
    }
    if (bytes >= this.#kept.start + this.#kept.bytes.length) this.#kept.bytes = NOTHING;
    this.#confirmed.pass(this.#ledger.ack(bytes));
    if (!this.#confirmed.isEvicted || this.#ledger.acked < this.#ledger.sent) return;
    // What was confirmed lies behind what the log has dropped; now both cursors are at the same place again.
    this.#confirmed.close();
    this.#confirmed = this.cursor.clone();
  }

  #appear(): void {
    this.#isPresent = true;
    this.room.enter(this, this);
    this.room.state.touch(this, this.id);
  }

  #disappear(reason: LeaveReason): void {
    if (!this.#isPresent) return;
    this.#isPresent = false;
    this.room.exit(this, reason, this.#isOver ? undefined : this);
  }

  #greeting(rest: Record<string, unknown>): Record<string, unknown> {
    const { runId, relayTime, maxLineBytes, windowBytes, maxLagMs, resumeMs, pingTimeoutMs } = this.settings;
    const { maxKeys, maxValueBytes, maxStateBytes } = this.settings;
    return {
      version: PROTOCOL_VERSION,
      id: this.id,
      room: this.room.name,
      relay: runId,
      session: this.secret,
      time: relayTime(),
      bytes: this.#received,
      ...rest,
      limits: {
        maxLineBytes,
        windowBytes,
        maxLagMs,
        resumeMs,
        pingTimeoutMs,
        maxKeys,
        maxValueBytes,
        maxStateBytes,
      },
    };
  }

  /** Writes down who and what is in the room: as much as fits into the welcome, the rest as lines that follow it. */
  #describeRoom(nonce: string | undefined): { welcome: Uint8Array; more: Uint8Array } {
    const more: Uint8Array[] = [];
    const peers: string[] = [], roomState: string[] = [];
    let freeBytes = MAX_WELCOME_BYTES - MAX_GREETING_BYTES;
    const fits = (text: string) => {
      const bytes = encoder.encode(text).length + 1; // with a comma
      if (bytes > freeBytes) return false;
      freeBytes -= bytes;
      return true;
    };
    const member = ({ key, value }: StateEntry) => `${JSON.stringify(key)}:${value}`;
    for (const entry of this.room.state.valuesOf(this.room.owner)) {
      const text = member(entry);
      if (fits(text)) roomState.push(text);
      else more.push(entry.line);
    }
    for (const peer of this.#others()) {
      const values = [...this.room.state.valuesOf(peer)];
      const head = `{"id":${JSON.stringify(peer.id)},"name":${JSON.stringify(peer.name)},"state":{`;
      const full = head + values.map(member).join() + "}}";
      if (fits(full)) peers.push(full);
      else {more.push(
          encodeControl("join", { id: peer.id, name: peer.name }),
          ...values.map(({ line }) => line),
        );}
    }
    const rest = JSON.stringify(this.#greeting({ nonce, resumed: false, more: more.length })).slice(0, -1);
    const text = `{"$welcome":${rest},"peers":[${peers.join()}],"state":{${roomState.join()}}}}\n`;
    return { welcome: encoder.encode(text), more: concat(more) };
  }

  *#others(): Generator<Peer> {
    for (const peer of this.room.peers()) if (peer !== this) yield peer;
  }
}
