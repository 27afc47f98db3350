// What the terminal shows of a game: the world on all but the last rows, who is there, and the status line.
// Paints on a canvas and nothing else.

import type { Canvas } from "./canvas.ts";
import { type Report, rosterLine, statusLine } from "./status.ts";
import type { Ball } from "./walls.ts";
import type { World } from "./world.ts";

/** A terminal with fewer rows than this has none for the roster. */
const MIN_ROWS_WITH_ROSTER = 8;

/**
 * Paints a frame of the game, with the golden balls that lie there, with or without the ghosts of others'
 * balls.
 */
export function paintGame(
  canvas: Canvas,
  world: World,
  gold: Iterable<Ball>,
  report: Report,
  hasGhosts: boolean,
): void {
  const { cols, rows } = canvas;
  const hasRoster = report.roster !== undefined && rows >= MIN_ROWS_WITH_ROSTER;
  const worldRows = rows - (hasRoster ? 2 : 1);
  const ghosts = hasGhosts ? Iterator.from(world.remote).map(({ ghost }) => ghost) : [];
  canvas.balls(
    { col: 0, row: 0, cols, rows: worldRows },
    [["ghost", ghosts], ["other", world.remote], ["gold", gold], ["own", world.local]],
  );
  if (hasRoster) canvas.text({ col: 0, row: worldRows, cols }, rosterLine(report.roster!, cols));
  canvas.text({ col: 0, row: rows - 1, cols }, statusLine(report, cols), "reverse");
}
