// A server on the package ws that passes each message on to all others, as its readme shows it. Prints its
// port.

import { createRequire } from "node:module";
import process from "node:process";

const { WebSocket, WebSocketServer } = createRequire(`${process.cwd()}/`)("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (member) => {
  member.on("error", () => {});
  member.on("message", (message, isBinary) => {
    for (const other of server.clients) {
      if (other !== member && other.readyState === WebSocket.OPEN) other.send(message, { binary: isBinary });
    }
  });
});
server.on("listening", () => console.log(server.address().port));
