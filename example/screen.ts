// What one terminal shows, frame after frame. Between two frames only the cells that differ are written, so
// that a slow ssh link survives. Pure: returns strings, writes nothing; what is in a frame is painted by who
// asks for it.
//
//   paint(canvas) ─→ cols x rows cells ─repaint→ escape sequences for what changed

import { BLANK_CELL, Canvas, readCell, type Size } from "./canvas.ts";

export interface ScreenOptions {
  /** Tells own balls from others by colour, else by shape: true. */
  colour?: boolean;
}

/** Draws on one terminal, and remembers what it shows. */
export class Screen {
  readonly #colour: boolean;
  #shown: Canvas | undefined;

  constructor({ colour = true }: ScreenOptions = {}) {
    this.#colour = colour;
  }

  /**
   * Returns what to write to a terminal of this size so that it shows what `paint` paints on a blank canvas;
   * the caller must write it, or call {@linkcode forget}.
   */
  draw(size: Size, paint: (canvas: Canvas) => void): string {
    const canvas = new Canvas(size, this.#colour);
    paint(canvas);
    const text = repaint(this.#shown, canvas);
    this.#shown = canvas;
    return text;
  }

  /** Forgets what the terminal shows: the next frame is written whole. */
  forget(): void {
    this.#shown = undefined;
  }
}

/**
 * Returns the escape sequences that turn a terminal showing `before` into one showing `after`. Without
 * `before`, or when the size has changed, the terminal is cleared first. Nothing changed: an empty string.
 * Leaves plain style behind.
 */
function repaint(before: Canvas | undefined, after: Canvas): string {
  const { cols, cells } = after;
  const isAnew = before?.cols !== cols || before.rows !== after.rows;
  let text = isAnew ? "\x1b[0m\x1b[2J" : "";
  let style = "";
  let cursor = -1; // the cell the terminal would write next
  for (let at = 0; at < cells.length; at++) {
    if (cells[at] === (isAnew ? BLANK_CELL : before!.cells[at])) continue;
    const sameRow = cursor > 0 && cursor % cols !== 0 && Math.floor(cursor / cols) === Math.floor(at / cols);
    if (sameRow && at > cursor) text += `\x1b[${at - cursor}C`;
    else if (at !== cursor || !sameRow) text += `\x1b[${Math.floor(at / cols) + 1};${at % cols + 1}H`;
    const [character, wanted] = readCell(cells[at]);
    if (wanted !== style) text += `\x1b[0${wanted === "" ? "" : `;${wanted}`}m`;
    style = wanted;
    text += character;
    cursor = at + 1;
  }
  return style === "" ? text : text + "\x1b[0m";
}
