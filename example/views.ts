// Where a game is seen: on the whole terminal, or as a line a second on stdout. The files that print are this one,
// terminal.ts and main.ts. Used by main.ts.

import { paintGame } from "./game_picture.ts";
import { Screen } from "./screen.ts";
import { type Report, statusRecord } from "./status.ts";
import { Terminal } from "./terminal.ts";
import type { World } from "./world.ts";

/** A way to see the game. */
export interface View {
  /** Shows this frame; `isNewSecond` says that the rates in `report` are new. */
  show(world: World, report: Report, isNewSecond: boolean): void;
  close(): Promise<void>;
}

/** Shows the world on the whole terminal. */
export function pictureView(world: World, quit: () => void): View {
  const screen = new Screen({ colour: !Deno.noColor });
  const terminal = Terminal.open(onKey, quit);

  function onKey(key: string): void {
    if (key === "q") quit();
    if (key === "e") world.extrapolate = world.extrapolate === "none" ? "speed" : "none";
  }
  return {
    show(world, report) {
      if (terminal.busy) return;
      terminal.write(screen.draw(terminal.size, (canvas) => paintGame(canvas, world, report)));
    },
    close: () => terminal.close(),
  };
}

/** Prints a line a second to stdout, and to stderr what is wrong with the connection. */
export function linesView(place: string, quit: () => void): View {
  let told = place;
  return {
    show(_world, report, isNewSecond) {
      const { connection, detail } = report;
      if (detail !== told && detail !== place) {
        console.error(`example: ${detail}${connection === "connected" ? "" : " (trying again)"}`);
      }
      told = detail;
      if (isNewSecond) print(statusRecord(report) + "\n", quit);
    },
    close: () => Promise.resolve(),
  };
}

/** Writes to stdout; `onGone` is called when nobody reads it any more, as with `| head`. */
function print(text: string, onGone: () => void): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  } catch {
    onGone();
  }
}
