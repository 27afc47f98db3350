// A line for some members of a room alone, as it is handed to each of them: in parts, so that a short one is
// copied once, to where it waits. Pure.

import { concat } from "../../wire/concat.ts";

/** What there is to know of a letter beside its bytes. */
export interface LetterKind {
  /** How many of its lines are events. */
  readonly lines?: number;
  /** Whether somebody waits for it: it is not skipped. */
  readonly isAnswer?: boolean;
  /** The version of the state that its receiver should have when it gets it. */
  readonly stateVersion?: number;
}

/** The line, with the control lines about it before it; the same object may go to several. */
export class Letter {
  /** How many bytes it has. */
  readonly length: number;
  readonly lines: number;
  readonly isAnswer: boolean;
  readonly stateVersion: number;
  #parts: readonly Uint8Array[];
  #isOwn = false;

  /** @param parts the bytes, complete lines all together; they may change once the letter is delivered */
  constructor(parts: readonly Uint8Array[], { lines = 0, isAnswer = false, stateVersion = 0 }: LetterKind) {
    let length = 0;
    for (const part of parts) length += part.length;
    this.length = length;
    this.lines = lines;
    this.isAnswer = isAnswer;
    this.stateVersion = stateVersion;
    this.#parts = parts;
  }

  /** Copies it to a place in a buffer. */
  copyTo(target: Uint8Array, at: number): void {
    for (const part of this.#parts) {
      if (part.length === 1) target[at] = part[0]; // a call costs more
      else target.set(part, at);
      at += part.length;
    }
  }

  /** All of it in one piece that stays as it is: the same for all who ask. */
  get bytes(): Uint8Array {
    if (!this.#isOwn) {
      this.#parts = [this.#parts.length === 1 ? this.#parts[0].slice() : concat(this.#parts)];
      this.#isOwn = true;
    }
    return this.#parts[0];
  }
}
