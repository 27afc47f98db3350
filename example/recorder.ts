// Writes down where our balls are in each frame, as a trace that bench/motion can draw again: a line of JSON
// for each ball and frame.

import type { LocalBall } from "./world.ts";

/** How much is collected before it is written, in characters. */
const WRITE_AT = 64 * 1024;

/** A file that grows frame by frame. What can't be written throws, and ends the game with that. */
export class Recorder implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #startMs: number | undefined;
  #text = "";

  /** Begins a new file in the place of any other of that name. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** Notes where the balls are at `nowMs`, on any clock; times in the file count from the first. */
  note(balls: readonly LocalBall[], nowMs: number): void {
    this.#startMs ??= nowMs;
    const t = rounded(nowMs - this.#startMs, 1);
    for (const { id, x, y, vx, vy } of balls) {
      const line = { id, t, pos: [rounded(x, 2), rounded(y, 2)], vel: [rounded(vx, 1), rounded(vy, 1)] };
      this.#text += JSON.stringify(line) + "\n";
    }
    if (this.#text.length >= WRITE_AT) this.#write();
  }

  /** Writes the rest, and closes the file. */
  [Symbol.dispose](): void {
    try {
      this.#write();
    } finally {
      this.#file.close();
    }
  }

  #write(): void {
    let bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
  }
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
