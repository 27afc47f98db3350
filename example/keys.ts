// What a terminal sends while somebody types: bytes in, keys out. Keys are characters; arrows, function keys
// and a terminal's answers are escape sequences, whose letters nobody typed. Pure; reads nothing.

const ESCAPE = "\x1b";
const BELL = "\x07";

/**
 * A terminal's answer is shorter; what is longer was typed after an Escape, and must not swallow all that
 * follows.
 */
const MAX_STRING_CHARACTERS = 1024;

/** Where the decoder stands: between keys, or within an escape sequence. */
type State =
  | "key"
  /** Behind ESC. */
  | "escape"
  /** Behind `ESC [`: parameters and intermediates up to the final character. */
  | "control"
  /** Behind `ESC O`, or `ESC [ [` of a Linux console: one more character. */
  | "last"
  /** Behind `ESC ]`, `ESC P`, `ESC X`, `ESC ^`, `ESC _`: text up to `ESC \` or BEL. */
  | "string"
  /** Behind ESC in such a text. */
  | "string-escape";

/** Tells keys from escape sequences, wherever a read has cut them. */
export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #state: State = "key";
  /** Characters since the sequence began. */
  #length = 0;

  /**
   * Returns the keys in `bytes`, in order, each one character; a sequence or a character that is not complete
   * goes on with the next call. The Escape key is none; a key typed with Alt is that key. A control character
   * (Ctrl-C) is a key wherever it comes, and ends the sequence around it.
   */
  take(bytes: Uint8Array): string[] {
    const keys: string[] = [];
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      if (this.#isKey(character)) keys.push(character);
    }
    return keys;
  }

  /** Takes the next character; says whether it is a key. */
  #isKey(character: string): boolean {
    this.#length++;
    if (character === ESCAPE) {
      this.#state = this.#state === "string" ? "string-escape" : "escape";
      this.#length = 0;
      return false;
    }
    const state = this.#state;
    this.#state = "key";
    if (character < " ") return !((state === "string" || state === "string-escape") && character === BELL);
    switch (state) {
      case "key":
        return true;
      case "escape":
        this.#state = afterEscape(character);
        return this.#state === "key";
      case "control":
        if (character === "[" && this.#length === 2) this.#state = "last";
        else if (character < "@") this.#state = "control";
        return character > "~";
      case "last":
        return character > "~";
      case "string":
        if (this.#length < MAX_STRING_CHARACTERS) this.#state = "string";
        return false;
      case "string-escape":
        // Whatever else follows ESC begins anew.
        if (character === "\\") return false;
        this.#state = afterEscape(character);
        return this.#state === "key";
    }
  }
}

/** Returns what begins with ESC and this character. */
function afterEscape(character: string): State {
  if (character === "[") return "control";
  if (character === "O") return "last";
  return "]PX^_".includes(character) ? "string" : "key";
}
