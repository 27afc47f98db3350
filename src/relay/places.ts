// How many connections and sessions there may be, in all and of one host. A place belongs to a connection, or
// to a session for as long as it may come back, and is free again when its last holder has let go of it. Who
// finds no place may wait for a moment: a hello may show that it has one already. Pure.

import type { Settings } from "./options.ts";

/**
 * How many connections may wait for their first line without a place; further ones are closed without a word.
 */
const MAX_WAITING = 100;

/** All places of a relay. */
export class Places {
  readonly #limits: Pick<Settings, "maxClients" | "maxClientsPerHost">;
  readonly #takenByHost = new Map<string, number>();
  #taken = 0;
  #waiting = 0;

  constructor(limits: Pick<Settings, "maxClients" | "maxClientsPerHost">) {
    this.#limits = limits;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Gives a connection from `host` a place, or lets it wait for one; returns undefined if too many wait. */
  enter(host: string): Place | undefined {
    const place = new Place(this, host);
    if (place.claim() !== undefined && this.#waiting >= MAX_WAITING) return undefined;
    if (place.isWaiting) this.#waiting++;
    return place;
  }

  /**
   * @internal Says why there is no place for a connection from `host`; undefined if there is. Who may come
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

  /** @internal Counts a place, or with -1 one that is free again. */
  count(host: string, step: 1 | -1): void {
    this.#taken += step;
    const taken = (this.#takenByHost.get(host) ?? 0) + step;
    if (taken === 0) this.#takenByHost.delete(host);
    else this.#takenByHost.set(host, taken);
  }

  /** @internal Counts one that does not wait any more. */
  endWait(): void {
    this.#waiting--;
  }
}

/** A place, or the wait for one. */
export class Place {
  readonly #places: Places;
  #host: string;
  #holders = 1;
  #isTaken = false;

  /** @internal Use {@linkcode Places.enter}. */
  constructor(places: Places, host: string) {
    this.#places = places;
    this.#host = host;
  }

  /** Whether it is none yet. */
  get isWaiting(): boolean {
    return !this.#isTaken;
  }

  /** Makes it a place if it is none yet; returns why it can't. */
  claim(): string | undefined {
    if (this.#isTaken) return undefined;
    const why = this.#places.whyFull(this.#host);
    if (why !== undefined) return why;
    this.#isTaken = true;
    this.#places.count(this.#host, 1);
  }

  /** Counts it for another host from now on, even if that has none to give: its holder has moved. */
  moveTo(host: string): void {
    this.#places.count(this.#host, -1);
    this.#places.count(host, 1);
    this.#host = host;
  }

  /** Adds a holder. */
  hold(): void {
    this.#holders++;
  }

  /** Takes a holder away. With the last one it is free. */
  drop(): void {
    if (--this.#holders > 0) return;
    if (this.#isTaken) this.#places.count(this.#host, -1);
    else this.#places.endWait();
  }
}
