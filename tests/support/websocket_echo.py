"""A client of a relay by WebSocket, on the package "websockets": sends each line that comes back, and tells how it ended."""
import asyncio
import json
import sys

import websockets


async def main(url):
    async with websockets.connect(url, max_size=None) as socket:
        await socket.send(json.dumps("ready"))
        try:
            async for message in socket:
                lines = message.split("\n")
                if lines.pop() != "":
                    print("a message without an LF at its end")
                for line in lines:
                    await socket.send(json.dumps({"back": json.loads(line)}, ensure_ascii=False))
                if any(isinstance(json.loads(line), dict) and json.loads(line).get("end") for line in lines):
                    await socket.close(4001, "später")
        except websockets.ConnectionClosedError:
            pass
    print(json.dumps({"code": socket.close_code, "reason": socket.close_reason, "wasClean": socket.close_code != 1006}))


asyncio.run(main(sys.argv[1]))
