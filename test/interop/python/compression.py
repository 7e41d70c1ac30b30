"""The ways of compressing that the interop tests try, as arguments of websockets.serve() and websockets.connect()."""
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

PARAMETERS = {
    "context takeover": {},
    "no context takeover": {"server_no_context_takeover": True, "client_no_context_takeover": True},
    "windows of 9 bits": {"server_max_window_bits": 9, "client_max_window_bits": 9},
}


def arguments(name, role):
    if name == "no extension":
        return {"compression": None}
    factory = ServerPerMessageDeflateFactory if role == "server" else ClientPerMessageDeflateFactory
    return {"compression": None, "extensions": [factory(**PARAMETERS[name])]}
