# An echo server on websockets for Python. By default it takes 1 MiB in a message; the suite sends 16 MiB.
import asyncio
import logging

import websockets

logging.disable(logging.CRITICAL)


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=64 << 20) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Future()


asyncio.run(main())
