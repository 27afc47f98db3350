// Reads recorded motion as a path of the measure: the files in traces/ (their format is in traces/README.md).
// A trace is put on the same grid of steps as the computed paths.

import type { Body } from "./paths.ts";
import { STEPS_HZ } from "./paths.ts";

/** One line of a trace. */
interface Line {
  id: string;
  t: number;
  pos: [number, number];
  vel: [number, number];
}

/** A recorded file: the truth of each of its objects. */
export interface Trace {
  name: string;
  objects: Body[][];
}

/** Reads all traces of a folder, in order of their names. */
export async function readTraces(folder: URL): Promise<Trace[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) if (entry.name.endsWith(".jsonl")) names.push(entry.name);
  const traces: Trace[] = [];
  for (const name of names.sort()) {
    const text = await Deno.readTextFile(new URL(name, folder));
    traces.push({ name: `trace ${name.replace(/\.jsonl$/, "")}`, objects: parseTrace(text) });
  }
  return traces;
}

/** Turns the text of a trace into the truth of its objects at every step, from its first time on. */
export function parseTrace(text: string): Body[][] {
  const lines = new Map<string, Line[]>();
  for (const json of text.split("\n")) {
    if (json === "") continue;
    const line: Line = JSON.parse(json);
    const known = lines.get(line.id);
    if (known === undefined) lines.set(line.id, [line]);
    else known.push(line);
  }
  return [...lines.values()].map(onGrid);
}

/** Draws straight lines between what was recorded; the velocity is that of the line before. */
function onGrid(lines: readonly Line[]): Body[] {
  const bodies: Body[] = [];
  const beginMs = lines[0].t;
  const stepMs = 1000 / STEPS_HZ;
  let k = 0;
  for (let t = beginMs; t <= lines[lines.length - 1].t; t = beginMs + bodies.length * stepMs) {
    while (k + 2 < lines.length && lines[k + 1].t <= t) k++;
    const from = lines[k];
    const to = lines[Math.min(k + 1, lines.length - 1)];
    const share = to.t > from.t ? (t - from.t) / (to.t - from.t) : 0;
    bodies.push({
      x: from.pos[0] + (to.pos[0] - from.pos[0]) * share,
      y: from.pos[1] + (to.pos[1] - from.pos[1]) * share,
      vx: from.vel[0],
      vy: from.vel[1],
      h0: 0,
      h1: 0,
    });
  }
  return bodies;
}
