"""Judges examples/python/hawser_wire.py by docs/session-protocol-vectors.json: prints the names of what it gets wrong."""

import json
import pathlib
import sys

root = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(root / "examples" / "python"))
import hawser_wire as wire  # noqa: E402


def expand(text):
    return text if isinstance(text, str) else "".join(part if isinstance(part, str) else part[0] * part[1] for part in text)


def outcome(text):
    try:
        return {"control": wire.parse_control(text)} if wire.is_control(text) else {"data": wire.unescape(text)}
    except wire.HangUp as end:
        return {"close": end.args[0]}


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
print(json.dumps({"judged": len(received) + len(vectors["send"]), "wrong": wrong}))
