// Log lines: a fact and its fields to one line of text or JSON. Pure but for the function that takes the
// line.

import type { LogFunction, LogLevel } from "../relay/log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Makes a function that hands each log line of at least `level` to `write`, without a line end. */
export function createLogger(
  format: "text" | "json",
  level: LogLevel,
  write: (line: string) => void,
): LogFunction {
  const formatLine = format === "json" ? formatJson : formatText;
  const lowest = LEVELS.indexOf(level);
  return (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) >= lowest) write(formatLine(new Date().toISOString(), level, message, fields));
  };
}

type Fields = Record<string, string | number>;

function formatText(time: string, level: LogLevel, message: string, fields: Fields): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quote(value)}`);
  return `${time} ${level} ${escapeControls(message)}${pairs.join("")}`;
}

function formatJson(time: string, level: LogLevel, message: string, fields: Fields): string {
  return escapeControls(JSON.stringify({ time, level, message, ...fields }));
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
