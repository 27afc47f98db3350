// A client of a relay by WebSocket, on the class of the runtime or the package "ws": sends each line that
// comes back, and tells how it ended. Arguments: the address, and a module that has the class as its default
// export, if it is not the global one.

const [url, module] = globalThis.Deno?.args ?? process.argv.slice(2);
const Socket = module === undefined ? WebSocket : (await import(module)).default;
const socket = new Socket(url);
socket.binaryType = "arraybuffer";

socket.onopen = () => socket.send(JSON.stringify("ready")); // a line without LF
socket.onmessage = ({ data }) => {
  const lines = data.split("\n");
  if (lines.pop() !== "") console.log("a message without an LF at its end");
  const answers = lines.map((line) => JSON.stringify({ back: JSON.parse(line) }));
  if (answers.length % 2 === 0) socket.send(answers.join("\n") + "\n");
  else for (const answer of answers) socket.send(answer);
  if (lines.some((line) => JSON.parse(line).end)) socket.close(4001, "später");
};
socket.onclose = ({ code, reason, wasClean }) => console.log(JSON.stringify({ code, reason, wasClean }));
