// Whether bytes are UTF-8 (RFC 3629), piece by piece: a character may span pieces, and the first byte that
// can't follow is known at once. Pure.

/** Checks one text. */
export class Utf8Check {
  /** How many bytes the character under way still needs, and what the next one may be. */
  #needed = 0;
  #least = 0x80;
  #most = 0xbf;

  /** Whether a character was begun and has not ended. */
  get isMidCharacter(): boolean {
    return this.#needed > 0;
  }

  /** Begins another text. */
  reset(): void {
    this.#needed = 0;
    this.#least = 0x80;
    this.#most = 0xbf;
  }

  /**
   * Checks the next piece of the text, `bytes[start, end)`; returns where the first byte stands that can't be
   * there, `end` if there is none.
   */
  check(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (this.#needed === 0) {
        if (byte >= 0x80 && !this.#begin(byte)) return at;
      } else {
        if (byte < this.#least || byte > this.#most) return at;
        this.#least = 0x80;
        this.#most = 0xbf;
        this.#needed--;
      }
    }
    return end;
  }

  /**
   * Begins a character of two to four bytes: no longer than it has to be, no half of a surrogate pair, none
   * above U+10FFFF.
   */
  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#least = 0xa0;
    else if (byte === 0xed) this.#most = 0x9f;
    else if (byte === 0xf0) this.#least = 0x90;
    else if (byte === 0xf4) this.#most = 0x8f;
    return true;
  }
}
