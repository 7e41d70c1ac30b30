# The client of websockets for Python. By default it takes 1 MiB in a message; the suite sends 16 MiB.
# `python3 python-websockets.py URL AGENT`
import asyncio
import logging
import sys
from urllib.parse import quote

import websockets

logging.disable(logging.CRITICAL)
CASE_LIMIT_S = 120


async def connect(url, is_echo):
    last = None
    try:
        async with websockets.connect(url, max_size=64 << 20) as connection:
            async for message in connection:
                last = message
                if is_echo:
                    await connection.send(message)
    except Exception:
        # Refused, or failed while it was open: what that says is for the other side to judge.
        pass
    return last


async def main(url, agent):
    count = int(await connect(f"{url}/getCaseCount", False))
    for number in range(1, count + 1):
        case = connect(f"{url}/runCase?case={number}&agent={quote(agent)}", True)
        try:
            await asyncio.wait_for(case, CASE_LIMIT_S)
        except asyncio.TimeoutError:
            pass
    await connect(f"{url}/updateReports?agent={quote(agent)}", False)


asyncio.run(main(*sys.argv[1:]))
