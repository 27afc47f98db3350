// A bad network inside of one process: what is put in comes out later, in order, as over the relay's own
// --simulate, whose model this uses. No timer, no clock of its own: time is passed in.

import { Simulation, type SimulationOptions } from "../motion.ts";

/** A one-way line. Its cuts are left out: a session goes on after them, which looks like a stall. */
export class SimulatedWire {
  readonly #simulation: Simulation;
  #waiting: { lines: string[]; arrivesAt: number }[] = [];

  constructor(options: SimulationOptions, nowMs: number) {
    this.#simulation = new Simulation(options, nowMs);
  }

  /** Sends these events together, as JSON: nothing but what JSON keeps comes out. */
  send(events: readonly unknown[], nowMs: number): void {
    if (events.length === 0) return;
    const lines = events.map((event) => JSON.stringify(event));
    const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
    this.#waiting.push({ lines, arrivesAt: this.#simulation.send(bytes, nowMs).arrivesAt });
  }

  /** Takes what has arrived by now, oldest first. */
  receive(nowMs: number): unknown[] {
    const first = this.#waiting.findIndex(({ arrivesAt }) => arrivesAt > nowMs);
    const arrived = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
    return arrived.flatMap(({ lines }) => lines.map((line) => JSON.parse(line)));
  }
}
