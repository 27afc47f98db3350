// Events that have arrived and wait for the program: one bounded queue that drain() and any number of
// iterators share. Pure: no sockets, no clock, no parsing.
//
//   push(event) ─→ [ oldest … newest ] ─→ takeAll()         every event goes to exactly one taker,
//                   ^ over the limit: out  ─→ iterate()      whoever asks first

import { Queue } from "./link/queue.ts";

/** The sizes an inbox is held to; it drops the oldest events as soon as it is over one of them. */
export interface InboxLimits {
  /** The most events that wait. */
  maxEvents: number;
  /** The most that the sizes given to {@linkcode Inbox.push} may add up to; one event alone may be larger. */
  maxSize: number;
}

/**
 * Who waits for the next event: is given it with its origin, or neither once there is nothing more. Typed as
 * a method is, so that an inbox, and with it a relay object, of some events passes for one of any.
 */
type Waiter<E, O> = { take(next: { event: E; origin: O } | undefined): void }["take"];

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Holds received events until the program takes them, each with its origin: what is known of it beside what
 * it says.
 *
 * Order is the order of arrival. When it is over a limit the oldest go out and are counted in {@linkcode
 * Inbox.dropped}. `takeAll()` and iterators share it: each event goes to exactly one of them. After `close()`
 * nothing gets in any more; what is left can be taken, and iterators end once it is empty.
 */
export class Inbox<E, O = undefined> {
  readonly #limits: InboxLimits;
  readonly #events = new Queue<E>();
  readonly #origins = new Queue<O>();
  readonly #sizes = new Queue<number>();
  readonly #waiters = new Queue<Waiter<E, O>>();
  #size = 0;
  #dropped = 0;
  /**
   * How many more events may wait than `maxEvents`: those that a resume brought at once, until somebody takes
   * them.
   */
  #extra = 0;
  #isClosed = false;

  /** Makes an empty inbox. */
  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** The number of events that wait. */
  get length(): number {
    return this.#events.length;
  }

  /** The number of events that went out unread because a limit was reached. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Adds an event, or hands it to the iterator that has waited longest. Does nothing after `close()`. One
   * that `isExtra` does not count towards the most events that wait, only towards their size. Returns the
   * sizes of what it pushed out, with their number.
   */
  push(
    event: E,
    size: number,
    isExtra = false,
    origin: O = undefined as O,
  ): { events: number; size: number } | undefined {
    if (this.#isClosed) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter({ event, origin });
      return;
    }
    if (isExtra) this.#extra++;
    this.#events.push(event);
    this.#origins.push(origin);
    this.#sizes.push(size);
    this.#size += size;
    const { maxEvents, maxSize } = this.#limits;
    const before = { events: this.#events.length, size: this.#size };
    while (
      this.#events.length > maxEvents + this.#extra || (this.#size > maxSize && this.#events.length > 1)
    ) {
      this.#take();
      this.#dropped++;
    }
    const events = before.events - this.#events.length;
    return events === 0 ? undefined : { events, size: before.size - this.#size };
  }

  /** Takes all events that wait, oldest first; the array belongs to the caller. Costs nothing per event. */
  takeAll(): E[] {
    this.#origins.takeAll();
    return this.#takeEvents();
  }

  /** Takes all events as {@linkcode takeAll} does, each as `make` gives it. */
  takeAllAs<T>(make: (event: E, origin: O) => T): T[] {
    const origins = this.#origins.takeAll();
    return this.#takeEvents().map((event, i) => make(event, origins[i]));
  }

  #takeEvents(): E[] {
    this.#sizes.takeAll();
    this.#size = this.#extra = 0;
    return this.#events.takeAll();
  }

  /**
   * Returns an iterator over the events from now on, those that wait included, each as `make` gives it. It
   * ends after `close()`, once the inbox is empty. Ending it early (`break`) loses nothing: it takes an event
   * only when asked for the next one.
   */
  iterate<T>(make: (event: E, origin: O) => T): AsyncIterableIterator<T, undefined> {
    const own = new Set<Waiter<E, O>>();
    let isOver = false;
    const iterator: AsyncIterableIterator<T, undefined> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => {
        if (!isOver && this.length > 0) {
          if (this.#extra > 0) this.#extra--; // they are the oldest, or will be soon
          const origin = this.#origins.peek() as O;
          return Promise.resolve({ done: false, value: make(this.#take(), origin) });
        }
        if (isOver || this.#isClosed) return Promise.resolve(DONE);
        return new Promise((resolve) => {
          const waiter: Waiter<E, O> = (next) => {
            own.delete(waiter);
            resolve(next === undefined ? DONE : { done: false, value: make(next.event, next.origin) });
          };
          own.add(waiter);
          this.#waiters.push(waiter);
        });
      },
      return: () => {
        isOver = true;
        // A next() that is still pending must not swallow an event that another taker would get.
        this.#waiters.putBack(this.#waiters.takeAll().filter((waiter) => !own.has(waiter)));
        for (const waiter of own) waiter(undefined);
        return Promise.resolve(DONE);
      },
    };
    return iterator;
  }

  /** Lets nothing more in and ends the iterators that wait. What is left can still be taken. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiters.takeAll()) waiter(undefined);
  }

  #take(): E {
    this.#size -= this.#sizes.shift()!;
    this.#origins.shift();
    return this.#events.shift()!;
  }
}
