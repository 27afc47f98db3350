// What the terminal shows of a split game: what is true and what is drawn side by side, the graph of the
// errors below, and the status line. Paints on a canvas and nothing else.

import type { Area, Canvas } from "./canvas.ts";
import { paintErrors } from "./error_graph.ts";
import type { Split } from "./split.ts";
import { type SplitReport, splitStatusLine } from "./status.ts";

/** The graph's share of the rows, and how many it has at most and at least, or none. */
const GRAPH_SHARE = 0.25;
const MAX_GRAPH_ROWS = 9;
const MIN_GRAPH_ROWS = 3;

/** Paints a frame of the split game, with or without the ghosts on the receiver's side. */
export function paintSplit(canvas: Canvas, split: Split, report: SplitReport, hasGhosts: boolean): void {
  const { cols, rows } = canvas;
  const share = Math.min(MAX_GRAPH_ROWS, Math.floor(rows * GRAPH_SHARE));
  const graphRows = share < MIN_GRAPH_ROWS ? 0 : share;
  const worldRows = rows - 1 - graphRows;
  const left: Area = { col: 0, row: 0, cols: Math.floor((cols - 1) / 2), rows: worldRows };
  const right: Area = { ...left, col: left.cols + 1, cols: cols - left.cols - 1 };
  const ghosts = hasGhosts ? Iterator.from(split.receiver.remote).map(({ ghost }) => ghost) : [];
  paintSide(canvas, left, " sender: where they are", [["own", split.sender.local]]);
  paintSide(canvas, right, ` receiver, over ${report.network}`, [
    ["ghost", ghosts],
    ["other", split.receiver.remote],
  ]);
  for (let row = 0; row < worldRows; row++) canvas.put(left.cols, row, "│");
  paintErrors(canvas, { col: 0, row: worldRows, cols, rows: graphRows }, split.errors);
  canvas.text({ col: 0, row: rows - 1, cols }, splitStatusLine(report, cols), "reverse");
}

function paintSide(canvas: Canvas, area: Area, title: string, layers: Parameters<Canvas["balls"]>[1]): void {
  if (area.rows < 1) return;
  canvas.text(area, title);
  canvas.balls({ ...area, row: area.row + 1, rows: area.rows - 1 }, layers);
}
