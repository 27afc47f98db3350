// Renders a Vega-Lite chart as the text of an SVG file, in one style for all charts of the benchmarks. Needs
// no DOM.

import * as vega from "npm:vega@6.4.0";
import { compile, type TopLevelSpec } from "npm:vega-lite@6.5.0";

export type { TopLevelSpec };

const CONFIG: TopLevelSpec["config"] = {
  background: "white",
  font: "sans-serif",
  axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridColor: "#e5e5e5" },
  legend: { labelFontSize: 12, titleFontSize: 12, labelLimit: 300 },
  title: { fontSize: 14, anchor: "start", subtitleFontSize: 11.5, subtitleColor: "#555" },
};

/** Renders a chart; `headerFontSize` is that of the headers of its facets, in px. */
export async function renderSvg(spec: TopLevelSpec, headerFontSize: number): Promise<string> {
  const header = { labelFontSize: headerFontSize, titleFontSize: headerFontSize };
  const { spec: compiled } = compile({ config: { ...CONFIG, header }, padding: 10, ...spec });
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `<!-- deno-fmt-ignore-file -->\n${svg}\n`;
}
