// A QR code as a drawing: dark modules on white, with the quiet zone that readers need, whatever the colours
// of the page.

import { encode } from "npm:uqr@0.1.2";
import { svg } from "../shared/dom.ts";

/** The white margin, in modules, as the standard asks for. */
const QUIET_ZONE = 4;

/** The most that a code holds, in characters: phones don't read one of more modules from a projector. */
const MAX_CHARACTERS = 700;

/** Whether a code can say that. */
export function fitsCode(text: string): boolean {
  return text.length <= MAX_CHARACTERS;
}

/** Draws `text`; `label` says to those who don't see it what it leads to. */
export function qrCode(text: string, label: string): SVGSVGElement {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const full = size + 2 * QUIET_ZONE;
  const path: string[] = [];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!data[y][x]) continue;
      let length = 1;
      while (x + length < size && data[y][x + length]) length++;
      path.push(`M${x + QUIET_ZONE} ${y + QUIET_ZONE}h${length}v1h-${length}z`);
      x += length - 1;
    }
  }
  return svg(
    "svg",
    { viewBox: `0 0 ${full} ${full}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { width: full, height: full, fill: "#fff" }),
    svg("path", { d: path.join(""), fill: "#000" }),
  );
}
