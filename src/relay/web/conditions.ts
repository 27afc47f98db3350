// What a request asks for only in part or only if it has changed: tags, dates and ranges (RFC 9110, sections
// 13 and 14). Pure.

import { HttpFault, only, type RequestHead } from "./head.ts";

/** What is known of that which would be answered. */
export interface Version {
  /** Quoted, as it stands in an ETag. */
  tag?: string;
  /** When it was changed, in ms since 1970. */
  changedMs?: number;
}

/**
 * Looks at what the asker has: "had" if that is this version, so that nothing need be sent; a fault if only
 * another one was wanted.
 */
export function conditionOf(head: RequestHead, { tag, changedMs }: Version): "had" | "send" | HttpFault {
  const { fields } = head, match = fields.get("if-match"), noneMatch = fields.get("if-none-match");
  // Dates have whole seconds, and those that are none don't count.
  const changed = changedMs === undefined ? NaN : Math.floor(changedMs / 1000) * 1000;
  if (match !== undefined) {
    if (!names(match, tag, false)) return new HttpFault(412, "This is no version that If-Match names");
  } else if (changed > dateOf(head, "if-unmodified-since")) {
    return new HttpFault(412, "This was changed after the time in If-Unmodified-Since");
  }
  const isHad = noneMatch === undefined
    ? changed <= dateOf(head, "if-modified-since")
    : names(noneMatch, tag, true);
  return isHad ? "had" : "send";
}

/**
 * Whether a list of tags names `tag`, or anything that is there; weak ones count only where that is asked
 * for. A tag may have commas and stars in it.
 */
function names(list: readonly string[], tag: string | undefined, takesWeak: boolean): boolean {
  const text = list.join(",");
  if (text.trim() === "*") return true;
  return Array.from(text.matchAll(/(W\/)?("[^"]*")/g)).some(([, weak, one]) =>
    one === tag && (takesWeak || weak === undefined)
  );
}

/** Reads a date in one of the three forms of HTTP, in ms since 1970; NaN if there is none. */
function dateOf(head: RequestHead, name: string): number {
  const text = only(head, name) ?? "";
  if (!/^[A-Z][a-z]{2,8},? .*[0-9]{2}:[0-9]{2}:[0-9]{2}( |$)/.test(text)) return NaN;
  return Date.parse(text.endsWith(" GMT") ? text : `${text} GMT`);
}

/**
 * A part of what is asked for, both ends included; `whole` where all of it is answered, `none` where no such
 * part exists.
 */
export type Range = { first: number; last: number } | "whole" | "none";

/**
 * Reads which part is asked for, which only a GET may. Several parts at once, and what is not understood, are
 * answered with the whole.
 */
export function rangeOf(head: RequestHead, length: number, tag: string): Range {
  const given = head.fields.get("range");
  if (given?.length !== 1 || head.method !== "GET") return "whole";
  const condition = head.fields.get("if-range");
  if (condition !== undefined && (condition.length !== 1 || condition[0] !== tag)) return "whole";
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(given[0]) ?? [];
  if (from === undefined || from === "" && to === "") return "whole";
  if (from === "") {
    const count = Math.min(Number(to), length);
    return count === 0 ? "none" : { first: length - count, last: length - 1 };
  }
  const first = Number(from), last = to === "" ? length - 1 : Math.min(Number(to), length - 1);
  if (to !== "" && Number(to) < first) return "whole";
  return first >= length ? "none" : { first, last };
}
