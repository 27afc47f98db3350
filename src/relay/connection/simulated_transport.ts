// A transport over a bad network on purpose: what is written arrives later, in order, or the line breaks. It
// holds copies of what is on its way and no more of them than such a line would: what waits before it stays
// in the room, where it can be skipped.
//
//   write ─▶ [leaving: at the line's rate] ─▶ [on its way: as long as its delay] ─▶ conn.write

import { freeBuffer } from "../../wire/buffer_pool.ts";
import { Simulation } from "../../simulation/simulation.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import type { MemoryAccount } from "../memory_budget.ts";
import type { Settings } from "../options.ts";
import type { Timer } from "../timers.ts";
import type { Farewell, Transport } from "./transport.ts";

/** The most that is on its way at a time, in bytes: what TCP has for a receiver far away is of that order. */
const MAX_UNDERWAY_BYTES = 256 * 1024;

/** …and what an empty line takes when the relay has no memory left. */
const MIN_UNDERWAY_BYTES = 4 * 1024;

/** What a piece takes of that beside its bytes… */
const PIECE_BYTES = 100;

/**
 * …and in memory: two objects and a buffer, and as much again until those that have arrived are collected.
 * Measured.
 */
const PIECE_MEMORY_BYTES = 1024;

/**
 * A line with a limited rate takes so many ms' worth of bytes at once: what it has taken can't be skipped any
 * more.
 */
const MAX_LEAVING_MS = 100;

/** The longest wait that timers know, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a simulated line needs of the settings. */
type LineSettings = Pick<Settings, "clock" | "timers" | "memory"> & {
  readonly loop: Pick<Settings["loop"], "inTurn" | "turnIfBusy">;
};

/** Something on its way. */
interface Piece {
  bytes: Uint8Array<ArrayBuffer>;
  arrivesAt: number;
}

/** A write that the line has not taken yet. */
interface WaitingWrite {
  bytes: Uint8Array;
  resolve: (n: number) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes over a simulated line, and reads as if there were none. Closing it closes the transport behind it,
 * and drops what is on its way.
 */
export class SimulatedTransport implements Transport {
  readonly #conn: Transport;
  #simulation: Simulation;
  #maxWriteBytes: number;
  readonly #settings: LineSettings;
  /** What is on its way. */
  readonly #memory: MemoryAccount;
  #underway: Piece[] = [];
  #underwayBytes = 0;
  #leavesAt = -Infinity;
  #waiting: WaitingWrite | undefined;
  #isDelivering = false;
  #onDelivered: (() => void) | undefined;
  #failure: unknown;
  #isClosed = false;
  #timer: Timer | undefined;

  constructor(conn: Transport, options: SimulationOptions, settings: LineSettings) {
    this.#conn = conn;
    this.#settings = settings;
    this.#memory = settings.memory.open();
    [this.#simulation, this.#maxWriteBytes] = makeLine(options, settings.clock());
    this.#plan();
  }

  /** How much it should be given at a time at most, in bytes. */
  get maxWriteBytes(): number {
    return this.#maxWriteBytes;
  }

  /** Goes on as another network. What is on its way arrives as it would have. */
  become(options: SimulationOptions): void {
    [this.#simulation, this.#maxWriteBytes] = makeLine(options, this.#settings.clock());
    this.#plan();
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  /** Takes some of `bytes` once the line has room for them, and says how many. */
  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { bytes, resolve, reject };
      this.#step();
    });
  }

