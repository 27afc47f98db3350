// A first-in, first-out queue on one array with a moving head: both ends cost O(1), and everything can be
// taken out at once without a copy. It knows no limit.
//
//   items: [ undefined, undefined, c, d, e ]      shift() takes c, push() appends after e
//                                  ^ head

/**
 * The gone items in front of the head that are worth a compaction; below that many it isn't worth the copy.
 */
const MIN_COMPACTION = 64;

/** A first-in, first-out queue without a limit of its own. */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  /** The number of items in the queue. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Appends an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the oldest item out, or returns `undefined` when the queue is empty. */
  shift(): T | undefined {
    const items = this.#items;
    if (this.#head === items.length) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      items.length = 0;
      this.#head = 0;
    } else if (this.#head >= MIN_COMPACTION && this.#head * 2 >= items.length) {
      // Half of the array is gone: what is left moves once for as many shifts as it has items.
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Returns the oldest item and leaves it in the queue, or `undefined` when the queue is empty. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes everything out, oldest first. The array belongs to the caller. */
  takeAll(): T[] {
    const items = this.#items;
    const all = this.#head === 0 ? items : items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return all as T[];
  }

  /** Puts items back in front of the oldest, in the order given. Costs O(length): for rare events. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.takeAll()];
  }
}
