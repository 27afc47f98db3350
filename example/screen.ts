// Turns the world into text for a terminal of any size. Each character cell holds two pixels, one above the other
// (half blocks); the last row is the status line. Between two frames only the cells that differ are written, so that a slow
// ssh link survives. Pure: returns strings, writes nothing. Used by main.ts.
//
//   world 640 x 480  ─compose→  Frame, cols x rows cells  ─repaint→  escape sequences for what changed

import { type Ball, HEIGHT, RADIUS, WIDTH, type World } from "./world.ts";

/** The size of a terminal in character cells. */
export interface Size {
  cols: number;
  rows: number;
}

/** A screenful of cells, row by row; a cell is a character's code point plus its style times 2^21. */
export interface Frame extends Size {
  cells: Uint32Array;
}

/** What a pixel shows; 0 is nothing. */
const OTHER = 1, OWN = 2;

/**
 * The nine kinds of cell, by upper and lower pixel (`3 * upper + lower`): its character and how it is coloured (SGR).
 * Own balls are yellow (93, as background 103), everybody else's are blue-green (96, 106).
 */
const COLOUR_CELLS: readonly [character: string, sgr: string][] = [
  [" ", ""],
  ["▄", "96"],
  ["▄", "93"],
  ["▀", "96"],
  ["█", "96"],
  ["▀", "96;103"],
  ["▀", "93"],
  ["▀", "93;106"],
  ["█", "93"],
];

/** The same without colours: own balls are solid, the others' are shaded. */
const PLAIN_CELLS: readonly [character: string, sgr: string][] = [
  [" ", ""],
  ["░", ""],
  ["▄", ""],
  ["░", ""],
  ["▒", ""],
  ["▄", ""],
  ["▀", ""],
  ["▀", ""],
  ["█", ""],
];

/** Reverse video, with and without colours, so the status line is told from the world. */
const STATUS_SGR = "7";

const STYLES = ["", "96", "93", "96;103", "93;106", STATUS_SGR];
const STYLE_UNIT = 2 ** 21; // above every code point
const BLANK = " ".codePointAt(0)!;

export interface ScreenOptions {
  /** Tells own balls from others by colour, else by shape: true. */
  colour?: boolean;
}

/** Draws the world frame after frame on one terminal, and remembers what the terminal shows. */
export class Screen {
  readonly #cells: Uint32Array;
  #shown: Frame | undefined;

  constructor({ colour = true }: ScreenOptions = {}) {
    this.#cells = Uint32Array.from(
      colour ? COLOUR_CELLS : PLAIN_CELLS,
      ([character, sgr]) => cell(character, sgr),
    );
  }

  /** Returns what to write to the terminal so that it shows `world`; the caller must write it, or call {@linkcode forget}. */
  draw(world: World, status: string, size: Size): string {
    const frame = compose(world, status, size, this.#cells);
    const text = repaint(this.#shown, frame);
    this.#shown = frame;
    return text;
  }

  /** Forgets what the terminal shows: the next frame is written whole. */
  forget(): void {
    this.#shown = undefined;
  }
}

/** Draws `world` and the status line into a new frame. The world fills the terminal whatever its shape; balls stay round. */
function compose(world: World, status: string, { cols, rows }: Size, kinds: Uint32Array): Frame {
  const pixels = new Uint8Array(cols * (rows - 1) * 2);
  // Own balls last: they lie on top.
  for (const ball of world.remote) disc(pixels, cols, ball, OTHER);
  for (const ball of world.local) disc(pixels, cols, ball, OWN);

  const cells = new Uint32Array(cols * rows).fill(BLANK);
  for (let row = 0; row < rows - 1; row++) {
    for (let col = 0; col < cols; col++) {
      const upper = 2 * row * cols + col;
      cells[row * cols + col] = kinds[3 * pixels[upper] + pixels[upper + cols]];
    }
  }
  const line = [...printable(status)].slice(0, cols).join("").padEnd(cols);
  for (let col = 0; col < cols; col++) cells[(rows - 1) * cols + col] = cell(line[col], STATUS_SGR);
  return { cols, rows, cells };
}

/** Sets the pixels of a round ball; what lies outside of the screen is left out. */
function disc(pixels: Uint8Array, cols: number, ball: Ball, value: typeof OWN | typeof OTHER): void {
  const lines = pixels.length / cols;
  const radius = RADIUS * Math.min(cols / WIDTH, lines / HEIGHT);
  const x = ball.x * cols / WIDTH, y = ball.y * lines / HEIGHT;
  const top = Math.max(0, Math.floor(y - radius)), bottom = Math.min(lines - 1, Math.floor(y + radius));
  const left = Math.max(0, Math.floor(x - radius)), right = Math.min(cols - 1, Math.floor(x + radius));
  for (let line = top; line <= bottom; line++) {
    for (let col = left; col <= right; col++) {
      const covered = (col + 0.5 - x) ** 2 + (line + 0.5 - y) ** 2 <= radius ** 2;
      // On a small terminal a ball is smaller than a pixel: the one it is in is always set.
      if (covered || (col === Math.floor(x) && line === Math.floor(y))) pixels[line * cols + col] = value;
    }
  }
}

/**
 * Returns the escape sequences that turn a terminal showing `before` into one showing `after`. Without `before`, or
 * when the size has changed, the terminal is cleared first. Nothing changed: an empty string. Leaves plain style behind.
 */
export function repaint(before: Frame | undefined, after: Frame): string {
  const { cols, cells } = after;
  let text = "";
  if (!before || before.cols !== cols || before.rows !== after.rows) {
    before = { ...after, cells: new Uint32Array(cells.length).fill(BLANK) };
    text = "\x1b[0m\x1b[2J";
  }
  let style = 0;
  let cursor = -1; // the cell the terminal would write next
  for (let at = 0; at < cells.length; at++) {
    if (cells[at] === before.cells[at]) continue;
    const sameRow = cursor > 0 && cursor % cols !== 0 && Math.floor(cursor / cols) === Math.floor(at / cols);
    if (sameRow && at > cursor) text += `\x1b[${at - cursor}C`;
    else if (at !== cursor || !sameRow) text += `\x1b[${Math.floor(at / cols) + 1};${at % cols + 1}H`;
    const wanted = Math.floor(cells[at] / STYLE_UNIT);
    if (wanted !== style) text += `\x1b[0${wanted === 0 ? "" : `;${STYLES[wanted]}`}m`;
    style = wanted;
    text += String.fromCodePoint(cells[at] % STYLE_UNIT);
    cursor = at + 1;
  }
  return style === 0 ? text : text + "\x1b[0m";
}

/** Replaces what a terminal might not show in exactly one column: only ASCII is sure. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "?");
}

function cell(character: string, sgr: string): number {
  return character.codePointAt(0)! + STYLES.indexOf(sgr) * STYLE_UNIT;
}
