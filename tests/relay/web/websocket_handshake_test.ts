// Holds the handshake of WebSocket against RFC 6455: what counts as one, what is wrong with others, and the
// answer of its example.

import assert from "node:assert/strict";
import { encodeSwitch, handshakeFault, isHandshake } from "../../../src/relay/web/websocket_handshake.ts";
import { fromBytes } from "../../support/bytes_of_text.ts";
import { headOf } from "../../support/request_head.ts";

const FIELDS = {
  Host: "h",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

Deno.test("isHandshake knows who asks for a WebSocket, rightly or not, also in a list and in capitals", () => {
  for (const upgrade of ["websocket", "WebSocket", "h2c, websocket"]) {
    assert.equal(isHandshake(headOf({ ...FIELDS, Upgrade: upgrade })), true, upgrade);
  }
  for (const upgrade of ["h2c", "websockets", ""]) {
    assert.equal(isHandshake(headOf({ ...FIELDS, Upgrade: upgrade })), false, upgrade);
  }
});

Deno.test("handshakeFault finds nothing wrong with what browsers send, and says of others what is", () => {
  for (const connection of ["Upgrade", "keep-alive, Upgrade", "upgrade"]) {
    assert.equal(handshakeFault(headOf({ ...FIELDS, Connection: connection })), undefined, connection);
  }
  const cases: [fields: Record<string, string>, status: number][] = [
    [{ Connection: "keep-alive" }, 400],
    [{ "Content-Length": "1" }, 400],
    [{ "Transfer-Encoding": "chunked" }, 400],
    [{ "Sec-WebSocket-Version": "8" }, 426],
    [{ "Sec-WebSocket-Key": "" }, 400],
    [{ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ" }, 400],
    [{ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZR==" }, 400], // not the last 4 bits of 16 bytes
  ];
  for (const [fields, status] of cases) {
    assert.equal(handshakeFault(headOf({ ...FIELDS, ...fields }))?.status, status, JSON.stringify(fields));
  }
  assert.equal(handshakeFault(headOf(FIELDS, "/", "1.0"))?.status, 400);
  assert.equal(handshakeFault({ ...headOf(FIELDS), method: "POST" })?.status, 400);
  const old = handshakeFault(headOf({ ...FIELDS, "Sec-WebSocket-Version": "8" }));
  assert.equal(old?.fields["Sec-WebSocket-Version"], "13", "what to speak instead");
});

Deno.test("encodeSwitch answers as in section 1.3 of the RFC", () => {
  assert.equal(
    fromBytes(encodeSwitch(headOf(FIELDS))),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  );
});
