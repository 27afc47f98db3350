// WebSocket frames as a client writes them and a server's are read, for tests: written from RFC 6455 in the
// simplest way, a byte after the other, and without anything of the relay's.

/** A frame as a client sends it. All but the payload has a default that is right. */
export interface ClientFrame {
  opcode: number;
  payload?: Uint8Array | string;
  isFinal?: boolean;
  /** The three reserved bits. */
  reserved?: number;
  /** Undefined: not masked. */
  mask?: readonly number[] | undefined;
  /** How many bytes the length has behind the second byte: 0, 2 or 8. Default: the fewest. */
  lengthBytes?: 0 | 2 | 8;
  /** What the length says, if not the truth. */
  length?: bigint;
}

const MASK = [0x12, 0xe4, 0x0f, 0x99];

const encoder = new TextEncoder();

export function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}

/** Writes one frame. */
export function clientFrame(frame: ClientFrame): Uint8Array {
  const payload = toBytes(frame.payload ?? "");
  const mask = "mask" in frame ? frame.mask : MASK;
  const length = frame.length ?? BigInt(payload.length);
  const lengthBytes = frame.lengthBytes ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const bytes = [(frame.isFinal ?? true ? 0x80 : 0) + ((frame.reserved ?? 0) << 4) + frame.opcode];
  const second = lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127;
  bytes.push((mask === undefined ? 0 : 0x80) + second);
  for (let i = lengthBytes - 1; i >= 0; i--) bytes.push(Number(length >> BigInt(8 * i) & 0xffn));
  bytes.push(...mask ?? []);
  const all = new Uint8Array(bytes.length + payload.length);
  all.set(bytes);
  for (let i = 0; i < payload.length; i++) {
    all[bytes.length + i] = mask === undefined ? payload[i] : payload[i] ^ mask[i % 4];
  }
  return all;
}

/** Writes a whole text message. */
export function textFrame(payload: string | Uint8Array): Uint8Array {
  return clientFrame({ opcode: 1, payload });
}

/** Writes a close frame. */
export function closeFrame(code?: number, reason: string | Uint8Array = ""): Uint8Array {
  if (code === undefined) return clientFrame({ opcode: 8 });
  return clientFrame({ opcode: 8, payload: Uint8Array.of(code >> 8, code & 255, ...toBytes(reason)) });
}

/** A frame that a server has sent. */
export interface ServerFrame {
  opcode: number;
  isFinal: boolean;
  payload: Uint8Array;
}

/**
 * Reads the complete frames at the beginning of `bytes`, and says how many bytes they have. Throws if one is
 * not a server's.
 */
export function readServerFrames(bytes: Uint8Array): { frames: ServerFrame[]; used: number } {
  const frames: ServerFrame[] = [];
  let used = 0;
  for (;;) {
    const at = used;
    if (bytes.length < at + 2) return { frames, used };
    if ((bytes[at] & 0x70) !== 0) throw new Error("a reserved bit is set");
    if ((bytes[at + 1] & 0x80) !== 0) throw new Error("a server's frame is masked");
    let length = bytes[at + 1], payloadAt = at + 2;
    const lengthBytes = length === 127 ? 8 : length === 126 ? 2 : 0;
    if (bytes.length < at + 2 + lengthBytes) return { frames, used };
    if (lengthBytes > 0) {
      length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[payloadAt++];
      if (length < (lengthBytes === 2 ? 126 : 65536)) throw new Error("a length is too long");
    }
    if (bytes.length < payloadAt + length) return { frames, used };
    used = payloadAt + length;
    const opcode = bytes[at] & 15, isFinal = bytes[at] >= 0x80;
    if (opcode >= 8 && (length > 125 || !isFinal)) {
      throw new Error("a control frame is too long, or a fragment");
    }
    frames.push({ opcode, isFinal, payload: bytes.slice(payloadAt, used) });
  }
}
