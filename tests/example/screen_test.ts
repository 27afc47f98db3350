// The screen of the example, read back through a small terminal of our own that knows the few escape
// sequences the screen uses, and refuses any other.

import assert from "node:assert/strict";
import type { Size } from "../../example/canvas.ts";
import { Screen } from "../../example/screen.ts";
import { HEIGHT, WIDTH } from "../../example/walls.ts";
import { seededRandom } from "../../motion.ts";
import { World } from "../../example/world.ts";

/** Shows what was written: characters, and the style each was written in. */
class TinyTerminal {
  readonly chars: string[][];
  readonly styles: string[][];
  #row = 0;
  #col = 0;
  #style = "";

  constructor(readonly size: Size) {
    this.chars = [];
    this.styles = [];
    this.#clear();
  }

  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [part, args, final] of text.matchAll(/\x1b\[([\d;]*)(\w)|[^\x1b]|\x1b/gu)) {
      const numbers = (args ?? "").split(";").map(Number);
      if (final === "H") [this.#row, this.#col] = [numbers[0] - 1, numbers[1] - 1];
      else if (final === "C") this.#col += numbers[0];
      else if (final === "m") this.#style = (args ?? "").replace(/^0;?/, "");
      else if (final === "J" && args === "2") this.#clear();
      else if (final || part === "\x1b") throw new Error(`unknown sequence ${JSON.stringify(part)}`);
      else this.#put(part);
    }
    assert.equal(this.#style, "", "a frame leaves plain style behind");
  }

  get lines(): string[] {
    return this.chars.map((row) => row.join(""));
  }

  #put(char: string): void {
    const { cols, rows } = this.size;
    assert.ok(
      this.#row < rows && this.#col < cols,
      `wrote outside at ${this.#row},${this.#col} of ${rows},${cols}`,
    );
    this.chars[this.#row][this.#col] = char;
    this.styles[this.#row][this.#col] = this.#style;
    this.#col++;
  }

  #clear(): void {
    for (let row = 0; row < this.size.rows; row++) {
      this.chars[row] = Array(this.size.cols).fill(" ");
      this.styles[row] = Array(this.size.cols).fill("");
    }
  }
}

/** A world with these balls of others, and one own ball when `own` is given. */
function worldWith(others: [x: number, y: number][], own?: [x: number, y: number]): World {
  const world = new World({ prefix: "me", balls: own ? 1 : 0, drawing: { strategy: "hold", walls: true } });
  if (own) [world.local[0].x, world.local[0].y] = own;
  others.forEach((pos, i) => world.receive({ id: `b${i}`, pos, vel: [0, 0] }, 0));
  world.step(0, 0);
  return world;
}

/** Draws the world, and in the last row a text. */
function draw(screen: Screen, world: World, status: string, size: Size): string {
  const rows = size.rows - 1;
  return screen.draw(size, (canvas) => {
    canvas.balls({ col: 0, row: 0, cols: size.cols, rows }, [["other", world.remote], ["own", world.local]]);
    canvas.text({ col: 0, row: rows, cols: size.cols }, status, "reverse");
  });
}

/** 64 x 25: ten units a column, ten units a pixel, so a ball is a disc two pixels wide. */
const SIZE = { cols: 64, rows: 25 };

Deno.test("Screen draws own balls and others' in their colours, at their place", () => {
  const terminal = new TinyTerminal(SIZE);
  terminal.write(draw(new Screen(), worldWith([[500, 400]], [100, 40]), "ok", SIZE));
  const drawn: string[] = [];
  terminal.lines.slice(0, -1).forEach((line, row) =>
    [...line].forEach((char, col) => {
      if (char !== " ") drawn.push(`${col},${row} ${char} ${terminal.styles[row][col]}`);
    })
  );
  // The own ball's centre is where four pixels meet: pixels 9-10 across, 3-4 down, which is half a cell into
  // row 1.
  assert.deepEqual(drawn, [
    "9,1 ▄ 93",
    "10,1 ▄ 93",
    "9,2 ▀ 93",
    "10,2 ▀ 93",
    "49,19 ▄ 96",
    "50,19 ▄ 96",
    "49,20 ▀ 96",
    "50,20 ▀ 96",
  ]);
});

Deno.test("Screen draws an own ball over another's, and both in one cell", () => {
  const terminal = new TinyTerminal(SIZE);
  terminal.write(draw(new Screen(), worldWith([[100, 40], [300, 60]], [100, 40]), "", SIZE));
  assert.ok(!terminal.styles[1].includes("96"));
  const both = new TinyTerminal(SIZE);
  both.write(draw(new Screen(), worldWith([[100, 60]], [100, 40]), "", SIZE));
  assert.equal(both.chars[2][9], "▀");
  assert.equal(both.styles[2][9], "93;106", "yellow above, blue-green below");
});

Deno.test("Screen without colour uses no colour and still tells own balls from others'", () => {
  const screen = new Screen({ colour: false });
  const own = new TinyTerminal(SIZE), other = new TinyTerminal(SIZE);
  own.write(draw(screen, worldWith([], [100, 40]), "", SIZE));
  screen.forget();
  const text = draw(screen, worldWith([[100, 40]]), "", SIZE);
  other.write(text);
  // deno-lint-ignore no-control-regex
  const styles = new Set(text.match(/\x1b\[[\d;]*m/g));
  assert.deepEqual([...styles], ["\x1b[0m", "\x1b[0;7m"]);
  assert.notEqual(own.lines[1].trim(), "");
  assert.notEqual(own.lines[1], other.lines[1]);
});

Deno.test("Screen shows the status in the last row, cut to the width, one character a column", () => {
  const terminal = new TinyTerminal({ cols: 12, rows: 3 });
  const screen = new Screen();
  terminal.write(draw(screen, worldWith([]), "connected | 10 balls", terminal.size));
  assert.equal(terminal.lines[2], "connected | ");
  terminal.write(draw(screen, worldWith([]), "é\x1b]0;x\x07日本🎈\u200b", terminal.size));
  assert.equal(terminal.lines[2], "é?]0;x????? ");
  assert.ok(terminal.styles[2].every((style) => style === "7"));
});

Deno.test("Screen writes nothing when nothing changed, and little when little did", () => {
  const screen = new Screen();
  const whole = draw(screen, worldWith([[100, 100]], [300, 300]), "ok", SIZE);
  assert.equal(whole.split("\x1b[0;7m").length - 1, 1, "the style of the status line is written once");
  assert.equal(draw(screen, worldWith([[100, 100]], [300, 300]), "ok", SIZE), "");
  const step = draw(screen, worldWith([[110, 100]], [300, 300]), "ok", SIZE);
  assert.ok(step.length > 0 && step.length < 100, `${step.length} characters for one ball one column on`);
  screen.forget();
  assert.equal(draw(screen, worldWith([[100, 100]], [300, 300]), "ok", SIZE), whole);
});

Deno.test("Screen's frames, each only what changed, add up to the same picture as a whole one", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const random = seededRandom(seed);
  for (const size of [SIZE, { cols: 7, rows: 4 }, { cols: 131, rows: 47 }]) {
    const terminal = new TinyTerminal(size), screen = new Screen();
    const world = new World({ prefix: "me", balls: 12, random });
    for (let frame = 0; frame < 60; frame++) {
      for (let i = 0; i < 8; i++) {
        // Some of them beyond the walls.
        const pos = [(random() * 1.4 - 0.2) * WIDTH, (random() * 1.4 - 0.2) * HEIGHT];
        if (random() < 0.3) world.receive({ id: `b${i}`, pos, vel: [90, 70] }, frame * 33);
      }
      world.step(0.033, frame * 33);
      const status = `frame ${frame}`;
      terminal.write(draw(screen, world, status, size));
      const whole = new TinyTerminal(size);
      whole.write(draw(new Screen(), world, status, size));
      const where = `seed ${seed}, ${size.cols} x ${size.rows}, frame ${frame}`;
      assert.deepEqual(terminal.chars, whole.chars, where);
      // What a blank cell was written in can't be seen.
      assert.deepEqual(visibleStyles(terminal), visibleStyles(whole), where);
    }
  }
});

Deno.test("Screen draws ghosts below everything, in grey or as dots", () => {
  const world = worldWith([[500, 393.6]]);
  const paint = (screen: Screen) => {
    const terminal = new TinyTerminal(SIZE);
    terminal.write(screen.draw(SIZE, (canvas) => {
      const ghosts = [{ id: "a", x: 300, y: 201.6 }, { id: "b", x: 500, y: 393.6 }];
      canvas.balls({ col: 0, row: 0, ...SIZE }, [["ghost", ghosts], ["other", world.remote]]);
    }));
    return terminal;
  };
  const coloured = paint(new Screen());
  assert.equal(coloured.styles.flat().filter((style) => style === "90").length, 2);
  assert.equal(coloured.styles.flat().filter((style) => style === "96").length, 2);
  const plain = paint(new Screen({ colour: false }));
  assert.equal(plain.lines.join("").replaceAll(" ", ""), "::▒▒");
});

function visibleStyles(terminal: TinyTerminal): string[][] {
  return terminal.styles.map((row, r) =>
    row.map((style, c) => terminal.chars[r][c] === " " && r < terminal.size.rows - 1 ? "" : style)
  );
}

Deno.test("Screen clears and draws anew when the size changes", () => {
  const screen = new Screen(), world = worldWith([[320, 240]], [100, 100]);
  draw(screen, world, "ok", SIZE);
  for (const size of [{ ...SIZE, rows: 24 }, { cols: 30, rows: 24 }, { cols: 24, rows: 30 }]) {
    const terminal = new TinyTerminal(size);
    const text = draw(screen, world, "ok", size);
    assert.ok(text.includes("\x1b[2J"));
    terminal.write(text);
    assert.ok(terminal.lines.slice(0, -1).some((line) => line.trim() !== ""), "balls are drawn");
  }
});

Deno.test("Screen shows every ball on a terminal however small", () => {
  for (
    const size of [{ cols: 1, rows: 1 }, { cols: 1, rows: 2 }, { cols: 3, rows: 2 }, { cols: 10, rows: 3 }]
  ) {
    const terminal = new TinyTerminal(size);
    terminal.write(draw(new Screen(), worldWith([[320, 240]]), "x", size));
    const drawn = terminal.lines.slice(0, -1).join("").trim();
    assert.equal(drawn === "", size.rows === 1, JSON.stringify(size));
  }
});

Deno.test("Screen leaves out balls that are nowhere near, and draws the rest", () => {
  const world = new World({ prefix: "me", balls: 1, drawing: { strategy: "speed", walls: true } });
  world.receive({ id: "far", pos: [1.7e308, -1.7e308], vel: [1.7e308, 1.7e308] }, 0);
  world.receive({ id: "fast", pos: [320, 240], vel: [1.7e308, -1.7e308] }, 0);
  world.step(1, 1000);
  const terminal = new TinyTerminal(SIZE);
  terminal.write(draw(new Screen(), world, "", SIZE));
  assert.ok(terminal.styles.slice(0, -1).flat().includes("93"));
});
