// How a WebSocket ends: the codes of RFC 6455, section 7.4, which of them may come over the wire, and the
// body of a close frame. Pure.

import type { Farewell, FrameFault } from "../transport.ts";
import { MAX_CONTROL_BYTES } from "./frame_writer.ts";
import { Utf8Check } from "./utf8_check.ts";
import { decodeUtf8 } from "../../../wire/utf8.ts";

/** Why a WebSocket is closed, as far as the relay says so. */
export const CLOSE_CODE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  invalidText: 1007,
  policyViolation: 1008,
  tooLarge: 1009,
  tryAgainLater: 1013,
} as const;

/** What the other side's close frame says. */
export interface Closing {
  /** Undefined where it names none. */
  code: number | undefined;
  reason: string;
}

const NOTHING = new Uint8Array(0);

/** Says with which code the relay ends a WebSocket. */
export function closeCodeFor({ reason, code }: Farewell): number {
  switch (code) {
    case undefined:
      if (reason === "shutdown") return CLOSE_CODE.goingAway;
      return reason === "refused" ? CLOSE_CODE.policyViolation : CLOSE_CODE.normal;
    case "relay_full":
    case "too_many_rooms":
      return CLOSE_CODE.tryAgainLater;
  }
  return CLOSE_CODE.policyViolation;
}

/** Makes the body of a close frame. A reason that is too long is cut, between two characters. */
export function encodeClosing(code: number | undefined, reason = ""): Uint8Array {
  if (code === undefined) return NOTHING;
  const body = new Uint8Array(MAX_CONTROL_BYTES);
  body[0] = code >> 8;
  body[1] = code & 0xff;
  const { written } = new TextEncoder().encodeInto(reason, body.subarray(2));
  return body.subarray(0, 2 + written);
}

/** Reads the body of a close frame, or says what is wrong with it. */
export function readClosing(body: Uint8Array): Closing | FrameFault {
  if (body.length === 0) return { code: undefined, reason: "" };
  if (body.length === 1) {
    return fault("Cannot read close frame: its body has 1 byte, none or at least 2 are allowed");
  }
  const code = body[0] << 8 | body[1];
  if (!mayBeSent(code)) {
    return fault(
      `Cannot read close frame: its code is ${code}, 1000-1003, 1007-1014 and 3000-4999 are allowed`,
    );
  }
  const text = new Utf8Check();
  if (text.check(body, 2, body.length) < body.length || text.isMidCharacter) {
    const message = "Cannot read close frame: its reason is not UTF-8, text in UTF-8 is allowed";
    return { code: CLOSE_CODE.invalidText, message };
  }
  return { code, reason: decodeUtf8(body.subarray(2)) };
}

/**
 * Whether a close frame may carry this code: 1004 is reserved, 1005, 1006 and 1015 are said by one's own side
 * alone, and others have no meaning.
 */
function mayBeSent(code: number): boolean {
  return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999;
}

function fault(message: string): FrameFault {
  return { code: CLOSE_CODE.protocolError, message };
}
