"""A client of the Python library `websockets`: `client.py <url of the server> <compression> <lengths as JSON>`.

It checks what it receives, and prints one line of JSON with what was done.
"""
import asyncio
import json
import sys

import websockets

from compression import arguments

URL, COMPRESSION, LENGTHS = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])


PATTERN = bytes((i * 31 + (i >> 8) * 7) & 0xFF for i in range(2**20))


def pattern(length):
    return PATTERN[:length]


def text_of(length):
    return "aé☃😀" * (length // 10) + "x" * (length % 10)


def connect(path="/echo"):
    return websockets.connect(
        URL + path,
        subprotocols=["first", "second"],
        max_size=2**21,
        **arguments(COMPRESSION, "client"),
    )


async def echo():
    async with connect() as socket:
        extensions = socket.extensions if hasattr(socket, "extensions") else socket.protocol.extensions
        assert len(extensions) == (0 if COMPRESSION == "no extension" else 1), extensions
        for extension in extensions:
            is_reset = COMPRESSION == "no context takeover"
            assert extension.local_no_context_takeover == extension.remote_no_context_takeover == is_reset
            bits = 9 if COMPRESSION == "windows of 9 bits" else 15
            assert extension.local_max_window_bits == extension.remote_max_window_bits == bits
        for length in LENGTHS:
            for message in (pattern(length), text_of(length)):
                await socket.send(message)
                assert await socket.recv() == message, f"{type(message)} of {length} bytes"


async def burst():
    async with connect() as socket:
        messages = [pattern((i * 7919) % 3000) for i in range(300)]
        for message in messages:
            await socket.send(message)
        for message in messages:
            assert await socket.recv() == message


async def fragments():
    async with connect() as socket:
        for whole in (text_of(100_000), pattern(100_000)):
            empty = whole[:0]
            await socket.send([whole[:1], empty, whole[1:70_000], whole[70_000:], empty])
            assert await socket.recv() == whole


async def ping():
    async with connect() as socket:
        for length in (0, 1, 125):
            answered = await socket.ping(pattern(length))
            await answered


async def subprotocol():
    async with connect() as socket:
        assert socket.subprotocol == "second", socket.subprotocol


async def close_of_the_client():
    async with connect() as socket:
        await socket.close(4000, "bye ☃")
        assert (socket.close_code, socket.close_reason) == (4000, "bye ☃")


async def close_of_the_server():
    async with connect("/close") as socket:
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as asked"), closed
        else:
            raise AssertionError("the server did not close")


async def message_above_the_limit():
    async with connect("/limited") as socket:
        await socket.send(bytes(1000))
        assert await socket.recv() == bytes(1000)
        try:
            await socket.send(bytes(1001))
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1009, closed
        else:
            raise AssertionError("the message was accepted")


async def refused():
    try:
        async with connect("/nowhere"):
            raise AssertionError("the handshake succeeded")
    except websockets.InvalidHandshake as refusal:
        assert "400" in str(refusal), refusal


async def main():
    steps = [
        echo,
        burst,
        fragments,
        ping,
        subprotocol,
        close_of_the_client,
        close_of_the_server,
        message_above_the_limit,
        refused,
    ]
    for step in steps:
        await step()
    print(json.dumps([step.__name__ for step in steps]))


asyncio.run(main())
