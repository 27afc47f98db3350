// What an operator is told: the form of a log line.

/** How important a log line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes one log line: a fact in lower case, and what belongs to it. */
export type LogFunction = (
  level: LogLevel,
  message: string,
  fields?: Record<string, string | number>,
) => void;
