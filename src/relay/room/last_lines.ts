// The last events of a feed, for people to look at: what is left of them in memory, and no more than a
// little. Pure.

import { isRecord } from "../../wire/untrusted.ts";
import { isControlLine, type Level, LF } from "../../wire/protocol.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** How much of a log's end is looked at, in bytes. */
export const LAST_BYTES = 16 * 1024;

/** How many lines are shown at the most, and how much of each, in characters. */
const MAX_LINES = 50, MAX_LINE_CHARACTERS = 300;

/** An event. */
export interface LastLine {
  /** About when it came, in ms since 1970, where the log tells. */
  time?: number;
  /** The id of who said it, where that is a session and the log tells. */
  from?: string;
  /** As it came, cut where it is long. */
  text: string;
}

/**
 * Reads the end of a feed.
 * @param isWhole whether `bytes` begins where a line does
 */
export function readLastLines(bytes: Uint8Array, isWhole: boolean, level: Level): LastLine[] {
  const lines: LastLine[] = [];
  let time: number | undefined, from: string | undefined;
  let start = isWhole ? 0 : bytes.indexOf(LF) + 1;
  for (let end; (end = bytes.indexOf(LF, start)) >= 0; start = end + 1) {
    if (level === "plain" || !isControlLine(bytes, start)) {
      lines.push({ time, from, text: cut(bytes, start, end) });
      continue;
    }
    const { $time, $from } = readMark(bytes.subarray(start, end));
    if (isRecord($time) && typeof $time.time === "number") time = $time.time;
    if (isRecord($from)) from = typeof $from.id === "string" ? $from.id : undefined;
  }
  return lines.slice(-MAX_LINES);
}

function cut(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeUtf8(bytes.subarray(start, Math.min(end, start + 4 * MAX_LINE_CHARACTERS)));
  const characters = Array.from(text);
  return characters.length <= MAX_LINE_CHARACTERS && end - start <= 4 * MAX_LINE_CHARACTERS
    ? text
    : `${characters.slice(0, MAX_LINE_CHARACTERS).join("")}…`;
}

function readMark(line: Uint8Array): Record<string, unknown> {
  if (line.length > 1000) return {}; // none that is of interest here
  try {
    const control: unknown = JSON.parse(decodeUtf8(line));
    return isRecord(control) ? control : {};
  } catch {
    return {};
  }
}
