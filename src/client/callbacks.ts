// When a program's callbacks are called: not before it has the relay object, which they may use, not after
// what came behind it, nor after close(), but for those that tell what was lost. What they are told comes
// from elsewhere.

import { afterThisTurn } from "./link/after_turn.ts";
import { reportUncaught } from "./link/runtime.ts";

type Callback<A extends unknown[]> = ((...args: A) => void) | undefined;

/** Calls a program's callbacks, in order: those that come too early wait until `open()`. */
export class Callbacks {
  /** The calls that wait; `undefined` once nothing has to. */
  #held: (() => void)[] | undefined = [];
  #cancelHeld: (() => void) | undefined;
  #isClosed = false;

  /**
   * Lets what waits be called after this turn of the event loop: by then the program has the relay object.
   */
  open(): void {
    this.#cancelHeld = afterThisTurn(this.#callHeld);
  }

  /**
   * Calls at once what waits, if `open()` was called: a program that takes events has the relay object, and
   * must not see those of a member before it is told that it came.
   */
  catchUp(): void {
    if (this.#cancelHeld === undefined || this.#held === undefined) return;
    this.#cancelHeld();
    this.#callHeld();
  }

  readonly #callHeld = (): void => {
    const held = this.#held!;
    this.#held = undefined;
    for (const call of held) call();
  };

  /** Calls nothing from now on, but what {@linkcode callToTheEnd} is given. */
  close(): void {
    this.#isClosed = true;
    this.#cancelHeld?.();
    if (this.#cancelHeld !== undefined) this.#held = undefined; // what is lost from now on is told at once
  }

  /** Calls back, or has it wait; does nothing after `close()`. */
  call<A extends unknown[]>(callback: Callback<A>, ...args: A): void {
    if (callback === undefined || this.#isClosed) return;
    if (this.#held === undefined) return callNow(callback, ...args);
    this.#held.push(() => this.#isClosed || callNow(callback, ...args));
  }

  /** Calls back also after `close()`; not a program that never got the relay object. */
  callToTheEnd<A extends unknown[]>(callback: Callback<A>, ...args: A): void {
    if (this.#held === undefined) callNow(callback, ...args);
    else this.call(callback, ...args);
  }
}

/**
 * Calls a program's callback at once. What it throws is the program's own mistake: reported as uncaught,
 * after our work.
 */
export function callNow<A extends unknown[]>(callback: Callback<A>, ...args: A): void {
  try {
    callback?.(...args);
  } catch (error) {
    reportUncaught(error);
  }
}
