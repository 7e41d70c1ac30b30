"""What is on the wire of hawser.v1: control messages, their bounds, and how a user's text is told from them.

S-1, S-2… are requirements of docs/session-protocol.md.
"""

import json

COUNT, POSITIVE, TIME, DURATION = range(2**53), range(1, 2**53), range(2**31), range(1, 2**31)
ID = "1 to 64 characters"
WINDOW, HEARTBEAT = {"messages": POSITIVE, "bytes": POSITIVE}, {"interval": DURATION, "timeout": DURATION}
WELCOME = {"sid": ID, "tok": ID, "gen": POSITIVE, "resumed": bool, "recv": COUNT, "epoch": ID, "ttl": DURATION}
RECEIVED = {  # section 4, the part that a client receives; what stands in a list may be missing
    "welcome": {**WELCOME, "hb": HEARTBEAT, "limits": WINDOW, "reason": [str]},
    "drain": {"in": TIME, "retryAfter": [TIME]}, "a": {"r": COUNT, "s": COUNT}, "p": {}, "q": {}, "bye": {},
}  # fmt: skip


class HangUp(Exception):
    """Ends the connection with (code, reason)."""


def is_control(wire):
    return isinstance(wire, str) and wire.startswith("\x01") and not wire.startswith("\x01\x01")


def escape(data):  # S-5
    return "\x01" + data if isinstance(data, str) and data.startswith("\x01") else data


def unescape(wire):
    return wire[1:] if isinstance(wire, str) and wire.startswith("\x01") else wire


def size_of(data):  # S-30
    return len(data.encode() if isinstance(data, str) else data)


def length(text):  # S-7
    return len(text.encode("utf-16-le")) // 2


def read(value, shape):
    """What `shape` lists of `value`, and nothing else (S-9). Raises ValueError where that is missing or out of bounds."""
    if isinstance(shape, dict) and isinstance(value, dict):
        given = {name: inner for name, inner in shape.items() if name in value or not isinstance(inner, list)}
        return {name: read(value.get(name), inner) for name, inner in given.items()}
    if isinstance(shape, list):
        return read(value, shape[0])
    is_number = isinstance(shape, range) and type(value) is int and value in shape
    is_id = shape is ID and isinstance(value, str) and 1 <= length(value) <= 64
    if not is_number and not is_id and type(value) is not shape:
        raise ValueError(f"{shape} expected")
    return value


def parse_control(wire):
    """The listed members of a control message, S-6 to S-9. Raises HangUp when it is malformed."""
    try:
        if length(wire) > 4096:
            raise ValueError("more than 4096 characters")
        message = json.loads(wire[1:])
        control = {"t": message["t"], **read(message, RECEIVED[message["t"]])}
        if control.get("resumed") is False and control["recv"] != 0:
            raise ValueError("a new session begins at 0")
        return control
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise HangUp(4400, "malformed control message") from error


def control(kind, **members):
    return "\x01" + json.dumps({"t": kind, **members}, separators=(",", ":"))
