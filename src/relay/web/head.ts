// The head of an HTTP/1 request: from bytes, in whatever pieces they come, to its parts, or to what is wrong
// with it and the status that says so. Strict where servers have disagreed and been tricked: what is not
// clear is refused. Bodies are never read. Pure.

import { Buffer } from "node:buffer";
import { CR, LF } from "../../wire/protocol.ts";

/** How long a head may be with its empty line, in bytes. */
export const MAX_HEAD_BYTES = 8 * 1024;

/** How many fields it may have. */
const MAX_FIELDS = 100;

const NOTHING = new Uint8Array(0);

const SP = 0x20, HT = 0x09;

/** A request, without its body. */
export interface RequestHead {
  readonly method: string;
  /** As it came: a path with its query, an absolute address, `*` or an authority. */
  readonly target: string;
  /** The digit after `HTTP/1.`; what is above 1 speaks 1 as well. */
  readonly minor: number;
  /** Names in lower case; the values of a name in their order, one character a byte. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** A request that can't be answered as it was meant. */
export class HttpFault {
  /**
   * @param message one sentence for whoever reads the answer, without its full stop
   * @param fields what the answer's head says beside it
   */
  constructor(
    readonly status: number,
    readonly message: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {}
}

/** Takes bytes until a head is complete. */
export class HeadReader {
  #bytes: Uint8Array = NOTHING;
  #length = 0;
  /** How far no end of a line is left to be found, and where the line that is not complete begins. */
  #scanned = 0;
  #lineStart = 0;
  #lines = 0;

  /** Whether nothing of a head has come. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** How much memory it takes, in bytes. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /**
   * Takes a part: returns the head and what stood behind it, once it is complete, or what is wrong as soon as
   * that is clear; undefined while more is needed. After an answer it starts anew.
   */
  push(chunk: Uint8Array): { head: RequestHead; rest: Uint8Array } | HttpFault | undefined {
    const before = this.#length;
    // No more than the longest head is looked at: what stands behind that does not matter any more.
    this.#append(chunk.subarray(0, MAX_HEAD_BYTES + 1 - before));
    const end = this.#scan();
    if (end === undefined) return undefined;
    const answer = end instanceof HttpFault ? end : parseHead(this.#bytes.subarray(0, end));
    this.#bytes = NOTHING;
    this.#length =
      this.#scanned =
      this.#lineStart =
      this.#lines =
        0;
    return answer instanceof HttpFault ? answer : { head: answer, rest: chunk.slice(Number(end) - before) };
  }

  #append(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(MAX_HEAD_BYTES + 1, Math.max(length, 2 * this.#bytes.length)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length = length;
  }

  /** Returns where the head ends, or what is wrong. */
  #scan(): number | HttpFault | undefined {
    const bytes = this.#bytes;
    for (; this.#scanned < this.#length; this.#scanned++) {
      const at = this.#scanned, byte = bytes[at];
      if (at >= MAX_HEAD_BYTES) return tooLong(this.#lines);
      if (byte === LF) {
        if (at === this.#lineStart || bytes[at - 1] !== CR) {
          return new HttpFault(400, "A line of the head ends with LF alone, CR and LF are allowed");
        }
        if (at - 1 === this.#lineStart) {
          return this.#lines > 0 ? at + 1 : new HttpFault(400, "The head begins with an empty line");
        }
        this.#lines++;
        this.#lineStart = at + 1;
        if (this.#lines > MAX_FIELDS + 1) {
          return new HttpFault(431, `The head has more than ${MAX_FIELDS} fields`);
        }
      } else if (at > this.#lineStart && bytes[at - 1] === CR) {
        return new HttpFault(400, "The head has a CR without its LF");
      } else if (byte < SP && byte !== CR && byte !== HT || byte === 0x7f) {
        return new HttpFault(400, "The head has a control character");
      }
    }
  }
}

function tooLong(lines: number): HttpFault {
  return lines === 0
    ? new HttpFault(414, `The address is too long: a head has at most ${MAX_HEAD_BYTES} bytes`)
    : new HttpFault(431, `The head is too long, at most ${MAX_HEAD_BYTES} bytes are allowed`);
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Reads a head whose lines end with CR and LF, and which has no other control characters. */
function parseHead(bytes: Uint8Array): RequestHead | HttpFault {
  // A character a byte, so that nothing is lost and positions stay.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - 4).toString("latin1");
  const lines = text.split("\r\n");
  const start = parseRequestLine(lines[0]);
  if (start instanceof HttpFault) return start;
  const fields = new Map<string, string[]>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i], colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (line[0] === " " || line[0] === "\t") {
      return new HttpFault(400, "A field of the head is folded over two lines");
    }
    if (!TOKEN.test(name)) {
      return new HttpFault(400, "A field of the head has no name, or one that is not allowed");
    }
    const key = name.toLowerCase(), value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [value]);
    else values.push(value);
  }
  const head = { ...start, fields };
  return faultOf(head) ?? head;
}

function parseRequestLine(line: string): Omit<RequestHead, "fields"> | HttpFault {
  const parts = line.split(" ");
  const [method, target, version] = parts;
  if (parts.length !== 3 || !TOKEN.test(method) || !/^[\x21-\x7e]+$/.test(target)) {
    return new HttpFault(400, "The request does not begin with a method, an address and HTTP/1.1");
  }
  if (/^HTTP\/1\.[0-9]$/.test(version)) return { method, target, minor: Number(version.at(-1)) };
  return /^HTTP\/[0-9](\.[0-9])?$/.test(version)
    ? new HttpFault(505, "HTTP/1.1 is spoken here")
    : new HttpFault(400, "The request does not begin with a method, an address and HTTP/1.1");
}

/** What must be clear before a head may mean anything: for whom it is, and where it ends. */
function faultOf({ minor, fields }: RequestHead): HttpFault | undefined {
  const hosts = fields.get("host") ?? [], lengths = fields.get("content-length") ?? [];
  if (hosts.length > 1 || hosts.length === 0 && minor > 0) {
    return new HttpFault(400, `The head has ${hosts.length} Host fields, one is allowed`);
  }
  if (lengths.length > 1 || lengths.length === 1 && !/^[0-9]{1,15}$/.test(lengths[0])) {
    return new HttpFault(400, "The Content-Length is not one number");
  }
  if (lengths.length > 0 && fields.has("transfer-encoding")) {
    return new HttpFault(400, "The head has both a Content-Length and a Transfer-Encoding");
  }
}

/** Whether a body follows that head. */
export function hasBody({ fields }: RequestHead): boolean {
  return fields.has("transfer-encoding") || Number(fields.get("content-length")?.[0] ?? 0) > 0;
}

/** Whether a field is a list that names `word`, in small or large letters. */
export function lists({ fields }: RequestHead, name: string, word: string): boolean {
  return (fields.get(name) ?? []).some((value) =>
    value.split(",").some((item) => item.trim().toLowerCase() === word)
  );
}

/** The one value of a field; undefined if it has none or several. */
export function only({ fields }: RequestHead, name: string): string | undefined {
  const values = fields.get(name);
  return values?.length === 1 ? values[0] : undefined;
}
