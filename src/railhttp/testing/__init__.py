"""The test kit for users: a scripted transport, and a clock that tests move by hand.

`railhttp.testing.pytest_plugin` offers both as fixtures, `railhttp.testing.strategies` strategies
for hypothesis. Each needs its library installed.
"""

from railhttp.testing.clock import ManualClock
from railhttp.testing.scripted.requests import SentRequest
from railhttp.testing.scripted.route import ScriptedRoute
from railhttp.testing.scripted.transport import ScriptedTransport, UnmatchedRequestError

__all__ = [
    "ManualClock",
    "ScriptedRoute",
    "ScriptedTransport",
    "SentRequest",
    "UnmatchedRequestError",
]
