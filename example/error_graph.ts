// The graph of errors, in braille: two dots a column, four a row, time runs to the right and ends now. The
// scale fits itself to what is seen. Paints on a canvas.

import { type Area, type Canvas, GRAPH_COLOUR } from "./canvas.ts";
import { ENTRY_MS, type ErrorHistory, rmsOf } from "./error_history.ts";

/**
 * The first of the 256 braille characters, and what each dot of a cell adds to it, by column from the bottom
 * up.
 */
const BRAILLE = 0x2800;
const DOTS = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
const DOTS_PER_ROW = 4;
const DOTS_PER_COL = 2;

/** Paints the newest errors into an area whose first row has the caption and, beyond that, the marks. */
export function paintErrors(canvas: Canvas, { col, row, cols, rows }: Area, errors: ErrorHistory): void {
  if (rows < 2) return;
  const shown = errors.entries.slice(-cols * DOTS_PER_COL);
  const first = cols * DOTS_PER_COL - shown.length;
  const values = shown.map(rmsOf);
  const scale = roundUp(Math.max(...values, 0));
  const seconds = Math.round(cols * DOTS_PER_COL * ENTRY_MS / 1000);
  const caption = ` error, 0 to ${scale} px, the last ${seconds} s `.slice(0, cols);
  const dots = (rows - 1) * DOTS_PER_ROW;
  const cells = new Map<number, number>();
  shown.forEach(({ mark }, i) => {
    const at = first + i, x = Math.floor(at / DOTS_PER_COL);
    if (mark !== undefined) canvas.put(col + x, row, mark, "7");
    // The least error is still a dot: time runs.
    const height = Math.max(1, Math.min(dots, Math.round(values[i] / scale * dots)));
    for (let y = 0; y < height; y++) {
      const cell = x + cols * (rows - 1 - Math.floor(y / DOTS_PER_ROW));
      const dot = DOTS[at % DOTS_PER_COL][y % DOTS_PER_ROW];
      cells.set(cell, (cells.get(cell) ?? 0) | dot);
    }
  });
  canvas.text({ col, row, cols: caption.length }, caption);
  for (const [cell, bits] of cells) {
    const character = String.fromCodePoint(BRAILLE + bits);
    canvas.put(col + cell % cols, row + Math.floor(cell / cols), character, GRAPH_COLOUR);
  }
}

/** Returns the next of 1, 2, 5, 10, 20, 50 … */
export function roundUp(value: number): number {
  for (let unit = 1;; unit *= 10) {
    for (const step of [1, 2, 5]) if (value <= step * unit) return step * unit;
    if (!Number.isFinite(value)) return unit;
  }
}
