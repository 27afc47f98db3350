// A server of Bun's that passes each message on to all others, as its guide to WebSockets shows it: topics,
// so that the runtime frames a message once for everybody. Prints its port.

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response("WebSocket only", { status: 426 });
  },
  websocket: {
    open: (member) => member.subscribe("room"),
    message: (member, message) => member.publish("room", message),
  },
});
console.log(server.port);
