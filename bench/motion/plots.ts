// Draws the study's plots as SVG with Vega-Lite, which needs no browser for it. Gets data, gives text;
// report.ts writes the files.

import { renderSvg, type TopLevelSpec } from "../svg.ts";
import { DEFAULT_NAME, ENTRIES, GECKOS_NAME, OLD_NAME } from "./contenders.ts";
import { NETWORKS } from "./networks.ts";
import {
  CALM_BOUND_NAME,
  CALM_STRAIGHT_NAME,
  excerpt,
  MAIN_RATE_HZ,
  pooled,
  RATES_HZ,
  type Row,
  scenes,
  type SenderRow,
} from "./study.ts";

/**
 * Which contenders the plots show, and in which colours: those of Okabe and Ito, told apart by the
 * colour-blind.
 */
const COLOURS: Record<string, string> = {
  [OLD_NAME]: "#d55e00",
  [GECKOS_NAME]: "#e69f00",
  "interpolate": "#009e73",
  [DEFAULT_NAME]: "#0072b2",
  [CALM_STRAIGHT_NAME]: "#999999",
  [CALM_BOUND_NAME]: "#000000",
};
const TRUTH = "truth";

/** The font size of facets' headers, in px. */
const HEADER_FONT_SIZE = 13;

function render(spec: TopLevelSpec): Promise<string> {
  return renderSvg(spec, HEADER_FONT_SIZE);
}

function colour(names: readonly string[], extra: Record<string, string> = {}) {
  const all: Record<string, string> = { ...COLOURS, ...extra };
  return {
    field: "name",
    type: "nominal" as const,
    title: null,
    scale: { domain: [...names], range: names.map((name) => all[name]) },
  };
}

/** Plots the error of everything on every path and network at the main rate. */
export function plotErrors(rows: readonly Row[]): Promise<string> {
  const names = Object.keys(COLOURS);
  const values = rows.filter((row) => row.rateHz === MAIN_RATE_HZ && names.includes(row.name))
    // Zero has no place on a logarithmic axis; a hundredth of a pixel can't be seen either.
    .map(({ path, network, name, rmse }) => ({ path, network, name, rmse: Math.max(rmse, 0.02) }));
  const paths = [...new Set(values.map(({ path }) => path))];
  return render({
    title: {
      text: `How far off is what is drawn? ${MAIN_RATE_HZ} updates a second`,
      subtitle:
        "Root mean square distance to where the object is now, in pixels (0.02 and less at the left edge)",
    },
    data: { values },
    facet: {
      row: {
        field: "path",
        type: "nominal",
        title: null,
        sort: paths,
        header: { labelAngle: 0, labelAlign: "left" },
      },
      column: { field: "network", type: "nominal", title: null, sort: NETWORKS.map(({ name }) => name) },
    },
    spec: {
      width: 160,
      height: 100,
      mark: { type: "point", filled: true, size: 70, opacity: 1 },
      encoding: {
        x: {
          field: "rmse",
          type: "quantitative",
          title: "RMSE, px",
          scale: { type: "log", domain: [0.02, 200] },
          axis: { values: [0.1, 1, 10, 100], format: "~g" },
        },
        y: { field: "name", type: "nominal", title: null, sort: names, axis: null },
        color: colour(names),
      },
    },
  });
}

/** Plots the error over the number of updates a second, all paths together. */
export function plotRates(rows: readonly Row[]): Promise<string> {
  const names = Object.keys(COLOURS);
  const values = NETWORKS.flatMap((network) =>
    RATES_HZ.flatMap((rateHz) =>
      names.map((name) => ({
        network: network.name,
        rateHz,
        name,
        rmse: pooled(rows, network.name, rateHz, name),
      }))
    )
  );
  return render({
    title: {
      text: "Does sending more often help?",
      subtitle: "Root mean square error to the truth now, all paths together",
    },
    data: { values },
    facet: { field: "network", type: "nominal", title: null, sort: NETWORKS.map(({ name }) => name) },
    columns: 2,
    spec: {
      width: 260,
      height: 170,
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "rateHz", type: "quantitative", title: "updates a second", axis: { values: RATES_HZ } },
        y: {
          field: "rmse",
          type: "quantitative",
          title: "RMSE, px",
          scale: { type: "log" },
          axis: { format: "~g", tickCount: 4 },
        },
        color: colour(names),
      },
    },
  });
}

