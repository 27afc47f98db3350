// What an operator is told: the form of a log line, and the guard that keeps a log's own trouble out of the
// service.

/** How important a log line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes one log line: a fact in lower case, and what belongs to it. */
export type LogFunction = (
  level: LogLevel,
  message: string,
  fields?: Record<string, string | number>,
) => void;

/**
 * Makes a log that never throws out of one that may: what it throws, or rejects with if it is asynchronous,
 * ends here. The next line that it takes is followed by one that says how many it did not take.
 */
export function guardLog(log: LogFunction): LogFunction {
  let failed = 0;
  const fail = () => {
    failed++;
  };
  const call: LogFunction = (level, message, fields) => {
    const result: unknown = log(level, message, fields);
    if (isThenable(result)) result.then(undefined, fail);
  };
  return (level, message, fields) => {
    try {
      call(level, message, fields);
      const count = failed;
      if (count === 0) return;
      failed = 0;
      call("warn", "log lines failed", { count });
    } catch {
      fail();
    }
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
