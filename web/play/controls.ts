// What the player wants, from pointer, touch and keys. A pointer that is held draws the ball to it; arrows or
// W A S D push it; keys that are held are forgotten when the page loses the focus, as their end is not seen.

import type { Wish } from "./steering.ts";

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  KeyW: [0, -1],
  KeyS: [0, 1],
};

/** What {@linkcode Controls} need. */
export interface ControlsOptions {
  canvas: HTMLCanvasElement;
  /** Where a point of the page, relative to the canvas, is in the world. */
  worldAt(x: number, y: number): { x: number; y: number };
  /** Is told that a pointer lets go. */
  onRelease(): void;
  /** Is told a key that steers nothing. */
  onKey(key: string): void;
}

/** Watches pointer and keys for as long as the page lives. */
export class Controls {
  readonly #held = new Set<string>();
  readonly #options: ControlsOptions;
  #pointer: { id: number; x: number; y: number } | undefined;

  constructor(options: ControlsOptions) {
    this.#options = options;
    const { canvas } = options;
    canvas.addEventListener("pointerdown", (event) => this.#onPointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.#onPointerMove(event));
    canvas.addEventListener("pointerup", (event) => this.#onPointerEnd(event));
    canvas.addEventListener("pointercancel", (event) => this.#onPointerEnd(event));
    canvas.addEventListener("lostpointercapture", (event) => this.#onPointerEnd(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch would open it
    addEventListener("keydown", (event) => this.#onKeyDown(event));
    addEventListener("keyup", (event) => this.#held.delete(event.code));
    addEventListener("blur", () => this.#held.clear());
  }

  /** What is wanted now; the pointer comes first. */
  get wish(): Wish {
    if (this.#pointer !== undefined) {
      return { kind: "place", ...this.#options.worldAt(this.#pointer.x, this.#pointer.y) };
    }
    if (this.#held.size === 0) return { kind: "none" };
    let x = 0, y = 0;
    for (const code of this.#held) {
      x += DIRECTIONS[code][0];
      y += DIRECTIONS[code][1];
    }
    return { kind: "push", x: Math.sign(x), y: Math.sign(y) };
  }

  #onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || this.#pointer !== undefined) return;
    event.preventDefault();
    const { canvas } = this.#options;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    this.#pointer = { id: event.pointerId, x: event.offsetX, y: event.offsetY };
  }

  #onPointerMove(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer?.id) return;
    this.#pointer = { id: event.pointerId, x: event.offsetX, y: event.offsetY };
  }

  #onPointerEnd(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer?.id) return;
    this.#pointer = undefined;
    this.#options.onRelease();
  }

  #onKeyDown(event: KeyboardEvent): void {
    // Fields, choices and buttons have a use of their own for keys.
    const isElsewhere = event.target instanceof Element &&
      event.target.closest("input, select, textarea, dialog") !== null;
    if (isElsewhere || event.ctrlKey || event.altKey || event.metaKey) return;
    if (Object.hasOwn(DIRECTIONS, event.code)) {
      event.preventDefault(); // arrows would scroll
      this.#held.add(event.code);
    } else if (!event.repeat) this.#options.onKey(event.key);
  }
}
