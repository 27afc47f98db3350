// The chart of two minutes: lines in and out a second, as a drawing. Kept and changed, not made anew, each
// second.

import { svg } from "../shared/dom.ts";
import { count } from "../shared/format.ts";
import { roundUp } from "../../example/error_graph.ts";
import type { Rate } from "./board.ts";

/** How much is shown, in seconds. */
export const CHART_SECONDS = 120;

/** Room for the numbers on the left, the times below and half a line of text above, in pixels. */
const LEFT = 54;
const BOTTOM = 24;
const TOP = 10;

/** Where the lines of the grid are, from the bottom to the top, and the times below them, in seconds ago. */
const HEIGHTS = [0, 0.5, 1];
const TIMES = [CHART_SECONDS, 90, 60, 30, 0];

/** A chart that can be put into the page. */
export class Chart {
  readonly element: SVGSVGElement;
  readonly #area = svg("path", { class: "area" });
  readonly #out = svg("path", { class: "out" });
  readonly #in = svg("path", { class: "in" });
  readonly #grid = HEIGHTS.map(() => svg("line", { class: "grid", x1: LEFT }));
  readonly #labels = HEIGHTS.map(() => svg("text", { x: LEFT - 8, "text-anchor": "end" }));
  readonly #times = TIMES.map((seconds) =>
    svg("text", { "text-anchor": "middle" }, seconds === 0 ? "now" : `−${seconds} s`)
  );
  #width = 0;
  #height = 0;

  constructor() {
    this.element = svg(
      "svg",
      { role: "img" },
      ...this.#grid,
      ...this.#labels,
      ...this.#times,
      this.#area,
      this.#out,
      this.#in,
    );
  }

  /** Shows rates, the newest on the right. */
  draw(rates: readonly Rate[]): void {
    this.#fit();
    const most = roundUp(Math.max(1, ...rates.map((rate) => Math.max(rate.in, rate.out))));
    const line = (of: (rate: Rate) => number) =>
      rates.map((rate, i) =>
        `${i === 0 ? "M" : "L"}${this.#x(rates.length - 1 - i).toFixed(1)} ${
          this.#y(of(rate) / most).toFixed(1)
        }`
      ).join("");
    const out = line((rate) => rate.out);
    this.#out.setAttribute("d", out);
    this.#in.setAttribute("d", line((rate) => rate.in));
    this.#area.setAttribute(
      "d",
      out === ""
        ? ""
        : `${out}L${this.#x(0)} ${this.#y(0)}L${this.#x(rates.length - 1).toFixed(1)} ${this.#y(0)}z`,
    );
    HEIGHTS.forEach((share, i) =>
      this.#labels[i].textContent = most * share % 1 === 0 ? count(most * share) : ""
    );
    const last = rates.at(-1) ?? { in: 0, out: 0 };
    this.element.setAttribute(
      "aria-label",
      `Lines a second over two minutes: now ${count(last.in)} in and ${count(last.out)} out, at most ${
        count(Math.max(0, ...rates.map((rate) => rate.out)))
      } out`,
    );
  }

  /** Takes the size that the page gives it. */
  #fit(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === this.#width && clientHeight === this.#height) return;
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.element.setAttribute("viewBox", `0 0 ${clientWidth} ${clientHeight}`);
    HEIGHTS.forEach((share, i) => {
      set(this.#grid[i], { x2: clientWidth, y1: this.#y(share), y2: this.#y(share) });
      set(this.#labels[i], { y: this.#y(share) + 4 });
    });
    TIMES.forEach((seconds, i) => set(this.#times[i], { x: this.#x(seconds), y: clientHeight - 4 }));
  }

  #x(secondsAgo: number): number {
    return this.#width - 16 - secondsAgo / CHART_SECONDS * (this.#width - LEFT - 32);
  }

  #y(share: number): number {
    return this.#height - BOTTOM - share * (this.#height - BOTTOM - TOP);
  }
}

function set(element: Element, attributes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
}
