// How far off the drawn balls were of late: the distances of every frame, put together to tenths of a second,
// with marks where something was changed. Pure: time is passed in.

/** The time that one entry stands for, in milliseconds. */
export const ENTRY_MS = 100;

/** How many entries are kept: more than any terminal shows. */
const MAX_ENTRIES = 2_000;

/** How many entries the figures are about: a second. */
const RECENT = 1_000 / ENTRY_MS;

/** A tenth of a second. */
export interface Entry {
  /** Sum of the squared distances, in units squared, how many they are, and the largest. */
  squares: number;
  count: number;
  worst: number;
  /** A character that says what was changed then. */
  mark?: string;
}

/** The errors of the last minutes. */
export class ErrorHistory {
  /** Oldest first; the last is still being filled. */
  readonly entries: Entry[] = [];
  #endMs = -Infinity;
  #mark: string | undefined;

  /** Takes how far each ball of a frame is from where it should be, in units. */
  note(distances: Iterable<number>, nowMs: number): void {
    if (nowMs >= this.#endMs) this.#begin(nowMs);
    const entry = this.entries[this.entries.length - 1];
    for (const distance of distances) {
      entry.squares += distance ** 2;
      entry.count++;
      entry.worst = Math.max(entry.worst, distance);
    }
  }

  /** Marks the moment with a character. */
  mark(character: string): void {
    this.#mark = character;
  }

  /** The figures of the last second: root mean square and largest, in units. */
  get recent(): { rms: number; worst: number } {
    const recent = this.entries.slice(-RECENT);
    const sum = (of: (entry: Entry) => number) => recent.reduce((total, entry) => total + of(entry), 0);
    const count = sum((entry) => entry.count);
    return {
      rms: count === 0 ? 0 : Math.sqrt(sum((entry) => entry.squares) / count),
      worst: recent.reduce((worst, entry) => Math.max(worst, entry.worst), 0),
    };
  }

  #begin(nowMs: number): void {
    // After a pause it goes on from there.
    this.#endMs = (nowMs - this.#endMs > ENTRY_MS ? nowMs : this.#endMs) + ENTRY_MS;
    this.entries.push({ squares: 0, count: 0, worst: 0, mark: this.#mark });
    this.#mark = undefined;
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
  }
}

/** Returns the root mean square of an entry, in units. */
export function rmsOf({ squares, count }: Entry): number {
  return count === 0 ? 0 : Math.sqrt(squares / count);
}
