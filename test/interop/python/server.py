"""A server of the Python library `websockets`: `server.py <compression> <limit of a message>`.

It prints the port, then one line of JSON for each connection that ended, and stops when its standard input ends.
The path says what a connection does.
"""
import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import websockets

from compression import arguments


async def echo(socket, _query):
    async for message in socket:
        await socket.send(message)


async def echo_in_fragments(socket, _query):
    async for message in socket:
        size = max(1, len(message) // 5)
        await socket.send([message[at : at + size] for at in range(0, len(message), size)])


async def ping(socket, _query):
    for length in (0, 1, 125):
        answered = await socket.ping(bytes(length))
        await answered
    await socket.send("ponged")
    await socket.wait_closed()


async def close(socket, query):
    await socket.close(int(query["code"][0]), query["reason"][0])


BEHAVIOURS = {
    "/echo": echo,
    "/fragments": echo_in_fragments,
    "/ping": ping,
    "/close": close,
}


async def serve(socket):
    url = urlsplit(getattr(socket, "path", None) or socket.request.path)
    try:
        await BEHAVIOURS[url.path](socket, parse_qs(url.query))
    except websockets.ConnectionClosed:
        pass
    await socket.wait_closed()
    print(json.dumps({"path": url.path, "code": socket.close_code, "reason": socket.close_reason}), flush=True)


async def main(compression, limit):
    options = arguments(compression, "server")
    async with websockets.serve(
        serve, "127.0.0.1", 0, subprotocols=["second"], max_size=limit, **options
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
