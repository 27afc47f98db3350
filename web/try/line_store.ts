// The lines that the console has: the newest within a limit, those that a filter lets through, and how many
// came. Pure.

/**
 * Who said a line: somebody else, this console, the relay as a control line or complaint, or the page itself.
 */
export type Source = "in" | "own" | "control" | "bad" | "note";

/** A line as it is shown. */
export interface Entry {
  timeMs: number;
  source: Source;
  text: string;
}

/** The most lines that are kept, and how many characters they may have together. */
export const MAX_ENTRIES = 2000;
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** The newest lines. */
export class LineStore {
  #entries: Entry[] = [];
  #characters = 0;
  /** All lines that were ever added. */
  total = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Adds a line; the oldest give way. */
  add(entry: Entry): void {
    this.total++;
    this.#entries.push(entry);
    this.#characters += entry.text.length;
    // Half as many again before they go: removing each one alone would cost more than keeping it.
    if (this.#entries.length > 1.5 * MAX_ENTRIES || this.#characters > 1.5 * MAX_CHARACTERS) this.#shrink();
  }

  clear(): void {
    this.#entries = [];
    this.#characters = 0;
  }

  /**
   * The newest `most` lines that have `filter` in them, whatever the case of its letters, the oldest first.
   */
  shown(filter: string, hasControls: boolean, most: number): Entry[] {
    const wanted = filter.trim().toLowerCase();
    const found: Entry[] = [];
    for (let i = this.#entries.length - 1; i >= 0 && found.length < most; i--) {
      const entry = this.#entries[i];
      if (entry.source === "control" && !hasControls) continue;
      if (wanted !== "" && !entry.text.toLowerCase().includes(wanted)) continue;
      found.push(entry);
    }
    return found.reverse();
  }

  #shrink(): void {
    let characters = 0, first = this.#entries.length;
    while (first > 0 && this.#entries.length - first < MAX_ENTRIES) {
      characters += this.#entries[first - 1].text.length;
      if (characters > MAX_CHARACTERS) break;
      first--;
    }
    this.#entries = this.#entries.slice(first);
    this.#characters = this.#entries.reduce((sum, { text }) => sum + text.length, 0);
  }
}
