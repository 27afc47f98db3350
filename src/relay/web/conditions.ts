// What a request asks for only in part or only if it has changed: tags, dates and ranges (RFC 9110, sections 13 and 14). Pure.

import type { RequestHead } from "./head.ts";

/** Whether the asker has what carries this tag already. */
export function hasTag(head: RequestHead, tag: string): boolean {
  const given = head.fields.get("if-none-match");
  if (given === undefined) return false;
  const opaque = tag.replace(/^W\//, "");
  return given.join(",").split(",").some((item) => {
    const one = item.trim();
    return one === "*" || one.replace(/^W\//, "") === opaque;
  });
}

/** A part of what is asked for, both ends included; `whole` where all of it is answered, `none` where no such part exists. */
export type Range = { first: number; last: number } | "whole" | "none";

/** Reads which part is asked for. Several parts at once, and what is not understood, are answered with the whole. */
export function rangeOf(head: RequestHead, length: number, tag: string): Range {
  const given = head.fields.get("range");
  if (given?.length !== 1) return "whole";
  const condition = head.fields.get("if-range");
  if (condition !== undefined && (condition.length !== 1 || condition[0] !== tag || tag.startsWith("W/"))) {
    return "whole";
  }
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(given[0]) ?? [];
  if (from === undefined || from === "" && to === "") return "whole";
  if (from === "") {
    const count = Math.min(Number(to), length);
    return count === 0 ? "none" : { first: length - count, last: length - 1 };
  }
  const first = Number(from), last = to === "" ? length - 1 : Math.min(Number(to), length - 1);
  if (to !== "" && Number(to) < first) return "whole";
  return first >= length ? "none" : { first, last };
}
