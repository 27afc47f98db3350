// One picture for a terminal while it is being painted: cells with a character and a style. Paints balls,
// text and single cells. Each cell holds two pixels, one above the other (half blocks). Pure; knows where
// things go only as far as it is told.

import { type Ball, HEIGHT, RADIUS, WIDTH } from "./walls.ts";

/** The size of a terminal in character cells. */
export interface Size {
  cols: number;
  rows: number;
}

/** A part of the terminal. */
export interface Area extends Size {
  col: number;
  row: number;
}

/** Ways to write text: plain, or in reverse video, which tells it from the world. */
export type TextStyle = "plain" | "reverse";

/**
 * What ball a pixel shows: ours, another's, only where an event put that, or the golden one. What is painted
 * later lies on top.
 */
export type Kind = "other" | "own" | "ghost" | "gold";

/** What a pixel shows; 0 is nothing. */
const PIXELS: Readonly<Record<Kind, number>> = { other: 1, own: 2, ghost: 3, gold: 4 };

/**
 * The colours of those pixels (SGR, foreground): own balls are yellow, everybody else's are blue-green,
 * ghosts grey, the golden one is white.
 */
const COLOURS = [0, 96, 93, 90, 97];

/** What else may be coloured: a graph, green. */
export const GRAPH_COLOUR = "92";

/** From the colour of a character to the same as its background. */
const BACKGROUND = 10;

/**
 * Without colours, by upper and lower pixel: own balls are solid, the others' are shaded, ghosts are dots,
 * the golden one has stars.
 */
const SHADES = [
  [" ", "░", "▄", ".", "*"],
  ["░", "▒", "▄", "░", "*"],
  ["▀", "▀", "█", "▀", "*"],
  [".", "░", "▄", ":", "*"],
  ["*", "*", "*", "*", "*"],
];

const REVERSE = "7";

const STYLES: readonly string[] = stylesOf(COLOURS);
const STYLE_UNIT = 2 ** 21; // above every code point
const BLANK = " ".codePointAt(0)!;

/** A picture of `cols` x `rows` cells, blank at first. */
export class Canvas implements Size {
  readonly cols: number;
  readonly rows: number;
  /** Row by row; a cell is a character's code point plus the number of its style times 2^21. */
  readonly cells: Uint32Array;
  readonly #isColoured: boolean;

  constructor({ cols, rows }: Size, isColoured: boolean) {
    this.cols = cols;
    this.rows = rows;
    this.cells = new Uint32Array(cols * rows).fill(BLANK);
    this.#isColoured = isColoured;
  }

  /**
   * Fills an area with the world, whatever its shape, and with balls in layers, the lowest first; balls stay
   * round.
   */
  balls(area: Area, layers: readonly (readonly [kind: Kind, balls: Iterable<Ball>])[]): void {
    if (area.cols < 1 || area.rows < 1) return;
    const pixels = new Uint8Array(area.cols * area.rows * 2);
    for (const [kind, balls] of layers) {
      for (const ball of balls) disc(pixels, area.cols, ball, PIXELS[kind]);
    }
    for (let row = 0; row < area.rows; row++) {
      for (let col = 0; col < area.cols; col++) {
        const upper = 2 * row * area.cols + col;
        const at = (area.row + row) * this.cols + area.col + col;
        this.cells[at] = this.#halves(pixels[upper], pixels[upper + area.cols]);
      }
    }
  }

  /** Writes text into an area's first row, cut or filled up to its width. */
  text({ col, row, cols }: Omit<Area, "rows">, text: string, style: TextStyle = "plain"): void {
    const line = [...printable(text)].slice(0, cols).join("").padEnd(cols);
    for (let i = 0; i < cols; i++) this.put(col + i, row, line[i], style === "reverse" ? REVERSE : "");
  }

  /**
   * Writes one character that is one column wide, plain, in reverse video (7) or, if there are colours, in
   * one of ours.
   */
  put(col: number, row: number, character: string, sgr = ""): void {
    const shown = this.#isColoured || sgr === REVERSE ? sgr : "";
    this.cells[row * this.cols + col] = cell(character, shown);
  }

  #halves(upper: number, lower: number): number {
    if (upper === 0 && lower === 0) return BLANK;
    if (!this.#isColoured) return cell(SHADES[upper][lower], "");
    if (upper === lower) return cell("█", `${COLOURS[upper]}`);
    if (upper === 0) return cell("▄", `${COLOURS[lower]}`);
    return cell("▀", lower === 0 ? `${COLOURS[upper]}` : `${COLOURS[upper]};${COLOURS[lower] + BACKGROUND}`);
  }
}

/** Returns the character of a cell, and its style as SGR. */
export function readCell(cell: number): [character: string, sgr: string] {
  return [String.fromCodePoint(cell % STYLE_UNIT), STYLES[Math.floor(cell / STYLE_UNIT)]];
}

/** A cell that shows nothing. */
export const BLANK_CELL = BLANK;

/** Sets the pixels of a round ball; what lies outside is left out. */
function disc(pixels: Uint8Array, cols: number, ball: Ball, value: number): void {
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
 * Replaces what a terminal might not show in exactly one column: only ASCII and Europe's letters are sure.
 */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00c0-\u024f]/gu, "?");
}

function cell(character: string, sgr: string): number {
  return character.codePointAt(0)! + STYLES.indexOf(sgr) * STYLE_UNIT;
}

function stylesOf(colours: readonly number[]): string[] {
  const foregrounds = colours.slice(1);
  const both = foregrounds.flatMap((above) =>
    foregrounds.filter((below) => below !== above).map((below) => `${above};${below + BACKGROUND}`)
  );
  return ["", REVERSE, GRAPH_COLOUR, ...foregrounds.map(String), ...both];
}
