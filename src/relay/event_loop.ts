// The end of a turn of the event loop, and the next one, for who has more to do than one turn should take.
// What is put off by setImmediate alone keeps the loop busy, and a busy loop looks at its sockets only every
// 61st time (tokio's event_interval): others then wait for tens of milliseconds. Where the turn is asked for
// through a socket, which a byte of our own makes readable, the loop has to look at all sockets first.

import { nextTick } from "node:process";
import { clearImmediate, setImmediate } from "node:timers";

const LOOPBACK = "127.0.0.1";

const ONE_BYTE = new Uint8Array(1);

/** How long work may go on, in ms, until the sockets are looked at again. */
const MAX_BUSY_MS = 1;

/** How long those who are in no hurry are called in one turn, in ms… */
const BULK_MS = 0.5;

/** …and how long if others have had the time until the next look at the sockets. */
const MIN_BULK_MS = 0.25;

/** How many of them are let go by a promise in one turn at most: what they set off may be put off further. */
const MAX_LET_GO = 64;

/** Who is in no hurry, and whether the call resolves a promise, which sets off more. */
interface Later {
  call: () => void;
  isPromise: boolean;
}

/** Calls back in later turns. */
export class EventLoop {
  readonly #clock: () => number;
  #callbacks: (() => void)[] = [];
  /** Who comes after these, as far as there is time: one of them in any case. */
  #bulk: Later[] = [];
  #isAskedFor = false;
  /** Who is called at the end of this turn. */
  #atEnd: ((nowMs: number) => void)[] = [];
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  /** Whether the end of this turn is planned, and whether something was read in it: then by a tick. */
  #isEndPlanned = false;
  #isReading = false;
  /** The part of a turn in which all others are called, until it begins. */
  #work: ReturnType<typeof setImmediate> | undefined;
  /** Until when those in no hurry are called behind it, 0 before the first; how many more are let go. */
  #bulkUntilMs = 0;
  #letGoLeft = 0;
  #lookedMs = -Infinity;
  /** Whether that was in this turn. */
  #hasLooked = false;
  #opening: Promise<void> | undefined;
  #pipe: Pipe | undefined;
  #isClosed = false;

