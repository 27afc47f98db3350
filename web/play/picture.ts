// Paints the world on a canvas of the page: discs and names are drawn once and copied in each frame, so that
// hundreds of balls cost little. Knows nothing of where they come from.

import { HEIGHT, RADIUS, WIDTH } from "../../example/walls.ts";
import { plain } from "../shared/format.ts";

/** A ball to paint, in world units. */
export interface Painted {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

const GROUND = "#0d2321";
const FRAME = "#2c5551";
const OWN = "#ffc53d";
const GOLD = "#fff7dc";
const GOLD_EDGE = "#f2a900";

/** The colours of others, who keep theirs by their id: none is like ours, all stand out from the ground. */
const COLOURS = ["#4fd8cb", "#7cc4ff", "#c5a3ff", "#ff9ec4", "#9be37a", "#ff9d7a", "#e6ece9"];

/** The most device pixels for a pixel of the page: more costs time and is not seen. */
const MAX_SCALE = 2;

/** The most that is left free above the world, for what is told there, in pixels of the page. */
const MAX_ABOVE = 56;

/** The longest name that is painted, in characters, and its size, in pixels of the page. */
const NAME_CHARACTERS = 14;
const NAME_SIZE = 14;

/** How many pictures of names are kept. */
const MAX_NAMES = 500;

interface Sprite {
  image: HTMLCanvasElement;
  /** Its width and height in world units are found by this: device pixels. */
  width: number;
  height: number;
}

/** The picture of the world, fitted into its canvas. */
export class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #discs = new Map<string, Sprite>();
  readonly #names = new Map<string, Sprite>();
  /** Device pixels in a world unit, and where the world begins. */
  #unit = 1;
  #left = 0;
  #top = 0;
  #scale = 1;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false })!;
  }

  /** Fits the world into the canvas as large as it is now; cheap if nothing has changed. */
  fit(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(MAX_SCALE, devicePixelRatio || 1);
    const width = Math.max(1, Math.round(clientWidth * scale));
    const height = Math.max(1, Math.round(clientHeight * scale));
    if (this.#canvas.width === width && this.#canvas.height === height && this.#scale === scale) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#scale = scale;
    this.#unit = Math.min(width / WIDTH, height / HEIGHT);
    this.#left = Math.round((width - WIDTH * this.#unit) / 2);
    // On a phone that is held upright, what is left is below, where the numbers go.
    this.#top = Math.round(Math.min((height - HEIGHT * this.#unit) / 2, MAX_ABOVE * scale));
    this.#discs.clear();
    this.#names.clear();
  }

  /** Where a point of the page, relative to the canvas, is in the world. */
  worldAt(x: number, y: number): { x: number; y: number } {
    return {
      x: (x * this.#scale - this.#left) / this.#unit,
      y: (y * this.#scale - this.#top) / this.#unit,
    };
  }

  /** Paints the empty world. */
  clear(): void {
    const context = this.#context;
    context.fillStyle = "#071211";
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.fillStyle = GROUND;
    const width = WIDTH * this.#unit, height = HEIGHT * this.#unit;
    context.fillRect(this.#left, this.#top, width, height);
    context.strokeStyle = FRAME;
    context.lineWidth = Math.max(1, this.#scale);
    context.strokeRect(this.#left, this.#top, width, height);
  }

  /** Paints the golden ball. */
  gold(ball: Painted): void {
    this.#copy(this.#disc(GOLD, "gold"), ball.x, ball.y);
  }

  /** Paints one of our balls. */
  own(ball: Painted): void {
    this.#copy(this.#disc(OWN, "own"), ball.x, ball.y);
  }

  /** Paints another's ball in the colour of its owner. */
  other(ball: Painted, owner: string): void {
    this.#copy(this.#disc(colourOf(owner), "other"), ball.x, ball.y);
  }

  /** Paints where an event put a ball. */
  ghost(ball: Painted): void {
    this.#copy(this.#disc("#9db5b0", "ghost"), ball.x, ball.y);
  }

  /** Writes a name above a ball. */
  name(ball: Painted, name: string, isOwn = false): void {
    const sprite = this.#name(name, isOwn);
    const above = RADIUS * this.#unit + sprite.height / 2 + 2 * this.#scale;
    const half = sprite.width / 2, y = this.#top + ball.y * this.#unit;
    const x = Math.max(half, Math.min(this.#canvas.width - half, this.#left + ball.x * this.#unit));
    const isAtTop = y - above - sprite.height / 2 < this.#top;
    this.#context.drawImage(
      sprite.image,
      Math.round(x - half),
      Math.round(y + (isAtTop ? above : -above) - sprite.height / 2),
    );
  }

  /** Darkens all of it: what is seen is not what is so. */
  dim(): void {
    this.#context.fillStyle = "rgb(4 14 13 / 0.6)";
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #copy({ image, width, height }: Sprite, x: number, y: number): void {
    this.#context.drawImage(
      image,
      Math.round(this.#left + x * this.#unit - width / 2),
      Math.round(this.#top + y * this.#unit - height / 2),
    );
  }

  #disc(colour: string, kind: "own" | "other" | "ghost" | "gold"): Sprite {
    const known = this.#discs.get(colour);
    if (known !== undefined) return known;
    const radius = Math.max(3 * this.#scale, RADIUS * this.#unit);
    const size = Math.ceil(2 * radius) + 4;
    const sprite = makeSprite(size, size, (context) => {
      context.translate(size / 2, size / 2);
      context.beginPath();
      context.arc(0, 0, radius - (kind === "ghost" ? this.#scale : 0), 0, 2 * Math.PI);
      if (kind === "ghost") {
        context.strokeStyle = colour;
        context.lineWidth = 1.5 * this.#scale;
        return context.stroke();
      }
      context.fillStyle = colour;
      context.fill();
      if (kind === "gold") return paintStar(context, radius);
      context.lineWidth = Math.max(1, 0.16 * radius);
      context.strokeStyle = kind === "own" ? "#fff4d4" : "rgb(0 0 0 / 0.35)";
      context.stroke();
    });
    this.#discs.set(colour, sprite);
    return sprite;
  }

  #name(name: string, isOwn: boolean): Sprite {
    const key = `${isOwn} ${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES) this.#names.clear();
    const text = plain(name, NAME_CHARACTERS);
    const size = NAME_SIZE * this.#scale * (this.#unit / this.#scale > 1.6 ? 1.4 : 1);
    const font = `600 ${size}px system-ui, sans-serif`;
    this.#context.font = font;
    const width = Math.ceil(this.#context.measureText(text).width + size);
    const sprite = makeSprite(width, Math.ceil(1.5 * size), (context) => {
      context.font = font;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineJoin = "round";
      context.lineWidth = 0.28 * size;
      context.strokeStyle = "rgb(4 14 13 / 0.85)";
      context.strokeText(text, width / 2, 0.75 * size);
      context.fillStyle = isOwn ? OWN : "#eaf2ef";
      context.fillText(text, width / 2, 0.75 * size);
    });
    this.#names.set(key, sprite);
    return sprite;
  }
}

/**
 * Makes a disc of this radius, around the origin, the golden ball: no ball of a player has an edge and a
 * star.
 */
function paintStar(context: CanvasRenderingContext2D, radius: number): void {
  context.lineWidth = 0.22 * radius;
  context.strokeStyle = context.fillStyle = GOLD_EDGE;
  context.stroke();
  context.beginPath();
  for (let corner = 0; corner < 10; corner++) {
    const angle = Math.PI * (corner / 5 - 0.5), far = radius * (corner % 2 === 0 ? 0.72 : 0.3);
    context.lineTo(far * Math.cos(angle), far * Math.sin(angle));
  }
  context.fill();
}

function makeSprite(
  width: number,
  height: number,
  paint: (context: CanvasRenderingContext2D) => void,
): Sprite {
  const image = document.createElement("canvas");
  image.width = width;
  image.height = height;
  paint(image.getContext("2d")!);
  return { image, width, height };
}

/** The colour of an owner: always the same, whoever looks. */
function colourOf(owner: string): string {
  let sum = 0;
  for (let i = 0; i < owner.length; i++) sum = (31 * sum + owner.charCodeAt(i)) % 65_521;
  return COLOURS[sum % COLOURS.length];
}
