"""A client of hawser.v1 on asyncio and `websockets` (10.4 and newer), written from docs/session-protocol.md alone.

S-1, S-2… are requirements of that page. What is not the protocol is left out: logging, drop policies, a queue while there is no
connection (send() waits instead), make-before-break.
"""

import asyncio
import random
import time
from collections import deque
from contextlib import suppress

from hawser_wire import HangUp, control, escape, is_control, parse_control, size_of, unescape
from websockets.exceptions import ConnectionClosed, InvalidHandshake

try:
    from websockets.asyncio.client import connect  # 13 and newer
except ImportError:
    from websockets import connect


class SessionEnded(Exception):
    """The session is over. Nobody knows whether the peer has processed the messages in `unacked` (section 12)."""

    def __init__(self, code, reason, unacked):
        super().__init__(f"session ended: {code} {reason}")
        self.code, self.reason, self.unacked = code, reason, unacked


class Session:
    """`async with Session(url) as session`, then `await session.send(data)` and `async for message in session`.

    When a session is lost and a new one takes its place, on_lost(unacked, reason) is called; what waits in send() goes to the
    new one. `delays` are the backoff's base and cap in seconds (S-41). Other options, such as ping_interval and headers, are
    those of websockets.connect().
    """

    def __init__(self, url, *, messages=4096, bytes=1 << 20, on_lost=None, delays=(0.25, 20), **options):
        self._url, self._on_lost, self._delays = url, on_lost or (lambda unacked, reason: None), delays
        self._options = {"open_timeout": 10, "close_timeout": 1, "max_size": 16 << 20, **options}
        self._caps = {"messages": messages, "bytes": bytes, "ping": True}
        self._gen, self._ended = 0, None
        self._is_open = self._is_ending = self._has_said_bye = False
        self._turn, self._change = asyncio.Lock(), asyncio.Event()
        self._forget()

    def _forget(self):
        """Everything that belongs to one session begins anew (section 1)."""
        self._sid, self._tok, self._limits = None, None, self._caps
        self._seq = self._acked = self._received = self._handed = 0
        self._window, self._window_bytes = deque(), 0  # sent and perhaps not acknowledged; the last of it is number seq
        self._inbox, self._inbox_bytes = deque(), 0  # received + 1 - len(inbox) … received

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        try:
            await self._until(lambda: self._is_open)
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        return self

    async def __aexit__(self, kind, *_):
        await self.close(timeout=0 if kind else 10)

    async def send(self, data):
        """Waits until there is a connection and room in the window; returns the number of the message."""
        size = size_of(data)
        async with self._turn:
            await self._until(lambda: self._is_open and self._has_room(size))
            self._seq += 1
            self._window.append(data)
            self._window_bytes += size
            self._notify()
            return self._seq

    def _has_room(self, size):  # S-30
        is_within = self._window_bytes + size <= self._limits["bytes"] and len(self._window) < self._limits["messages"]
        return is_within or not self._window

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            await self._until(lambda: self._inbox)
        except SessionEnded as end:
            if end.code == 1000:
                raise StopAsyncIteration from None
            raise
        data = self._inbox.popleft()
        self._inbox_bytes -= size_of(data)
        self._handed += 1
        self._notify()  # S-22: the writer acknowledges as soon as it has its turn
        return data

    async def close(self, timeout=10):
        """Waits for all to be acknowledged, at most `timeout` seconds, and ends the session (S-38)."""
        with suppress(asyncio.TimeoutError, SessionEnded):
            await asyncio.wait_for(self._until(lambda: self._acked == self._seq), timeout)
        self._is_ending = True
        self._notify()
        await asyncio.wait({self._task}, timeout=2 if self._is_open else 0)
        self._task.cancel()
        await asyncio.wait({self._task})

    def _notify(self):
        self._change.set()
        self._change = asyncio.Event()

    async def _until(self, claim):
        while not claim():
            if self._ended:
                raise self._ended
            await self._change.wait()

    async def _run(self):
        """One connection after the other, until one ends for good."""
        attempt, code, reason = 0, 1006, "terminated"
        try:
            while True:
                uptime, pause = 0, 0
                try:
                    async with connect(self._url, subprotocols=["hawser.v1"], **self._options) as socket:
                        code, reason, uptime = await self._converse(socket)
                except InvalidHandshake as error:
                    code, reason, pause = refusal(error)
                except (OSError, EOFError, asyncio.TimeoutError) as error:
                    code, reason = 1006, str(error)
                if code in (1000, 1002, 1003, *range(1007, 1011)) or 4400 <= code < 4500 and code != 4408:  # S-40
                    break
                if code == 4500:
                    self._lose(reason)
                attempt = 0 if uptime >= 5 else attempt
                base, cap = self._delays
                await asyncio.sleep(pause + random.uniform(0, min(cap, base * 2 ** min(attempt, 20))))  # S-41
                attempt += 1
        finally:
            self._ended = SessionEnded(code, reason, self._unacked())
            self._notify()

    async def _converse(self, socket):
        """One connection from hello to its end: (close code, reason, seconds after welcome)."""
        writer, opened_at = None, time.monotonic()
        try:
            await self._greet(socket)
            writer, opened_at = asyncio.create_task(self._write(socket)), time.monotonic()
            while True:
                self._receive(await socket.recv())
        except ConnectionClosed as end:
            frame = end.rcvd or end.sent
            code, reason = (frame.code, frame.reason) if frame else (1006, "")
        except (HangUp, asyncio.TimeoutError) as end:
            code, reason = end.args if isinstance(end, HangUp) else (4408, "no welcome")
            await socket.close(code, reason)
        finally:
            self._is_open = False
            if writer:
                writer.cancel()
        return 1000 if self._has_said_bye else code, reason, time.monotonic() - opened_at

    async def _greet(self, socket):
        if socket.subprotocol != "hawser.v1":  # S-1
            raise HangUp(1002, "no hawser.v1")
        self._gen += 1
        self._told = self._handed
        resume = {"sid": self._sid, "tok": self._tok} if self._sid else {}
        hello = {"v": 1, **resume, "gen": self._gen, "recv": self._told, "caps": self._caps}
        await socket.send(control("hello", **hello))
        first = await asyncio.wait_for(socket.recv(), 10)  # S-11
        welcome = parse_control(first) if is_control(first) else {"t": "data"}
        is_same = (welcome.get("sid"), welcome.get("tok")) == (self._sid, self._tok)
        if welcome["t"] != "welcome" or welcome["gen"] != self._gen or welcome["resumed"] != is_same:
            raise HangUp(4400, "welcome expected")
        if not is_same:
            if self._sid:
                self._lose(welcome.get("reason", "unknown"))
            self._sid, self._tok, self._limits, self._told = welcome["sid"], welcome["tok"], welcome["limits"], 0
        # What each side sends next has the number after the other's recv (S-17); that is also where replay begins (S-24).
        self._next, self._arriving, self._pongs_due = welcome["recv"] + 1, self._told, 0
        self._acknowledged(welcome["recv"])
        self._is_open = True
        self._notify()

    async def _write(self, socket):
        """The only one that sends after hello, so that s and the order are right."""
        with suppress(ConnectionClosed, SessionEnded):
            while not self._has_said_bye:
                await self._until(
                    lambda: self._pongs_due or self._handed > self._told or self._next <= self._seq or self._is_ending
                )
                if self._pongs_due:
                    self._pongs_due -= 1
                    await socket.send(control("q"))
                elif self._handed > self._told:
                    self._told = self._handed
                    await socket.send(control("a", r=self._told, s=self._next - 1))
                elif self._next <= self._seq:
                    data = self._window[self._next - self._seq - 1]
                    self._next += 1
                    self._prune()
                    await socket.send(escape(data))
                else:
                    self._has_said_bye = True
                    await socket.send(control("bye"))

    def _receive(self, wire):
        if not is_control(wire):
            return self._receive_data(unescape(wire))
        message = parse_control(wire)
        if message["t"] == "a":
            if message["s"] != self._arriving:
                raise HangUp(4500, f"s is {message['s']}, received were {self._arriving}")
            self._acknowledged(message["r"])
        elif message["t"] == "p":
            self._pongs_due += 1
        elif message["t"] == "bye":
            raise HangUp(1000, "bye")
        elif message["t"] == "welcome":
            raise HangUp(4400, "a second welcome")
        self._notify()

    def _receive_data(self, data):
        self._arriving += 1
        if self._arriving <= self._received:  # S-18
            return
        self._received += 1
        self._inbox.append(data)
        self._inbox_bytes += size_of(data)
        is_over = self._inbox_bytes > 4 * self._limits["bytes"] or len(self._inbox) > self._limits["messages"]
        if is_over and len(self._inbox) > 1:  # S-32
            raise HangUp(4500, "window overrun")
        self._notify()

    def _acknowledged(self, number):
        if not self._acked <= number <= self._seq:  # S-21
            raise HangUp(4500, f"r is {number}, not within {self._acked} and {self._seq}")
        self._acked = number
        self._prune()

    def _prune(self):
        """Drops what is acknowledged, but not before a replay has passed it (S-25)."""
        while self._seq - len(self._window) < min(self._acked, self._next - 1):
            self._window_bytes -= size_of(self._window.popleft())

    def _unacked(self):
        return list(self._window)[len(self._window) - (self._seq - self._acked) :]

    def _lose(self, reason):
        unacked = self._unacked()
        self._forget()
        self._on_lost(unacked, reason)


def refusal(error):
    """A refused handshake as (close code that means the same, reason, seconds to wait)."""
    response = getattr(error, "response", error)  # websockets 13 and newer; before, the error has it all
    status = getattr(response, "status_code", None)
    after = getattr(response, "headers", {}).get("Retry-After", "")
    return 4401 if status in (401, 403) else 1006, str(error), int(after) if after.isdigit() else 0
