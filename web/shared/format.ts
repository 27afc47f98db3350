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
  if (value < 1000) return `${Number(value.toFixed(value < 10 ? 1 : 0))}`;
  const [scaled, unit] = value < 1e6
    ? [value / 1e3, "k"]
    : value < 1e9
    ? [value / 1e6, "M"]
    : [value / 1e9, "G"];
  return `${scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)} ${unit}`;
}

/** Bytes, three digits wide: `999 B`, `12.3 KiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value, unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) scaled /= 1024, unit++;
  return `${unit === 0 ? Math.round(scaled) : scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)} ${
    units[unit]
  }`;
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
const JOINED = new RegExp(
  `[${PICTURES}\u{1f3fb}-\u{1f3ff}\ufe0f]\u200d(?=${PICTURES}|[\u2640\u2642])|[${SCRIPTS}][\u200c\u200d](?=[${SCRIPTS}])`,
  "gu",
);

/**
 * Text from outside in one line: what turns the direction of writing, breaks lines or can't be seen is shown
 * as its code, and what is longer than `most` characters is cut. What joins two pictures to one, or letters
 * of a script that needs it, stays.
 */
export function plain(text: string, most = 300): string {
  const characters = Array.from(text.slice(0, 2 * most));
  const isCut = text.length > 2 * most || characters.length > most;
  const kept = characters.slice(0, most).join("");
  const shown = isCut ? `${kept.replace(/[\u200c\u200d]+$/, "")}…` : kept;
  const joiners = new Set<number>();
  for (const { index, 0: part } of shown.matchAll(JOINED)) joiners.add(index + part.length - 1);
  return shown.replaceAll(
    /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/gu,
    (character, at: number) =>
      joiners.has(at)
        ? character
        : character === "\t"
        ? " "
        : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** The name of somebody, or what stands for it. */
export function nameOf(name: unknown, id: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return plain(name, 64);
  return typeof id === "string" && id !== "" ? plain(id, 64) : "no name";
}
