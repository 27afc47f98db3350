// The ranges of a log that a reader steps over: its own lines. Pure: offsets and counts.

/** What a range takes in memory, in bytes: three numbers in arrays that have room to grow. */
const RANGE_BYTES = 36;

/** So many ranges that are behind the reader are taken out of the arrays at once. */
const GONE_RANGES = 256;

/** No ranges, for all who have none: most never say anything. */
const NONE: number[] = [];

/** Is told how many bytes of memory more are in use, or fewer if negative. */
export interface RangeMemory {
  grow(bytes: number): void;
}

/** Ranges of offsets with their line counts, in ascending order; neighbours are merged. */
export class OwnRanges {
  readonly #memory: RangeMemory;
  #starts = NONE;
  #ends = NONE;
  #lineCounts = NONE;
  #first = 0;
  /** The start and the end of the first range; Infinity if there is none. */
  start = Infinity;
  end = Infinity;
  /** How many lines and bytes all ranges have together. */
  lines = 0;
  bytes = 0;

  constructor(memory: RangeMemory) {
    this.#memory = memory;
  }

  /** How many ranges there are. */
  get size(): number {
    return this.#starts.length - this.#first;
  }

  /** Adds to the counts alone. */
  count(bytes: number, lines: number): void {
    this.bytes += bytes;
    this.lines += lines;
  }

  push(start: number, end: number, lines: number): void {
    this.count(end - start, lines);
    const last = this.#ends.length - 1;
    if (last >= this.#first && this.#ends[last] === start) {
      this.#ends[last] = end;
      this.#lineCounts[last] += lines;
    } else {
      if (this.#starts === NONE) {
        this.#starts = [];
        this.#ends = [];
        this.#lineCounts = [];
      }
      this.#starts.push(start);
      this.#ends.push(end);
      this.#lineCounts.push(lines);
      this.#memory.grow(RANGE_BYTES);
    }
    this.#readFirst();
  }

  /**
   * Says that the cursor is at `offset` now, within or at the end of the first range; returns the lines that
   * lie behind it.
   */
  passTo(offset: number): number {
    this.bytes -= offset - this.start;
    if (offset < this.end) {
      this.#starts[this.#first] = this.start = offset;
      return 0;
    }
    const lines = this.#lineCounts[this.#first];
    this.lines -= lines;
    if (++this.#first === this.#starts.length) this.forgetPlaces();
    else if (this.#first === GONE_RANGES) this.#compact();
    this.#readFirst();
    return lines;
  }

  clone(): OwnRanges {
    const twin = new OwnRanges(this.#memory);
    if (this.size > 0) {
      twin.#starts = this.#starts.slice(this.#first);
      twin.#ends = this.#ends.slice(this.#first);
      twin.#lineCounts = this.#lineCounts.slice(this.#first);
    }
    twin.#memory.grow(twin.#starts.length * RANGE_BYTES);
    twin.lines = this.lines;
    twin.bytes = this.bytes;
    twin.#readFirst();
    return twin;
  }

  clear(): void {
    this.forgetPlaces();
    this.lines = this.bytes = 0;
  }

  /** Forgets where the ranges are, and keeps the counts. */
  forgetPlaces(): void {
    this.#memory.grow(-this.#starts.length * RANGE_BYTES);
    this.#starts = this.#ends = this.#lineCounts = NONE;
    this.#first = 0;
    this.start = this.end = Infinity;
  }

  #readFirst(): void {
    if (this.#first === this.#starts.length) return;
    this.start = this.#starts[this.#first];
    this.end = this.#ends[this.#first];
  }

  /** Drops the passed ranges from the front of the arrays. */
  #compact(): void {
    for (const array of [this.#starts, this.#ends, this.#lineCounts]) array.splice(0, this.#first);
    this.#memory.grow(-this.#first * RANGE_BYTES);
    this.#first = 0;
  }
}