  /** Ends the output once everything has arrived. */
  async closeWrite(farewell?: Farewell): Promise<void> {
    if (this.#underway.length > 0 || this.#isDelivering) {
      await new Promise<void>((done) => this.#onDelivered = done);
    }
    if (!this.#isClosed) await this.#conn.closeWrite(farewell);
  }

  /** Leaves the transport behind it as it is, and drops what is on its way. */
  release(): void {
    this.#isClosed = true;
    this.#settings.timers.clearTimeout(this.#timer);
    this.#dropUnderway();
  }

  close(): void {
    if (this.#isClosed) return;
    this.release();
    this.#fail(new Deno.errors.BadResource("The connection is closed"));
    this.#conn.close();
    this.#onDelivered?.();
  }

  /** Does all that is due, and plans when to look again. */
  #step(): void {
    if (this.#isClosed) return;
    const nowMs = this.#settings.clock();
    if (nowMs >= this.#simulation.cutAt) return this.close();
    this.#takeWaiting(nowMs);
    if (!this.#isDelivering && this.#isDue(nowMs)) void this.#deliver();
    this.#plan(nowMs);
  }

  #takeWaiting(nowMs: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#failure !== undefined) return this.#fail(this.#failure);
    if (nowMs < this.#takesAt(nowMs)) return;
    const room = this.#room(waiting.bytes.length);
    if (room === 0) return; // until something has arrived
    const bytes = new Uint8Array(waiting.bytes.subarray(0, room));
    const { leavesAt, arrivesAt } = this.#simulation.send(bytes.length, nowMs);
    this.#underway.push({ bytes, arrivesAt });
    this.#underwayBytes += bytes.length + PIECE_BYTES;
    this.#leavesAt = leavesAt;
    this.#waiting = undefined;
    waiting.resolve(bytes.length);
  }

  /** How many of `bytes` bytes the line takes now; they are counted. */
  #room(bytes: number): number {
    const room = Math.min(MAX_UNDERWAY_BYTES - this.#underwayBytes - PIECE_BYTES, this.#maxWriteBytes, bytes);
    if (room <= 0) return 0;
    if (this.#memory.tryGrow(room + PIECE_MEMORY_BYTES)) return room;
    if (this.#underway.length > 0) return 0;
    const least = Math.min(room, MIN_UNDERWAY_BYTES);
    this.#memory.grow(least + PIECE_MEMORY_BYTES);
    return least;
  }

  /** When the line takes the next bytes: those before have to have left, and it must not stall. */
  #takesAt(nowMs: number): number {
    return Math.max(this.#leavesAt, this.#simulation.opensAt(nowMs));
  }

  #isDue(nowMs: number): boolean {
    return this.#underway.length > 0 && this.#underway[0].arrivesAt <= nowMs;
  }

  async #deliver(): Promise<void> {
    this.#isDelivering = true;
    const { clock, loop } = this.#settings;
    try {
      while (this.#isDue(clock())) {
        const { bytes } = this.#underway.shift()!, { length } = bytes;
        for (let at = 0; at < length;) at += await this.#conn.write(bytes.subarray(at));
        freeBuffer(bytes);
        if (this.#isClosed) return;
        this.#underwayBytes -= length + PIECE_BYTES;
        this.#memory.grow(-length - PIECE_MEMORY_BYTES);
        // Hundreds may have much that arrives at once.
        if (this.#isDue(clock())) await loop.turnIfBusy();
        if (this.#isClosed) return;
      }
    } catch (error) {
      this.#dropUnderway();
      this.#fail(error);
    }
    this.#isDelivering = false;
    this.#step();
    if (this.#underway.length === 0) this.#onDelivered?.();
  }

  #dropUnderway(): void {
    for (const { bytes } of this.#underway) freeBuffer(bytes);
    this.#underway = [];
    this.#underwayBytes = 0;
    this.#memory.close();
  }

  /** Lets the write that waits fail, or the next one. */
  #fail(error: unknown): void {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** Wakes up for what happens next. */
  #plan(nowMs = this.#settings.clock()): void {
    this.#settings.timers.clearTimeout(this.#timer);
    const arrivesAt = this.#isDelivering ? Infinity : this.#underway[0]?.arrivesAt ?? Infinity;
    // A line that is open and full takes more only once something has arrived.
    const takesAt = this.#waiting === undefined ? Infinity : this.#takesAt(nowMs);
    const opensAt = takesAt > nowMs ? takesAt : Infinity;
    const nextAt = Math.min(arrivesAt, opensAt, this.#simulation.cutAt);
    if (nextAt === Infinity) return;
    const waitMs = Math.min(Math.max(0, nextAt - nowMs), MAX_TIMER_MS);
    const { timers, loop } = this.#settings;
    this.#timer = timers.setTimeout(() => void loop.inTurn(() => this.#step()), waitMs);
  }
}

/** Makes a line, and says how many bytes it takes at once. */
function makeLine(options: SimulationOptions, nowMs: number): [Simulation, number] {
  const leavingBytes = Math.max(1, Math.ceil(options.bytesPerSecond / 1000 * MAX_LEAVING_MS));
  return [new Simulation(options, nowMs), Math.min(MAX_UNDERWAY_BYTES, leavingBytes)];
}
