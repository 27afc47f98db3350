// How many connections and sessions there may be, in all and of one host. A seat belongs to a connection, or
// to a session for as long as it may come back, and is free again when its last holder has let go of it. Who
// finds no seat may wait for a moment: a hello may show that it has one already. Pure.

import type { Settings } from "./options.ts";

/**
 * How many connections may wait for their first line without a seat, beside as many as have one, who may all
 * come back at once; further ones are closed without a word. Pages come that way, too, and who is told that
 * all is full.
 */
const MAX_WAITING = 1000;

/** All seats of a relay. */
export class Seats {
  readonly #limits: Pick<Settings, "maxClients" | "maxClientsPerHost">;
  readonly #takenByHost = new Map<string, number>();
  #taken = 0;
  #waiting = 0;

  constructor(limits: Pick<Settings, "maxClients" | "maxClientsPerHost">) {
    this.#limits = limits;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Gives a connection from `host` a seat, or lets it wait for one; returns undefined if too many wait. */
  enter(host: string): Seat | undefined {
    const seat = new Seat(this, host);
    if (seat.claim() === undefined) return seat;
    if (this.#waiting >= MAX_WAITING + this.#taken) return undefined;
    seat.wait();
    return seat;
  }

  /**
   * @internal Says why there is no seat for a connection from `host`; undefined if there is. Who may come
   * back counts as connected.
   */
  whyFull(host: string): string | undefined {
    const { maxClients, maxClientsPerHost } = this.#limits;
    if (this.#taken >= maxClients) {
      return `${maxClients} clients are connected, no more are allowed`;
    }
    if ((this.#takenByHost.get(host) ?? 0) >= maxClientsPerHost) {
      return `${maxClientsPerHost} clients of ${host} are connected, no more of one host are allowed`;
    }
  }

  /** @internal Counts a seat, or with -1 one that is free again. */
  count(host: string, step: 1 | -1): void {
    this.#taken += step;
    const taken = (this.#takenByHost.get(host) ?? 0) + step;
    if (taken === 0) this.#takenByHost.delete(host);
    else this.#takenByHost.set(host, taken);
  }

  /** @internal Counts one that waits, or with -1 one that does not wait any more. */
  countWait(step: 1 | -1): void {
    this.#waiting += step;
  }
}

/** A seat, or the wait for one. */
export class Seat {
  readonly #seats: Seats;
  #host: string;
  #holders = 1;
  #isTaken = false;
  #isWaiting = false;

  /** @internal Use {@linkcode Seats.enter}. */
  constructor(seats: Seats, host: string) {
    this.#seats = seats;
    this.#host = host;
  }

  /** @internal Waits for one that gets free. */
  wait(): void {
    this.#isWaiting = true;
    this.#seats.countWait(1);
  }

  /** Makes it a seat if it is none yet; returns why it can't. */
  claim(): string | undefined {
    if (this.#isTaken) return undefined;
    const why = this.#seats.whyFull(this.#host);
    if (why !== undefined) return why;
    this.#isTaken = true;
    this.#seats.count(this.#host, 1);
    this.#endWait();
  }

  /** Counts it for another host from now on, even if that has none to give: its holder has moved. */
  moveTo(host: string): void {
    this.#seats.count(this.#host, -1);
    this.#seats.count(host, 1);
    this.#host = host;
  }

  /** Adds a holder. */
  hold(): void {
    this.#holders++;
  }

  /** Takes a holder away. With the last one it is free. */
  drop(): void {
    if (--this.#holders > 0) return;
    if (this.#isTaken) this.#seats.count(this.#host, -1);
    this.#endWait();
  }

  #endWait(): void {
    if (this.#isWaiting) this.#seats.countWait(-1);
    this.#isWaiting = false;
  }
}
