// Which member of a room is its host: the one that has been there longest of those that may be and are
// connected, until it leaves or passes it on. There is one as long as anybody may be. Pure: says who, tells
// nobody.

/** Who may be a host. */
export interface Candidate {
  readonly canHost?: boolean;
  /** Whether it has a connection now. */
  readonly isConnected?: boolean;
}

/** The candidates of a room, and which of them is the host. */
export class Hosts<C extends Candidate> {
  /** Those who may be, the longest there first; who has passed it on stands behind all others. */
  readonly #candidates = new Set<C>();
  #host: C | undefined;

  /** Who is the host; undefined if nobody may be. */
  get host(): C | undefined {
    return this.#host;
  }

  /** Adds who has come; returns whether the host is another one now. */
  add(candidate: C): boolean {
    if (candidate.canHost !== true) return false;
    this.#candidates.add(candidate);
    if (this.#host !== undefined) return false;
    this.#host = candidate;
    return true;
  }

  /** Takes away who has left; returns whether the host is another one now. */
  delete(candidate: C): boolean {
    this.#candidates.delete(candidate);
    if (candidate !== this.#host) return false;
    const [first] = this.#candidates;
    this.#host = this.#findConnected() ?? first;
    return true;
  }

  /**
   * Makes another the host: `to`, or who comes next. Where nobody does, all stays as it is. Returns whether
   * the host is another one now.
   */
  pass(to: C | undefined = this.#findConnected(this.#host)): boolean {
    const from = this.#host;
    if (from === undefined || to === undefined || to === from) return false;
    this.#candidates.delete(from);
    this.#candidates.add(from);
    this.#host = to;
    return true;
  }

  #findConnected(except?: C): C | undefined {
    for (const candidate of this.#candidates) {
      if (candidate !== except && candidate.isConnected === true) return candidate;
    }
  }
}
