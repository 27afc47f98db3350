// Holds the HTTP of a relay against its contract over loopback TCP, byte by byte: what is answered, what is closed, and that nothing of
// a request ever is a line, a client or a wait for anybody else.

import assert from "node:assert/strict";
import { WebTable } from "../../support/web_table.ts";

Deno.test("HttpDoor answers what is no request for a page or a file with a sentence, and nothing of a body becomes a line", async () => {
  await using table = new WebTable({ maxClients: 1 });
  const member = await table.member();
  for (
    const [request, status] of [
      ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1\n2\n", 405],
      ["PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n0\r\n\r\n", 405],
      ["GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404],
      ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1\n2\n", 400],
      ["GET / HTTP/1.1\r\n\r\n1\n2\n", 400],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ] as const
  ) {
    const { status: got, text, fields } = await table.ask(request);
    assert.equal(got, status, request);
    assert.match(text, /^[A-Z][^\r]*\.\n$/);
    assert.equal(fields["allow"], status === 405 ? "GET, HEAD" : undefined);
  }
  assert.equal(table.relay.stats().members, 1);
  assert.deepEqual(member.lines, []);
});

Deno.test("HttpDoor takes what comes while a relay is full, and gives its place among the clients back", async () => {
  await using table = new WebTable({ maxClients: 1 });
  using request = await table.connect();
  void request.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  await request.line(1);
  const member = await table.member(); // the request is still open
  assert.equal(request.hasEnded, false);
  assert.equal(table.relay.stats().members, 1);
  void request.send("HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  await request.line(12);
  assert.equal(member.hasEnded, false);
});