  /** @param clock tells the time in ms; never goes back */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Notes that something was read at `nowMs`: the loop has looked at its sockets in this turn. */
  noteLook(nowMs: number): void {
    if (this.#hasLooked) return;
    this.#hasLooked = true;
    this.#lookedMs = nowMs;
    this.#isReading = true;
    this.#planEnd();
  }

  /**
   * Whether who has more to do should leave it to a later turn, as the sockets have not been looked at for
   * too long.
   */
  isBusy(nowMs: number): boolean {
    return nowMs - this.#lookedMs > MAX_BUSY_MS;
  }

  /**
   * Opens the socket through which turns are asked for. Until then, and where that is not allowed or fails,
   * turns come without a look at the sockets. Never rejects.
   */
  open(): Promise<void> {
    return this.#opening = Pipe.open().then((pipe) => void (this.#pipe = pipe), () => {});
  }

  /**
   * Calls `callback` at the end of this turn, after all that was read in it, with the time; before who is
   * called in it: what has just been read goes out before further work begins. One wait and one look at the
   * clock for all who ask: each is a good part of what a relay does about a line that comes alone.
   */
  atTurnEnd(callback: (nowMs: number) => void): void {
    if (this.#isClosed) return;
    this.#atEnd.push(callback);
    this.#planEnd();
  }

  #planEnd(): void {
    if (this.#isEndPlanned || this.#isClosed) return;
    this.#isEndPlanned = true;
    // The next tick comes once all is read that a look at the sockets has found. It costs a fraction of an
    // immediate, in each turn, before anything is written. Of timers each has a tick of its own: they share
    // an immediate.
    if (this.#isReading) nextTick(this.#endTurn);
    else this.#turnEnd = setImmediate(this.#endTurn);
  }

  /**
   * Calls `callback` in the next turn, once sockets were looked at and what was there is read; callbacks come
   * in order. After `close()` nothing is called.
   */
  call(callback: () => void): void {
    this.#callbacks.push(callback);
    this.#askForTurn();
  }

  /**
   * Calls `callback` in a later turn, after those that are called in the next one, as soon as there is time:
   * for work that many may have at once. That it has is seen from how long it takes.
   */
  callLater(callback: () => void): void {
    this.#addLater({ call: callback, isPromise: false });
  }

  /**
   * Resolves in a later turn, in order with who is called there; never after `close()`. What is done then
   * counts, before anybody else has his turn.
   */
  laterTurn(): Promise<void> {
    return new Promise((done) => this.#addLater({ call: done, isPromise: true }));
  }

  #addLater(later: Later): void {
    this.#bulk.push(later);
    if (this.#work === undefined) this.#askForTurn();
  }

  /** Waits for a later turn if the loop is busy: for one of a thousand who may have to do the like at once. */
  turnIfBusy(): Promise<void> | undefined {
    return this.isBusy(this.#clock()) ? this.laterTurn() : undefined;
  }

  /** Does something when it is its turn in that way, or now. Rejects or throws if it throws. */
  inTurn(work: () => void): Promise<void> | void {
    const turn = this.turnIfBusy();
    return turn === undefined ? work() : turn.then(work);
  }

  #askForTurn(): void {
    if (this.#isClosed || this.#isAskedFor) return;
    this.#isAskedFor = true;
    const pipe = this.#pipe;
    if (pipe === undefined) return this.#planWork();
    pipe.turn().then(this.#planWork, () => {
      this.#pipe = undefined;
      pipe.close();
      this.#planWork();
    });
  }

  /** The loop has looked at its sockets: what others have sent is read before anybody is called. */
  readonly #planWork = (): void => {
    if (this.#isClosed) return;
    if (this.#pipe !== undefined) this.noteLook(this.#clock());
    this.#work = setImmediate(this.#callAll);
  };

  /** Calls nobody any more. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearImmediate(this.#turnEnd);
    clearImmediate(this.#work);
    this.#atEnd = [];
    this.#callbacks = [];
    this.#bulk = [];
    await this.#opening;
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  readonly #endTurn = (): void => {
    clearImmediate(this.#turnEnd);
    this.#turnEnd = undefined;
    this.#isEndPlanned = this.#isReading = false;
    if (this.#work === undefined) this.#hasLooked = false;
    const callbacks = this.#atEnd, nowMs = this.#clock();
    this.#atEnd = [];
    for (const callback of callbacks) callback(nowMs);
  };

  readonly #callAll = (): void => {
    this.#isAskedFor = false;
    if (!this.#hasLooked) this.#lookedMs = this.#clock();
    if (this.#turnEnd !== undefined) this.#endTurn();
    this.#work = undefined;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
    if (this.#bulk.length === 0) return void (this.#hasLooked = false);
    this.#bulkUntilMs = 0;
    this.#letGoLeft = MAX_LET_GO;
    this.#goOn();
  };

  /**
   * Goes on with who is in no hurry, once all is done that what was just done sets off: its time counts. A
   * tick that a tick asks for would come before that; one that is asked for behind it comes after all of it.
   */
  readonly #goOn = (): void => queueMicrotask(() => nextTick(this.#callSome));

  readonly #callSome = (): void => {
    if (this.#isClosed) return;
    let nowMs = this.#clock();
    this.#bulkUntilMs ||= nowMs + clamp(this.#lookedMs + MAX_BUSY_MS - nowMs, MIN_BULK_MS, BULK_MS);
    while (nowMs < this.#bulkUntilMs && this.#letGoLeft > 0 && this.#bulk.length > 0) {
      const later = this.#bulk.shift()!;
      later.call();
      if (later.isPromise) {
        this.#letGoLeft--;
        return this.#goOn();
      }
      nowMs = this.#clock();
    }
    this.#hasLooked = false;
    if (this.#bulk.length > 0) this.#askForTurn();
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** A connection of this process with itself. */
class Pipe {
  readonly #reader: Deno.Conn;
  readonly #writer: Deno.Conn;
  readonly #buffer = new Uint8Array(1);
  #isClosed = false;

  private constructor(reader: Deno.Conn, writer: Deno.Conn) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Rejects if it is not allowed to, without asking anybody, or if it can't. */
  static async open(): Promise<Pipe> {
    const permission = await Deno.permissions.query({ name: "net", host: LOOPBACK });
    if (permission.state !== "granted") throw new Deno.errors.NotCapable("it would have to be asked for");
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const writer = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    const reader = await listener.accept();
    const isOurs = reader.remoteAddr.port === writer.localAddr.port;
    if (isOurs) {
      writer.setNoDelay(true);
      return new Pipe(reader, writer);
    }
    reader.close();
    writer.close();
    throw new Error("somebody else has connected");
  }

  /** Resolves in the turn in which the loop has seen a byte of our own. */
  async turn(): Promise<void> {
    const seen = this.#reader.read(this.#buffer);
    await Promise.all([seen, this.#writer.write(ONE_BYTE)]);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.close();
    this.#writer.close();
  }
}
