// The opening handshake of WebSocket (RFC 6455, section 4.2): whether a request is one, what is wrong with
// it, and the answer. Pure.

import { hash } from "node:crypto";
import { hasBody, HttpFault, lists, only, type RequestHead } from "./head.ts";

const encoder = new TextEncoder();

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Whether a request asks for a WebSocket, rightly or not. */
export function isHandshake(head: RequestHead): boolean {
  return lists(head, "upgrade", "websocket");
}

/** Says what is wrong with a handshake; undefined if it is one. */
export function handshakeFault(head: RequestHead): HttpFault | undefined {
  if (head.method !== "GET" || head.minor < 1 || hasBody(head)) {
    return new HttpFault(400, "A WebSocket is asked for by a GET of HTTP/1.1 without a body");
  }
  if (!lists(head, "connection", "upgrade")) {
    return new HttpFault(400, "A WebSocket is asked for with Connection: Upgrade");
  }
  if (only(head, "sec-websocket-version") !== "13") {
    return new HttpFault(426, "Version 13 of WebSocket is spoken here", {
      "Connection": "Upgrade, close",
      "Upgrade": "websocket",
      "Sec-WebSocket-Version": "13",
    });
  }
  if (!KEY.test(only(head, "sec-websocket-key") ?? "")) {
    return new HttpFault(400, "The Sec-WebSocket-Key is not 16 bytes in base64");
  }
}

/** Encodes the answer to a handshake that is one. */
export function encodeSwitch(head: RequestHead): Uint8Array {
  const accept = hash("sha1", only(head, "sec-websocket-key") + GUID, "base64");
  return encoder.encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}
