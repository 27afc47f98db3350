// What was typed before, as a shell keeps it: up and down walk through it, and what is being typed comes back
// at the end. Pure.

/** The most lines that are kept. */
const MAX_TYPED = 200;

/** The lines that were sent. */
export class Typed {
  readonly #lines: string[] = [];
  /** Where we stand: the number of lines for what is being typed. */
  #at = 0;
  #draft = "";

  /** Keeps a line that was sent; the same twice in a row is one. */
  add(line: string): void {
    if (line !== "" && this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MAX_TYPED) this.#lines.shift();
    this.#at = this.#lines.length;
    this.#draft = "";
  }

  /** Goes back by one (-1) or on by one (1) from what stands in the field; undefined if there is no more. */
  move(by: -1 | 1, field: string): string | undefined {
    const next = this.#at + by;
    if (next < 0 || next > this.#lines.length) return undefined;
    if (this.#at === this.#lines.length) this.#draft = field;
    this.#at = next;
    return next === this.#lines.length ? this.#draft : this.#lines[next];
  }
}
