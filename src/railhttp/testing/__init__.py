"""The test kit for users: a scripted transport, ASGI applications without a socket, a manual clock.

`railhttp.testing.pytest_plugin` offers both as fixtures, `railhttp.testing.strategies` strategies
for hypothesis. Each needs its library installed.
"""

from railhttp.testing.asgi import ASGITransport
from railhttp.testing.clock import ManualClock
from railhttp.testing.contract import ContractBroken
from railhttp.testing.scripted.endpoint_stub import EndpointStub, EventsStub, StreamStub
from railhttp.testing.scripted.requests import SentRequest
from railhttp.testing.scripted.route import ScriptedRoute
from railhttp.testing.scripted.transport import ScriptedTransport, UnmatchedRequestError
from railhttp.testing.server import ScriptServer, serve

__all__ = [
    "ASGITransport",
    "ContractBroken",
    "EndpointStub",
    "EventsStub",
    "ManualClock",
    "ScriptServer",
    "ScriptedRoute",
    "ScriptedTransport",
    "SentRequest",
    "StreamStub",
    "UnmatchedRequestError",
    "serve",
]
