// Numbers, times and names for people to read. Pure.

/** Milliseconds: one digit after the point as long as it matters. */
export function milliseconds(ms: number): string {
  return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A length of time, with its two largest units: `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/** A count, three digits wide: `999`, `12.3 k`, `4.56 M`. */
export function count(value: number): string {
  if (value < MOST_SHOWN) return `${Number(value.toFixed(value < 10 ? 1 : 0))}`;
  return withUnit(value, 1000, ["", "k", "M", "G", "T"]);
}

/** Bytes, three digits wide: `999 B`, `12.3 KiB`. */
export function bytes(value: number): string {
  if (value < MOST_SHOWN) return `${Math.round(value)} B`;
  return withUnit(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** What is less than this has three digits or fewer once it is rounded. */
const MOST_SHOWN = 999.5;

function withUnit(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  for (; value >= MOST_SHOWN && unit < units.length - 1; unit++) value /= step;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** The time of day, from milliseconds since 1970. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "" : date.toTimeString().slice(0, 8);
}

/** Before what, and behind what, a joiner is part of a picture or of a script that needs it. */
const PICTURES = "\\p{Extended_Pictographic}";
const SCRIPTS = [
  "Arabic",
  "Syriac",
  "Mongolian",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Oriya",
  "Tamil",
]
  .concat("Telugu", "Kannada", "Malayalam", "Sinhala", "Khmer")
  .map((script) => `\\p{Script=${script}}`).join("");

/** All text that turns the direction of writing, breaks lines or can't be seen… */
const HIDDEN = "[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Cs}\\p{Default_Ignorable_Code_Point}\u2028\u2029]";

/** …but for what belongs to that which stands before it: joiners, kinds of a picture, flags. */
const JOINER = `\u200d(?=${PICTURES}|[\u2640\u2642])`;
const KEPT = [
  `[${PICTURES}\u{1f3fb}-\u{1f3ff}]${JOINER}`,
  `\\p{Emoji}(?:\ufe0e|\ufe0f(?:${JOINER})?)`,
  `[${SCRIPTS}][\u200c\u200d](?=[${SCRIPTS}])`,
  "\\p{Script=Han}[\u{e0100}-\u{e01ef}]",
  "\u{1f3f4}(?:[\u{e0020}-\u{e007e}]+\u{e007f}?|\u{e007f})",
];

/** Looks ahead only: browsers that know no looking behind can say at least that they are too old. */
const KEPT_OR_HIDDEN = new RegExp(`(?!${HIDDEN})(?:${KEPT.join("|")})|(${HIDDEN})`, "gu");

/** How many marks a name may have beside its letters. */
const MAX_NAME_MARKS = 64;

/** More marks above and below one letter than any script has: they would run over the lines around. */
const MANY_MARKS = /([\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu;

/**
 * Text from outside in one line: what turns the direction of writing, breaks lines or can't be seen is shown
 * as its code, and what is longer than `most` characters is cut, as is a tower of marks on one letter. What
 * joins two pictures to one, or letters of a script that needs it, stays.
 */
export function plain(text: string, most = 300): string {
  const enough = 2 * most + MAX_NAME_MARKS;
  const characters = Array.from(text.slice(0, enough).replaceAll(MANY_MARKS, "$1…"));
  const isCut = text.length > enough || characters.length > most;
  const kept = characters.slice(0, most).join("");
  const shown = isCut ? `${kept.replace(/[\u200c\u200d]+$/, "")}…` : kept;
  return shown.replaceAll(KEPT_OR_HIDDEN, (character, hidden: string | undefined) => {
    if (hidden === undefined) return character;
    return hidden === "\t" ? " " : `\\u{${hidden.codePointAt(0)!.toString(16)}}`;
  });
}

/** Letters that are written from right to left. */
const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Keeps a text that stands between others to itself: one from right to left would take the numbers and names
 * beside it along.
 */
export function isolated(text: string): string {
  return LEFTWARD.test(text) ? `\u2068${text}\u2069` : text;
}

/** The name of somebody, or what stands for it. */
export function nameOf(name: unknown, id: unknown): string {
  if (typeof name === "string" && /[^\s\u2800]/.test(name)) return plain(name, 64);
  return typeof id === "string" && id !== "" ? plain(id, 64) : "no name";
}
