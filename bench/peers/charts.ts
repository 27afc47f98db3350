// Draws results as SVG with Vega-Lite, which needs no browser for it. Gets data, gives text; run.ts writes
// the files.

import { renderSvg, type TopLevelSpec } from "../svg.ts";
import { type Cell, HELD_SHARE, Lookup, type Results, type Spread } from "./results.ts";
import { type Group, placeOf } from "./scenarios.ts";

/**
 * Colours of Okabe and Ito, told apart by the colour-blind; ours are the blue ones (the darkest is our own).
 */
const COLOURS: Record<string, string> = {
  "eventrelay": "#0072b2",
  "eventrelay --unchecked": "#56b4e9",
  "eventrelay, sessions": "#004166",
  "redis": "#d55e00",
  "nats-server": "#009e73",
  "mosquitto": "#cc79a7",
  "ncat --broker": "#999999",
  "bare Deno": "#e69f00",
  "bare Deno, WebSocket": "#000000",
  "copy only": "#000000",
  "eventrelay, WebSocket": "#56b4e9",
  "eventrelay, sessions, WebSocket": "#4b8bbe",
  "eventrelay, WebSocket, an event a message": "#a6cee3",
  "Bun, publish": "#e69f00",
  "ws on Node": "#999999",
  "Socket.IO": "#d55e00",
  "Colyseus, RelayRoom": "#f0e442",
  "nats-server, WebSocket": "#009e73",
  "mosquitto, WebSocket": "#cc79a7",
};

/** The font size of facets' headers, in px. */
const HEADER_FONT_SIZE = 12;

function render(spec: TopLevelSpec): Promise<string> {
  return renderSvg(spec, HEADER_FONT_SIZE);
}

interface Point extends Spread {
  name: string;
  scenario: string;
  x: number;
}

/** Collects a figure of all scenarios of a group; those that don't hold their rate may be left out. */
function pointsOf(
  lookup: Lookup,
  group: Group,
  pick: (cell: Cell) => Spread,
  { scale = 1, onlyHeld = false } = {},
): Point[] {
  const points: Point[] = [];
  for (const { name: scenario, title, plan } of lookup.scenarios(group)) {
    for (const { name } of lookup.contenders(group)) {
      const cell = lookup.cell(scenario, name);
      if (cell === null || (onlyHeld && cell.heldShare.median < HELD_SHARE)) continue;
      const { median, low, high } = pick(cell);
      points.push({
        name,
        scenario: title.split(":")[0],
        x: placeOf(plan, group),
        median: median * scale,
        low: low * scale,
        high: high * scale,
      });
    }
  }
  return points;
}

function colourOf(lookup: Lookup) {
  const names = lookup.setting.contenders.map(({ name }) => name).filter((name) => name in COLOURS);
  return {
    field: "name",
    type: "nominal" as const,
    title: null,
    sort: names,
    scale: { domain: names, range: names.map((name) => COLOURS[name]) },
  };
}

/** Bars of the medians with their spread, a panel for each scenario. */
function bars(lookup: Lookup, values: Point[], title: string, subtitle: string): TopLevelSpec {
  const names = lookup.setting.contenders.map(({ name }) => name);
  const y = {
    field: "name",
    type: "nominal" as const,
    title: null,
    sort: names,
    scale: { domain: names },
    axis: null,
  };
  return {
    title: { text: title, subtitle },
    data: { values },
    facet: {
      field: "scenario",
      type: "nominal",
      title: null,
      sort: [...new Set(values.map(({ scenario }) => scenario))],
    },
    columns: 4,
    resolve: { scale: { x: "independent" } },
    spec: {
      width: 170,
      height: 130,
      layer: [
        {
          mark: { type: "bar" },
          encoding: {
            x: { field: "median", type: "quantitative", title: null, axis: { tickCount: 4, format: ".3~f" } },
            y,
            color: colourOf(lookup),
          },
        },
        {
          mark: { type: "rule", strokeWidth: 1.5, color: "#444" },
          encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" }, y },
        },
      ],
    },
  };
}

interface CurveText {
  title: string;
  subtitle: string;
  xTitle: string;
  yTitle: string;
}

/** Lines over the number of something, both axes logarithmic. */
function curve(
  lookup: Lookup,
  values: Point[],
  { title, subtitle, xTitle, yTitle }: CurveText,
): TopLevelSpec {
  return {
    title: { text: title, subtitle },
    data: { values },
    width: 560,
    height: 320,
    mark: { type: "line", point: true },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: xTitle,
        scale: { type: "log", nice: false },
        axis: { values: [...new Set(values.map(({ x }) => x))], format: "," },
      },
      y: {
        field: "median",
        type: "quantitative",
        title: yTitle,
        scale: { type: "log" },
        axis: { format: ".3~f", tickCount: 5 },
      },
      color: colourOf(lookup),
    },
  };
}

/** Draws charts of the groups that were run; returns SVG by name. */
export async function drawCharts(results: Results): Promise<Map<string, string>> {
  const lookup = new Lookup(results);
  const rate = (group: Group) =>
    pointsOf(lookup, group, ({ deliveriesPerSecond }) => deliveriesPerSecond, { scale: 1e-6 });
  const cpu = (group: Group) => pointsOf(lookup, group, ({ cpuUsPerDelivery }) => cpuUsPerDelivery);
  const p99 = pointsOf(lookup, "game", ({ latencyP99Ms }) => latencyP99Ms, { onlyHeld: true });
  const million = "million deliveries/s";
  const fanOut = "One sends, all others receive; 100-byte events";
  const charts = new Map<string, string>();
  const draw = async (name: string, points: Point[], spec: (points: Point[]) => TopLevelSpec) => {
    if (points.length > 0) charts.set(name, await render(spec(points)));
  };
  const drawBars = (name: string, points: Point[], title: string, subtitle: string) =>
    draw(name, points, (values) => bars(lookup, values, title, subtitle));
  const drawCurve = (name: string, points: Point[], text: CurveText) =>
    draw(name, points, (values) => curve(lookup, values, text));

  await drawBars("flood", rate("flood"), "As fast as it goes", "Million deliveries/s of 100-byte events");
  await drawBars("game-cpu", cpu("game"), "Games: CPU", "The server's CPU time per delivery in microseconds");
  await drawBars("game-p99", p99, "Games: latency", "p99 in milliseconds, of those that hold the rate");
  await drawCurve("size", rate("size"), {
    title: "Small and large events",
    subtitle: "One sends, 30 receive",
    xTitle: "bytes of an event",
    yTitle: million,
  });
  await drawCurve("members-rate", rate("members"), {
    title: "Growing rooms: throughput",
    subtitle: fanOut,
    xTitle: "members",
    yTitle: million,
  });
  await drawCurve("members-cpu", cpu("members"), {
    title: "Growing rooms: what a delivery costs",
    subtitle: fanOut,
    xTitle: "members",
    yTitle: "CPU time of the server per delivery, us",
  });
  await drawCurve("rooms", rate("rooms"), {
    title: "Many rooms",
    subtitle: "Rooms of two that send to each other; 100-byte events",
    xTitle: "rooms",
    yTitle: million,
  });
  return charts;
}
