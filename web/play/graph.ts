// The graph of how far off balls were drawn: bars of a tenth of a second, the newest on the right. The scale
// fits itself to what is seen.

import { roundUp } from "../../example/error_graph.ts";
import { type ErrorHistory, rmsOf } from "../../example/error_history.ts";

/** How many entries are shown: 20 s. */
const ENTRIES = 200;

/** Paints the newest errors on a canvas. */
export function paintGraph(canvas: HTMLCanvasElement, errors: ErrorHistory): void {
  const scale = devicePixelRatio || 1;
  const size = 0.75 * scale * parseFloat(getComputedStyle(canvas).fontSize);
  const width = canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale));
  const context = canvas.getContext("2d")!;
  const values = errors.entries.slice(-ENTRIES).map(rmsOf);
  const most = roundUp(Math.max(1, ...values));
  const bar = width / ENTRIES;
  context.fillStyle = "#4fd8cb";
  values.forEach((value, i) => {
    const length = Math.max(scale, value / most * height);
    context.fillRect((ENTRIES - values.length + i) * bar, height - length, Math.max(1, bar - 0.5), length);
  });
  context.fillStyle = "#9db5b0";
  context.font = `${size}px system-ui, sans-serif`;
  context.fillText(`up to ${most} px`, 0, size);
}
