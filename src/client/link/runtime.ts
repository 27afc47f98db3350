// Where this program runs and what it finds there, asked for at run time: nothing is imported, so the same
// module loads in Deno, Node, Bun and in a page. What is asked for is declared here as narrowly as it is
// used.

/** The longest wait that a timer takes, in ms, wherever it is: with a longer one it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The parts of `location` that say from where a page came. */
export interface PageLocation {
  /** `https:` with its colon. */
  readonly protocol: string;
  readonly hostname: string;
  /** Empty for the usual one of the protocol. */
  readonly port: string;
  /** `"null"` for a file. */
  readonly origin: string;
}

interface Globals {
  Deno?: { connect?: unknown };
  process?: { getBuiltinModule?(name: string): unknown; versions?: { node?: string } };
  location?: PageLocation;
  reportError?(error: unknown): void;
}

/**
 * What opens connections here: Deno's functions, node's modules (in Bun, too), or nothing but WebSockets, as
 * in a page and its workers.
 */
export function runtime(): "deno" | "node" | "page" {
  const { Deno, process } = globalThis as Globals;
  if (typeof Deno?.connect === "function") return "deno";
  return typeof process?.getBuiltinModule === "function" ? "node" : "page";
}

/** A module of node's own, or `undefined` where there is none. */
export function builtinModule<T>(name: string): T | undefined {
  return (globalThis as Globals).process?.getBuiltinModule?.(name) as T | undefined;
}

/**
 * Why the client can't run here, in words that follow a colon; `undefined` if nothing is known against it.
 */
export function runtimeFault(): string | undefined {
  if (typeof Promise.withResolvers === "function") return undefined; // as old as all else that is used
  const node = (globalThis as Globals).process?.versions?.node;
  return node === undefined
    ? "this browser is too old, Chrome 119, Firefox 121, Safari 17.4 and newer will do"
    : `this is Node ${node}, 22.3 or newer is needed`;
}

/** From where the page came that this program runs in; `undefined` if it runs in none. */
export function pageLocation(): PageLocation | undefined {
  return runtime() === "page" ? (globalThis as Globals).location : undefined;
}

/**
 * Reports an error that is the program's own, as one that nobody has caught, and returns: what was under way
 * goes on. Node has no `reportError`; there it is thrown after this, as from a callback of node's own.
 */
export function reportUncaught(error: unknown): void {
  const { reportError } = globalThis as Globals;
  if (reportError !== undefined) return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}
