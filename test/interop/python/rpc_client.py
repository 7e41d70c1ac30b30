"""A client of calls and streams, written by hand from docs/rpc-protocol.md: JSON-RPC over the `websockets` library, no more
than a session of the test needs. Prints one line of JSON with what came."""
import asyncio
import json
import sys

import websockets


async def say(socket, method, **rest):
    await socket.send(json.dumps({"jsonrpc": "2.0", "method": method, **rest}))


async def call(socket, id, method, params):
    """What the answer is, and the progress that came before it."""
    await say(socket, method, id=id, params=params)
    progress = []
    while True:
        message = json.loads(await socket.recv())
        if message.get("method") == "$/progress":
            progress.append(message["params"]["progress"])
        elif message.get("id") == id:
            return message.get("result", message.get("error")), progress


async def read(socket, stream, most=None):
    """The items of a stream: 64 may come unasked, and more when we have taken 32."""
    items, taken, length = [], 0, 0
    while True:
        text = await socket.recv()
        message = json.loads(text)
        if message["params"].get("s") != stream:
            continue
        if message["method"] == "$/end":
            return items, message["params"].get("error")
        items += message["params"]["items"]
        taken, length = taken + len(message["params"]["items"]), length + len(text)
        if most is not None and len(items) >= most:
            await say(socket, "$/cancel", params={"s": stream, "reason": "enough"})
            return items[:most], None
        if taken >= 32 or length >= 131072:
            await say(socket, "$/credit", params={"s": stream, "n": taken, "bytes": length})
            taken = length = 0


async def produce(socket, id, stream, count):
    """A call with a stream in its params: as many items as there is credit for, then as many as are granted."""
    await say(socket, "sum", id=id, params={"numbers": {"stream": stream}})
    credit, sent = 64, 0
    while True:
        while credit > 0 and sent < count:
            credit, sent = credit - 1, sent + 1
            await say(socket, "$/next", params={"s": stream, "items": [sent]})
            if sent == count:
                await say(socket, "$/end", params={"s": stream})
        message = json.loads(await socket.recv())
        if message.get("method") == "$/credit":
            credit += message["params"]["n"]
        elif message.get("id") == id:
            return message["result"]


async def main():
    async with websockets.connect(sys.argv[1]) as socket:
        out = {"add": await call(socket, "one", "add", {"a": 1, "b": 2})}
        out["work"] = await call(socket, 2, "work", {"steps": 3})
        out["missing"] = (await call(socket, 3, "missing", {}))[0]["code"]
        result, _ = await call(socket, 4, "count", {"to": 500})
        out["count"] = await read(socket, result["stream"])
        result, _ = await call(socket, 5, "count", {"to": 10**9})
        out["left"] = await read(socket, result["stream"], most=3)
        out["sum"] = await produce(socket, 6, 1, 300)
        print(json.dumps(out))


asyncio.run(main())
