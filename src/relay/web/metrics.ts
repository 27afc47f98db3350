// The numbers of a relay for Prometheus: text 0.0.4, or OpenMetrics where that is asked for. Labels never
// name a member or a room, so that there are few series however many come. Pure.

import { VERSION } from "../../wire/version.ts";
import type { RelayView, Tally } from "./view.ts";

/** One number, with its labels. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A number that only grows, or one of now. */
interface Family {
  /** Without what the kind adds to it. */
  name: string;
  kind: "counter" | "gauge";
  help: string;
  samples: readonly Sample[];
}

/** The content types of the two. */
export const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** What the door itself has counted. */
export interface DoorCounts {
  connections: number;
  /** Requests by the status of their answer. */
  requests: Tally;
}

/** Whether an `Accept` prefers OpenMetrics to plain text. */
export function prefersOpenMetrics(accept: readonly string[] | undefined): boolean {
  let open = 0, text = 0;
  for (const item of (accept ?? []).join(",").split(",")) {
    const [type, ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const q = parameters.find((part) => part.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2)) || 0;
    if (type === "application/openmetrics-text") open = Math.max(open, weight);
    else if (type === "text/plain" || type === "text/*" || type === "*/*") text = Math.max(text, weight);
  }
  return open > 0 && open >= text;
}

/** How old what is answered may be, in ms: to count costs something for each member. */
const FRESH_MS = 500;

/** The numbers as text, made anew at most twice a second. */
export class Metrics {
  readonly #write: (isOpen: boolean) => string;
  readonly #clock: () => number;
  readonly #kept = new Map<boolean, { atMs: number; text: string }>();

  constructor(relay: RelayView, door: () => DoorCounts, clock: () => number) {
    this.#write = (isOpen) => writeMetrics(relay, door(), isOpen);
    this.#clock = clock;
  }

  /** Returns them: in OpenMetrics, or in text 0.0.4. */
  text(isOpen: boolean): string {
    const nowMs = this.#clock();
    let kept = this.#kept.get(isOpen);
    if (kept === undefined || nowMs - kept.atMs >= FRESH_MS) {
      this.#kept.set(isOpen, kept = { atMs: nowMs, text: this.#write(isOpen) });
    }
    return kept.text;
  }
}

/** Writes them down. */
function writeMetrics(relay: RelayView, door: DoorCounts, isOpen: boolean): string {
  let text = "";
  for (const { name, kind, help, samples } of families(relay, door)) {
    const full = `eventrelay_${name}`, series = kind === "counter" ? `${full}_total` : full;
    const family = isOpen ? full : series;
    text += `# HELP ${family} ${help}\n# TYPE ${family} ${kind}\n`;
    for (const [labels, value] of samples) text += `${series}${labelText(labels)} ${value}\n`;
  }
  return isOpen ? `${text}# EOF\n` : text;
}

function families(relay: RelayView, door: DoorCounts): Family[] {
  const totals = relay.totals();
  const { usedBytes, maxBytes } = relay.memory();
  const { badLines, refused, ended } = relay.tallies();
  const inAndOut = (inward: number, outward: number): Sample[] => [
    [{ direction: "in" }, inward],
    [{ direction: "out" }, outward],
  ];
  return [
    gauge("build_info", "The version that runs.", [[{ version: VERSION }, 1]]),
    gauge(
      "start_time_seconds",
      "When the relay was started, in seconds since 1970.",
      relay.startedAtMs / 1000,
    ),
    gauge("members", "Connections that take part.", [
      [{ kind: "plain" }, totals.members - totals.sessions],
      [{ kind: "session" }, totals.sessions],
    ]),
    gauge("absent_sessions", "Sessions whose clients are away and may come back.", totals.absentSessions),
    gauge("rooms", "Rooms that somebody is in.", totals.rooms),
    gauge("log_bytes", "Memory that the logs of rooms take.", totals.logBytes),
    gauge("memory_bytes", "Memory that the relay holds for its clients.", usedBytes),
    gauge("memory_limit_bytes", "The most that it may hold for them.", maxBytes),
    gauge("http_connections", "Connections that speak HTTP.", door.connections),
    counter(
      "lines",
      "Lines that came in and were good, and lines that went out.",
      inAndOut(totals.receivedLines, totals.sentLines),
    ),
    counter(
      "bytes",
      "Bytes of members that came in and went out.",
      inAndOut(totals.receivedBytes, totals.sentBytes),
    ),
    counter("skipped_lines", "Lines that members missed because they were behind.", totals.skippedLines),
    counter("bad_lines", "Lines that were refused, by the code of the answer.", byLabel("code", badLines)),
    counter(
      "refused_connections",
      "Connections that were refused, by the code of the answer.",
      byLabel("code", refused),
    ),
    counter("ended_connections", "Connections that have ended, by the reason.", byLabel("reason", ended)),
    counter("http_requests", "Requests that were answered, by the status.", byLabel("code", door.requests)),
  ];
}

function gauge(name: string, help: string, value: number | readonly Sample[]): Family {
  return { name, kind: "gauge", help, samples: samplesOf(value) };
}

function counter(name: string, help: string, value: number | readonly Sample[]): Family {
  return { name, kind: "counter", help, samples: samplesOf(value) };
}

/** One number without labels is one sample. */
function samplesOf(value: number | readonly Sample[]): readonly Sample[] {
  return typeof value === "number" ? [[{}, value]] : value;
}

function byLabel(label: string, tally: Tally): Sample[] {
  return Array.from(tally, ([kind, count]) => [{ [label]: kind }, count]);
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`
  );
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}
