// A server on Socket.IO that passes each event on to all others: its broadcast, by WebSocket alone. Drops the
// request of each connection, as its page on memory advises. Prints its port.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const { Server } = createRequire(`${process.cwd()}/`)("socket.io");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.engine.on("connection", (connection) => {
  connection.request = null;
});
io.on("connection", (member) => {
  member.on("e", (event) => member.broadcast.emit("e", event));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
