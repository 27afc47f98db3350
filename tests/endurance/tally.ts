// Counts for one receiver, as events come, what is missing, doubled and out of order, beside what it was
// told: for runs too long to keep. Pure. Weaker than checker.ts: it looks at each sender's numbers, not at
// the order of the whole room.

/** What one receiver has counted so far. */
export interface Counts {
  received: number;
  /** Missing numbers between two that came, without those that their sender knows to be lost. */
  missing: number;
  /** Of others' events, told as lost. */
  told: number;
  /** Missing and not told. */
  unreported: number;
  doubled: number;
  reordered: number;
}

interface Sender {
  last: number;
  missing: number;
  /** What the sender itself has lost, by its own account: when it was first heard of, and now. */
  forgoneAtFirst: number;
  forgone: number;
  /** Set: the next event may have any higher number. */
  isUncounted: boolean;
}

/** The most numbers of a sender that are remembered to tell doubled from late. */
const REMEMBERED = 256;

/** Counts what one receiver gets. */
export class Tally {
  readonly #senders = new Map<string, Sender>();
  readonly #recent = new Map<string, Set<number>>();
  #received = 0;
  #told = 0;
  #missingOfRetired = 0;
  #doubled = 0;
  #reordered = 0;

  /**
   * Takes an event: the how many-th of its sender it is, and how many the sender knows to have lost before.
   */
  note(from: string, number: number, forgone: number): void {
    this.#received++;
    let sender = this.#senders.get(from);
    if (sender === undefined) {
      sender = { last: number - 1, missing: 0, forgoneAtFirst: forgone, forgone, isUncounted: false };
      this.#senders.set(from, sender);
      this.#recent.set(from, new Set());
    }
    const recent = this.#recent.get(from)!;
    if (number <= sender.last) {
      if (recent.has(number)) this.#doubled++;
      else this.#reordered++;
      return;
    }
    if (!sender.isUncounted) sender.missing += number - sender.last - 1;
    sender.isUncounted = false;
    sender.forgone = Math.max(sender.forgone, forgone);
    sender.last = number;
    recent.add(number);
    if (recent.size > REMEMBERED) recent.delete(recent.values().next().value!);
  }

  /** Takes what the receiver was told to have missed. */
  tell(lines: number): void {
    this.#told += lines;
  }

  /** Notes that a new session began: what was sent between the two can't be counted. */
  restart(): void {
    for (const sender of this.#senders.values()) sender.isUncounted = true;
  }

  /** Notes the last number of a sender, when everything should have come. */
  finish(from: string, number: number, forgone: number): void {
    const sender = this.#senders.get(from);
    if (sender === undefined) return;
    if (!sender.isUncounted) sender.missing += Math.max(0, number - sender.last);
    sender.forgone = Math.max(sender.forgone, forgone);
    sender.last = Math.max(sender.last, number);
  }

  /** Forgets a sender that will not come back, but not what was missing of it. */
  retire(from: string): void {
    const sender = this.#senders.get(from);
    if (sender === undefined) return;
    this.#missingOfRetired += missingOf(sender);
    this.#senders.delete(from);
    this.#recent.delete(from);
  }

  /** What it has counted so far. */
  get counts(): Counts {
    let missing = this.#missingOfRetired;
    for (const sender of this.#senders.values()) missing += missingOf(sender);
    return {
      received: this.#received,
      missing,
      told: this.#told,
      unreported: Math.max(0, missing - this.#told),
      doubled: this.#doubled,
      reordered: this.#reordered,
    };
  }
}

function missingOf({ missing, forgone, forgoneAtFirst }: Sender): number {
  return Math.max(0, missing - (forgone - forgoneAtFirst));
}
