// Log lines: a fact and its fields to one line of text or JSON of a bounded length. Pure but for the function
// that takes the line.

import type { LogFunction, LogLevel } from "../relay/log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * How long a line may be, in UTF-16 units, not counting its end: fields that don't fit are left out, and
 * `cut` says how many.
 */
export const MAX_LOG_LINE = 4000;

/**
 * How long the fact or one value may be, in UTF-16 units before they are escaped; the rest is an ellipsis.
 */
const MAX_VALUE = 500;

/** Room for the field `cut` and the end of an object, in UTF-16 units. */
const RESERVED = 100;

/**
 * Makes a function that hands each log line of at least `level` to `write`, without a line end. Whatever the
 * values are, it does not throw.
 */
export function createLogger(
  format: "text" | "json",
  level: LogLevel,
  write: (line: string) => void,
): LogFunction {
  const formatLine = format === "json" ? formatJson : formatText;
  const lowest = LEVELS.indexOf(level);
  return (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) < lowest) return;
    write(formatLine(new Date().toISOString(), level, clip(message), Object.entries(fields ?? {})));
  };
}

type Field = [key: string, value: unknown];

function formatText(time: string, level: LogLevel, message: string, fields: Field[]): string {
  const start = `${time} ${level} ${escapeControls(message)}`;
  return start + join(fields, start.length, (key, value) => ` ${quote(key)}=${quote(value)}`);
}

function formatJson(time: string, level: LogLevel, message: string, fields: Field[]): string {
  const start = escapeControls(JSON.stringify({ time, level, message })).slice(0, -1);
  const pair = (key: string, value: string | number) =>
    `,${escapeControls(JSON.stringify(key))}:${escapeControls(JSON.stringify(value))}`;
  return `${start}${join(fields, start.length, pair)}}`;
}

/** Joins as many fields as a line has room for. */
function join(fields: Field[], used: number, pair: (key: string, value: string | number) => string): string {
  let text = "", cut = 0;
  for (const [key, value] of fields) {
    const field = pair(clip(key), isNumber(value) ? value : clip(value));
    if (used + text.length + field.length + RESERVED > MAX_LOG_LINE) cut++;
    else text += field;
  }
  return cut === 0 ? text : text + pair("cut", cut);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Makes a short text of whatever it is. */
function clip(value: unknown): string {
  let text: string;
  try {
    text = String(value);
  } catch {
    text = "(has no text)";
  }
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE).toWellFormed()}…`;
}

function quote(value: string | number): string {
  const text = String(value);
  return /^[\w.:[\]/+-]+$/.test(text) ? text : escapeControls(JSON.stringify(text));
}

/** Writes as \uXXXX what a terminal could take for a command, or that could turn the direction of text. */
function escapeControls(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
