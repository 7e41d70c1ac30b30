"""Judges the client of examples/python by docs/session-protocol-vectors.json: prints the names of what it gets wrong."""

import json
import pathlib
import sys

root = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(root / "examples" / "python"))
import hawser_session  # noqa: E402
import hawser_wire as wire  # noqa: E402


def expand(text):
    return text if isinstance(text, str) else "".join(part if isinstance(part, str) else part[0] * part[1] for part in text)


def outcome(text):
    try:
        return {"control": wire.parse_control(text)} if wire.is_control(text) else {"data": wire.unescape(text)}
    except wire.HangUp as end:
        return {"close": end.args[0]}


def acknowledge(state, control):
    """A session in that state, which receives an acknowledgement."""
    session = hawser_session.Session("ws://127.0.0.1")
    session._acked, session._seq, session._arriving = state["acked"], state["seq"], state["arrived"]
    session._window.extend("x" * (session._seq - session._acked))
    session._next = session._seq + 1
    try:
        session._receive(wire.control(control["t"], r=control["r"], s=control["s"]))
    except wire.HangUp as end:
        return {"close": end.args[0]}
    return {"acked": session._acked}


vectors = json.loads((root / "docs" / "session-protocol-vectors.json").read_text())
received = [vector for vector in vectors["receive"] if vector["to"] != "server"]
wrong = []
for vector in received:
    expected = {key: vector[key] for key in ("data", "control", "close") if key in vector}
    if "data" in expected:
        expected["data"] = expand(expected["data"])
    if outcome(expand(vector["text"])) != expected:
        wrong.append(vector["name"])
for vector in vectors["send"]:
    if wire.escape(vector["data"]) != vector["text"]:
        wrong.append(vector["name"])
for vector in vectors["counters"]:
    if acknowledge(vector["state"], vector["control"]) != {key: vector[key] for key in ("acked", "close") if key in vector}:
        wrong.append(vector["name"])
print(json.dumps({"judged": len(received) + len(vectors["send"]) + len(vectors["counters"]), "wrong": wrong}))
