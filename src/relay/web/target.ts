// The address in a request: which path it means, if that is clear. Whatever can be read in two ways is
// refused. Pure.

import { HttpFault, only, type RequestHead } from "./head.ts";
import { DEFAULT_PORTS, parseHost } from "./who_may.ts";

/** A path, taken apart. */
export interface Target {
  /** As it stands in the request, without its query: what a redirect may repeat. */
  readonly raw: string;
  /**
   * Decoded, from its first slash on; no part of it is `.` or `..`, or has a slash or a control character in
   * it.
   */
  readonly path: string;
  /** The query as it stands there, with its question mark; "" if there is none. */
  readonly search: string;
}

/** Reads the address of a request. */
export function parseTarget(head: RequestHead): Target | HttpFault {
  const relative = relativeTarget(head);
  if (relative instanceof HttpFault) return relative;
  const mark = relative.indexOf("?");
  const raw = mark < 0 ? relative : relative.slice(0, mark);
  if (relative.includes("#")) return new HttpFault(400, "The address has a #");
  const parts: string[] = [];
  for (const part of raw.slice(1).split("/")) {
    const decoded = decode(part);
    // deno-lint-ignore no-control-regex
    if (decoded === undefined || /[\x00-\x1f\x7f/\\]/.test(decoded) || decoded === "." || decoded === "..") {
      return new HttpFault(400, "The address has a part that is not clear");
    }
    parts.push(decoded);
  }
  return {
    raw,
    path: `/${parts.join("/")}`,
    search: mark < 0 ? "" : relative.slice(mark),
  };
}

/**
 * Takes a scheme and a host away, as what passes requests on may write them; they must be the Host's, where
 * there is one.
 */
function relativeTarget(head: RequestHead): string | HttpFault {
  const { target } = head;
  if (target.startsWith("/")) return target;
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(target) ?? [];
  const named = authority === undefined ? undefined : parseHost(authority), hostText = only(head, "host");
  if (named === undefined) {
    return new HttpFault(400, "The address is no path, nor http:// with a host and a path");
  }
  if (hostText !== undefined) { // HTTP/1.0 has none
    const host = parseHost(hostText), standard = DEFAULT_PORTS.get(scheme.toLowerCase());
    if (host?.name !== named.name || (host.port ?? standard) !== (named.port ?? standard)) {
      return new HttpFault(400, "The address and the Host name different hosts");
    }
  }
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
