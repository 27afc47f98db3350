// Two worlds in one process: one owns the balls, the other sees them over a simulated network. As both are
// here, how far off the second one's picture is can be told at every frame. No relay, no terminal; time is
// passed in.

import { rateLimit } from "../client.ts";
import type { SimulationOptions } from "../motion.ts";
import { ErrorHistory } from "./error_history.ts";
import { type Drawing, STRATEGIES } from "./remote_balls.ts";
import { SimulatedWire } from "./simulated_wire.ts";
import { World, type WorldOptions } from "./world.ts";

export interface SplitOptions extends WorldOptions {
  /** How often each ball is sent, times a second. */
  hz: number;
  network: SimulationOptions;
}

/** A sender and a receiver, and the network between them. */
export class Split {
  /** Has the balls: what is true. */
  readonly sender: World;
  /** Sees them: what is drawn. Its `drawing` may be changed. */
  readonly receiver: World;
  readonly errors = new ErrorHistory();
  /** Events put into the network, and taken out of it. */
  sent = 0;
  received = 0;

  readonly #wire: SimulatedWire;
  readonly #isTimeToSend: () => boolean;
  #nowMs: number;
  #drawing: Readonly<Drawing>;

  constructor({ hz, network, ...options }: SplitOptions, nowMs: number) {
    this.#nowMs = nowMs;
    this.sender = new World(options);
    this.receiver = new World({ ...options, prefix: "receiver", balls: 0 });
    this.#drawing = this.receiver.drawing;
    this.#wire = new SimulatedWire(network, nowMs);
    this.#isTimeToSend = rateLimit(hz, () => this.#nowMs);
  }

  /** Plays on to `nowMs`, `seconds` after the step before. */
  step(seconds: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.sender.step(seconds, nowMs);
    if (this.#isTimeToSend()) this.#send();
    for (const event of this.#wire.receive(nowMs)) {
      this.receiver.receive(event, nowMs);
      this.received++;
    }
    this.receiver.step(seconds, nowMs);
    this.#markChange();
    this.errors.note(this.#distances(), nowMs);
  }

  /** How long before now the drawn balls are, in milliseconds, on average. */
  get delayMs(): number {
    let sum = 0;
    for (const { delayMs } of this.receiver.remote) sum += delayMs;
    return sum / Math.max(1, this.receiver.remoteCount);
  }

  #send(): void {
    this.#wire.send(this.sender.local.map((ball) => ball.toEvent({ t: this.#nowMs })), this.#nowMs);
    this.sent += this.sender.local.length;
  }

  #markChange(): void {
    const { drawing } = this.receiver;
    if (drawing.strategy !== this.#drawing.strategy) {
      this.errors.mark(`${STRATEGIES.indexOf(drawing.strategy) + 1}`);
    } else if (drawing.walls !== this.#drawing.walls) this.errors.mark("w");
    this.#drawing = drawing;
  }

  *#distances(): Iterable<number> {
    const truth = new Map(this.sender.local.map((ball) => [ball.id, ball]));
    for (const { id, x, y } of this.receiver.remote) {
      const ball = truth.get(id)!;
      yield Math.hypot(x - ball.x, y - ball.y);
    }
  }
}
