// What one connection sends, dealt with in parts: each chunk waits for its turn in the service queue, and its
// lines for the client's rate. While a chunk waits nothing more is read, so that TCP makes the client wait.
//
//   chunk ─▶ service queue ─▶ sorter, for half a millisecond ─▶ all lines taken: read on
//                  ▲                 │ time is up, or no more lines are allowed
//                  └─────────────────┘

import type { Settings } from "../options.ts";
import type { Timer } from "../timers.ts";
import { LineSorter, type LineSorterSink } from "./line_sorter.ts";
import { RateMeter } from "./rate_meter.ts";
import { amountOf, type Demand, type Served } from "../service_queue.ts";

/** What an {@linkcode Input} needs of the settings. */
export type InputSettings = Pick<
  Settings,
  "maxLineBytes" | "isChecked" | "maxLinesPerSecond" | "clock" | "timers" | "log" | "service"
>;

/** Where an {@linkcode Input} puts the lines. */
export interface InputSink extends LineSorterSink {
  readonly address: string;
  /** Is told each time that some lines were taken. */
  onPart(): void;
  /**
   * Is told each time that lines have to wait, as the client sends more than it may: once a second at least
   * while it does.
   */
  onTooFast(): void;
}

/** The input of one connection. */
export class Input implements Served {
  readonly sorter: LineSorter;
  readonly #sink: InputSink;
  readonly #settings: InputSettings;
  readonly #meter: RateMeter | undefined;
  /** @internal For the service queue. */
  demand: Demand = "little";
  #chunk: Uint8Array | undefined;
  /** Whether the sorter has not seen the chunk. */
  #isFresh = false;
  #onTaken: (() => void) | undefined;
  #untilMs = 0;
  #timer: Timer | undefined;
  #isStopped = false;
  #heardAt: number;
  #midLineSince: number | undefined;
  #lineNumber = 0;

  constructor(sink: InputSink, settings: InputSettings) {
    this.#sink = sink;
    this.#settings = settings;
    this.sorter = new LineSorter(sink, settings, () => this.#mayGoOn());
    this.#heardAt = settings.clock();
    if (settings.maxLinesPerSecond < Infinity) this.#meter = new RateMeter(settings.maxLinesPerSecond);
  }

  /** How long nothing has been heard of the client, in ms: 0 while it is not listened to. */
  silentMs(nowMs: number): number {
    return this.#chunk === undefined ? nowMs - this.#heardAt : 0;
  }

  /**
   * How long the end of a line that was begun has not come, in ms: 0 between lines, and while the client is
   * not listened to.
   */
  midLineMs(nowMs: number): number {
    return this.#chunk === undefined && this.#midLineSince !== undefined ? nowMs - this.#midLineSince : 0;
  }

  /**
   * Takes what was read at `nowMs`. Returns undefined if all its lines were taken at once; otherwise the
   * chunk must be left alone, and nothing be read, until the promise resolves.
   * @param isHello whether the client says hello with it
   */
  take(chunk: Uint8Array, nowMs: number, isHello = false): Promise<void> | undefined {
    if (this.#isStopped) return undefined;
    this.#heardAt = nowMs;
    this.#chunk = chunk;
    this.#isFresh = true;
    this.#lineNumber = this.sorter.lineNumber;
    this.#settings.service.serve(this, nowMs, isHello ? "hello" : amountOf(chunk.length));
    return this.#isTaken() ? undefined : new Promise((done) => this.#onTaken = done);
  }

  /** Takes the clean end: what stands there without an LF is a line. */
  end(): void {
    if (!this.#isStopped) this.sorter.end();
  }

  /** Takes nothing any more: what waits is dropped. */
  stop(): void {
    this.#isStopped = true;
    this.#settings.timers.clearTimeout(this.#timer);
    if (this.#chunk !== undefined) this.#finish();
  }

  /** @internal For the service queue. */
  serve(untilMs: number): boolean {
    if (this.#chunk === undefined) return false;
    this.#untilMs = untilMs;
    const nowMs = this.#meter === undefined ? 0 : this.#settings.clock();
    const allowance = this.#meter?.allowance(nowMs) ?? Infinity;
    if (allowance > 0) this.#sort(this.#chunk, allowance);
    if (this.#isTaken()) return false; // ended by what it said
    if (!this.#isFresh && !this.sorter.isWaiting) {
      this.#finish();
      return false;
    }
    if (this.#meter === undefined || this.#meter.allowance(nowMs) > 0) return true;
    this.#waitForRate(this.#meter.waitMs);
    return false;
  }

  /** @internal For the service queue. */
  onSlowTurn(turnMs: number, ownMs: number): void {
    this.#settings.log("warn", "slow turn", {
      address: this.#sink.address,
      kind: this.sorter.lastKind,
      turnMs: Math.round(turnMs),
      inputMs: Math.round(ownMs),
    });
  }

  #sort(chunk: Uint8Array, maxLines: number): void {
    const { sorter } = this;
    const before = sorter.lineNumber;
    if (this.#isFresh) sorter.push(chunk, maxLines);
    else sorter.resume(maxLines);
    this.#isFresh = false;
    this.#meter?.take(sorter.lineNumber - before);
    this.#sink.onPart();
  }

  #mayGoOn(): boolean {
    return !this.#isStopped && this.#settings.clock() < this.#untilMs;
  }

  #isTaken(): boolean {
    return this.#chunk === undefined;
  }

  /** What the client sends meanwhile stays in the kernel. */
  #waitForRate(ms: number): void {
    const { timers, service, clock } = this.#settings;
    this.#timer = timers.setTimeout(() => service.serveAgain(this, clock()), ms);
    this.#sink.onTooFast();
  }

  #finish(): void {
    this.#chunk = undefined;
    if (this.#onTaken !== undefined) this.#heardAt = this.#settings.clock(); // listened to again
    if (!this.sorter.isMidLine) this.#midLineSince = undefined;
    else if (this.#onTaken !== undefined || this.sorter.lineNumber !== this.#lineNumber) {
      this.#midLineSince = this.#heardAt;
    } else this.#midLineSince ??= this.#heardAt;
    this.#onTaken?.();
    this.#onTaken = undefined;
  }
}