/** Plots some seconds of one object: where it is and where it is drawn, and how far off that is. */
export function plotExcerpt(path: string, network: string, fromMs: number, toMs: number): Promise<string> {
  const scene = scenes({ name: path }, NETWORKS.find(({ name }) => name === network)!, MAIN_RATE_HZ)[0];
  const names = [OLD_NAME, GECKOS_NAME, "interpolate", DEFAULT_NAME];
  const values: { s: number; name: string; x: number; off?: number }[] = [];
  for (const name of names) {
    const frames = excerpt(scene, ENTRIES.find((entry) => entry.name === name)!, MAIN_RATE_HZ, fromMs, toMs);
    for (const { s, x, y, truthX, truthY } of frames) {
      if (name === OLD_NAME) values.push({ s, name: TRUTH, x: truthX });
      values.push({ s, name, x, off: Math.hypot(x - truthX, y - truthY) });
    }
  }
  const time = {
    field: "s",
    type: "quantitative" as const,
    title: "seconds",
    scale: { zero: false, nice: false },
  };
  const all = colour([TRUTH, ...names], { [TRUTH]: "#bbbbbb" });
  return render({
    title: { text: `One object: ${path}, ${network}, ${MAIN_RATE_HZ} updates a second` },
    data: { values },
    spacing: 0,
    vconcat: [
      {
        width: 640,
        height: 220,
        layer: [
          {
            transform: [{ filter: `datum.name == '${TRUTH}'` }],
            mark: { type: "line", strokeWidth: 6 },
            encoding: {
              x: time,
              y: { field: "x", type: "quantitative", scale: { zero: false } },
              color: all,
            },
          },
          {
            transform: [{ filter: `datum.name != '${TRUTH}'` }],
            mark: { type: "line", strokeWidth: 1.6 },
            encoding: {
              x: time,
              y: { field: "x", type: "quantitative", title: "x, px", scale: { zero: false } },
              color: all,
            },
          },
        ],
      },
      {
        width: 640,
        height: 140,
        transform: [{ filter: "isValid(datum.off)" }],
        mark: { type: "line", strokeWidth: 1.6 },
        encoding: {
          x: time,
          y: { field: "off", type: "quantitative", title: "distance to the truth, px" },
          color: all,
        },
      },
    ],
  });
}

/** Plots the error over the messages a second, for fixed rates and for `Sender`. */
export function plotSender(rows: readonly SenderRow[]): Promise<string> {
  const values = rows.map(({ path, name, messagesPerSecond, rmse }) => ({
    path,
    messagesPerSecond,
    rmse: Math.max(rmse, 0.01),
    label: name.replace("Sender, ", ""),
    name: name.startsWith("Sender") ? "Sender, by tolerance" : "fixed rate",
  }));
  const kinds = ["fixed rate", "Sender, by tolerance"];
  const at = {
    x: {
      field: "messagesPerSecond",
      type: "quantitative" as const,
      title: "messages a second",
      scale: { domain: [-3, 34] },
      axis: { values: [0, 5, 10, 20, 30] },
    },
    y: {
      field: "rmse",
      type: "quantitative" as const,
      title: "RMSE, px",
      scale: { type: "log" as const },
      axis: { format: "~g", tickCount: 4 },
    },
    color: colour(kinds, { [kinds[0]]: "#d55e00", [kinds[1]]: "#0072b2" }),
  };
  const label = (kind: string, place: { dx: number; dy: number; align: "left" | "right" }) => ({
    transform: [{ filter: `datum.name == '${kind}'` }],
    mark: { type: "text" as const, fontSize: 10, ...place },
    encoding: { ...at, text: { field: "label" } },
  });
  return render({
    title: { text: "Fewer messages at equal error", subtitle: `The default strategy, ${rows[0].network}` },
    data: { values },
    facet: {
      field: "path",
      type: "nominal",
      title: null,
      sort: [...new Set(values.map(({ path }) => path))],
    },
    columns: 2,
    spec: {
      width: 280,
      height: 170,
      layer: [
        { mark: { type: "line", point: true }, encoding: at },
        label("fixed rate", { dx: 6, dy: -8, align: "left" }),
        label("Sender, by tolerance", { dx: -7, dy: 0, align: "right" }),
      ],
    },
  });
}
