// A server of Colyseus with its own relay room, which passes each message on to all others with its sender's
// identifier, on its usual transport. Prints its port.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import process from "node:process";

const require = createRequire(`${process.cwd()}/`);
const { RelayRoom, Server } = require("@colyseus/core");
const { WebSocketTransport } = require("@colyseus/ws-transport");

const http = createServer();
const server = new Server({ greet: false, transport: new WebSocketTransport({ server: http }) });
server.define("relay", RelayRoom);
await server.listen(0, "127.0.0.1");
console.log(http.address().port);
