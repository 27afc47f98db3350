// Where a game is seen: on the whole terminal, or as a line a second on stdout. The files that print are this
// one, terminal.ts and main.ts.

import type { Canvas } from "./canvas.ts";
import { STRATEGIES } from "./remote_balls.ts";
import { Output } from "./output.ts";
import { Screen } from "./screen.ts";
import { type Ending, HUNG_UP, Terminal } from "./terminal.ts";
import type { World } from "./world.ts";

/** How long closing waits for a reader of lines, in milliseconds. */
const LAST_LINE_MS = 500;

/** What there is to see. */
export interface Scene {
  /** The world in which the balls of others are drawn as the keys say. */
  readonly world: World;
  /** Paints it as it is now. */
  paint(canvas: Canvas, hasGhosts: boolean): void;
  /** Tells it in a line of `key=value`. */
  record(): string;
  /** Tells what is wrong, if something is. */
  notice(): string | undefined;
}

/** A way to see the game. */
export interface View {
  /** Shows this frame; `isNewSecond` says that there are new rates. */
  show(isNewSecond: boolean): void;
  close(): Promise<void>;
}

/**
 * Shows the scene on the whole terminal, and lets the keys change it; `stop` is told why the game should end.
 */
export function pictureView(scene: Scene, stop: (ending: Ending) => void): View {
  const { world } = scene;
  const screen = new Screen({ colour: !Deno.noColor });
  const terminal = Terminal.open({
    onKey,
    onQuit: quit,
    onHangUp: () => stop({ exitCode: HUNG_UP }),
    onTakenAgain: () => screen.forget(),
  });
  let hasGhosts = false;

  function quit(): void {
    stop({ exitCode: 0 });
  }
  function onKey(key: string): void {
    const strategy = STRATEGIES[Number(key) - 1];
    if (strategy !== undefined) world.drawing = { ...world.drawing, strategy };
    if (key === "w") world.drawing = { ...world.drawing, walls: !world.drawing.walls };
    if (key === "g") hasGhosts = !hasGhosts;
    if (key === "q") quit();
  }
  return {
    show() {
      if (terminal.busy) return;
      terminal.write(screen.draw(terminal.size, (canvas) => scene.paint(canvas, hasGhosts)));
    },
    close: () => terminal.close(),
  };
}

/**
 * Prints a line a second to stdout, and to stderr what is wrong with the connection; what can't be written
 * now is left out. Where nobody reads the lines any more, the game should end, in order.
 */
export function linesView(scene: Scene, stop: (ending: Ending) => void): View {
  const [records, notices] = [new Output(Deno.stdout), new Output(Deno.stderr)];
  let told: string | undefined;
  return {
    show(isNewSecond) {
      const notice = scene.notice();
      if (notice !== told && !notices.busy) {
        told = notice;
        if (notice !== undefined) void notices.write(`example: ${notice}\n`);
      }
      if (isNewSecond && !records.busy) {
        void print(records, scene.record() + "\n", () => stop({ exitCode: 0 }));
      }
    },
    close: async () => {
      await Promise.all([records.settled(LAST_LINE_MS), notices.settled(LAST_LINE_MS)]);
    },
  };
}

/** Writes a line; `onGone` is called when nobody reads it any more, as with `| head`. */
async function print(output: Output, text: string, onGone: () => void): Promise<void> {
  if (!await output.write(text)) onGone();
}
