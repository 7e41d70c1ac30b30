"""The Python half of python-session.test.ts: `session_client.py ROLE URL COUNT [OPTIONS]`. Prints JSON when it is done."""

import asyncio
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "examples" / "python"))
from hawser_session import Session, SessionEnded  # noqa: E402

QUICK = {"delays": (0.001, 0.02), "close_timeout": 0.1, "ping_interval": 0.3, "ping_timeout": 0.3}


def message(number):
    """As in the other half: texts, texts that look like control messages, bytes."""
    text = f"{number} ".ljust(100, ".")
    return text.encode() if number % 5 == 0 else "\x01" + text if number % 3 == 0 else text


def plain(data):
    return {"bytes": data.decode()} if isinstance(data, bytes) else data


async def exchange(url, count, idle_until=0, **options):
    """Sends `count` messages while it receives as many, of which it takes the first when it has said hello so often."""
    lost, received = [], []
    async with Session(url, on_lost=lambda unacked, reason: lost.append(reason), **QUICK, **options) as session:

        async def send():
            for number in range(1, count + 1):
                await session.send(message(number))

        sending = asyncio.create_task(send())
        while session._gen < idle_until:
            await asyncio.sleep(0.001)
        async for data in session:
            received.append(plain(data))
            if len(received) == count:
                break
        await sending
    return {"received": received, "lost": lost}


async def lose(url, count):
    """Sends `count` messages, and one when the session was lost; ends with the server."""
    lost, received = [], []

    def on_lost(unacked, reason):
        lost.append({"unacked": [plain(data) for data in unacked], "reason": reason})

    async with Session(url, on_lost=on_lost, **QUICK) as session:
        for number in range(1, count + 1):
            await session.send(message(number))
        async for data in session:
            received.append(plain(data))
            if data == "welcome back":
                await session.send("after")
    return {"lost": lost, "received": received}


async def be_refused(url, count):
    try:
        async with Session(url, **QUICK) as session:
            async for _ in session:
                pass
    except SessionEnded as end:
        return {"code": end.code}


async def keep(url, count):
    """What is acknowledged while it waits to be sent again."""
    session = Session(url)
    session._seq, session._next = count, 2
    session._window.extend(str(number) for number in range(1, count + 1))
    session._acknowledged(count)
    return {"kept": list(session._window)}


role, url, count, options = [*sys.argv[1:], "{}"][:4]
roles = {"exchange": exchange, "lose": lose, "be_refused": be_refused, "keep": keep}
print(json.dumps(asyncio.run(roles[role](url, int(count), **json.loads(options)))))
