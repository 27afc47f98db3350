// Requests of HTTP that nobody should send, from a random generator: the same for the same generator. Pure.

import type { Random } from "../../bench/motion/random.ts";
import { pick, whole } from "./hostile_values.ts";

const METHODS = [
  "GET",
  "GET",
  "GET",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PRI",
  "PROPFIND",
  "M-SEARCH",
];

const TARGETS = [
  "/",
  "/stats.json",
  "/stats.json?room=fuzz",
  "/stats.json?room=%00%ff",
  "/metrics",
  "/healthz",
  "/client.js",
  "/v0.2.0/client.ts",
  "/play",
  "/DESIGN.md",
  "/motion/",
  "/motion",
  "/../server.ts",
  "/%2e%2e/server.ts",
  "/..%2fserver.ts",
  "/%252e%252e/server.ts",
  "/.git/config",
  "//evil.example/",
  "/%0d%0aX:%201",
  "/%",
  "/\\..\\x",
  "/#",
  "*",
  "x",
  "http://127.0.0.1/",
  "http://evil.example/",
  "http://[::1/",
  "/__proto__",
  "/constructor?__proto__=1",
];

const HOSTS = [
  "localhost",
  "127.0.0.1:80",
  "[::1]",
  "evil.example",
  "",
  "a b",
  "a:b",
  "[",
  "a".repeat(5000),
  "\xff",
  "localhost:99999",
  "%00",
];

const ORIGINS = [
  "http://localhost",
  "null",
  "http://evil.example",
  "http://localhost, http://a",
  "",
  "x".repeat(7000),
  "http://[::1]:1",
  "file://",
  "http://user@a",
];

const FIELDS = [
  "Connection: close",
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Version: 12",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Key: x",
  "Sec-WebSocket-Extensions: permessage-deflate",
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: -1",
  "Content-Length: 5, 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: \x0bchunked",
  "Range: bytes=0-10",
  "Range: bytes=-5",
  "Range: bytes=5-1",
  "Range: bytes=0-,1-,2-",
  "If-None-Match: *",
  'If-None-Match: W/"a", "b"',
  'If-Range: "x"',
  "Authorization: Bearer x",
  "Authorization: Bearer \xff\xfe",
  "X-Forwarded-For: 203.0.113.1, unknown",
  "Accept: application/openmetrics-text",
  "Expect: 100-continue",
  " folded: x",
  "no colon",
  "X\0: 1",
  "X: \0",
  "Cookie: a=b",
];

const BODIES = [
  "",
  "1\n2\n",
  '{"$hello":{"version":1}}\n',
  "GET /stats.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "\x81\x85\x01\x02\x03\x04\x30\x08\x03\x04\x05",
  "5\r\n[1]\n2\r\n0\r\n\r\n",
];

/** A good or a bad request, or several, with what may follow. One character a byte. */
export function hostileRequests(random: Random): string {
  return Array.from({ length: random() < 0.7 ? 1 : whole(random, 2, 30) }, () => hostileRequest(random)).join(
    "",
  );
}

function hostileRequest(random: Random): string {
  const end = pick(random, ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"]);
  const version = pick(random, [
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/1.1 ",
    "",
  ]);
  const lines = [`${pick(random, METHODS)} ${pick(random, TARGETS)} ${version}`];
  if (random() < 0.9) lines.push(`Host: ${random() < 0.7 ? "localhost" : pick(random, HOSTS)}`);
  if (random() < 0.3) lines.push(`Origin: ${pick(random, ORIGINS)}`);
  const fields = random() < 0.05 ? whole(random, 50, 400) : whole(random, 0, 6);
  for (let i = 0; i < fields; i++) lines.push(pick(random, FIELDS));
  if (random() < 0.02) lines.push(`X: ${"y".repeat(whole(random, 1, 20_000))}`);
  const text = lines.join(end) + (random() < 0.9 ? end + end : "");
  return text + (random() < 0.4 ? pick(random, BODIES) : "");
}
