"""The test kit for users: a scripted transport, ASGI applications without a socket, a manual clock.

`railhttp.testing.pytest_plugin` offers both as fixtures, `railhttp.testing.strategies` strategies
for hypothesis. Each needs its library installed.
"""

from railhttp.testing.asgi import ASGITransport
from railhttp.testing.clock import ManualClock
from railhttp.testing.scripted.requests import SentRequest
from railhttp.testing.scripted.route import ScriptedRoute
from railhttp.testing.scripted.transport import ScriptedTransport, UnmatchedRequestError

__all__ = [
    "ASGITransport",
    "ManualClock",
    "ScriptedRoute",
    "ScriptedTransport",
    "SentRequest",
    "UnmatchedRequestError",
]
