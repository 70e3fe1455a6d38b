"""The users' test kit: a scripted transport and a clock that is turned by hand.

`railhttp.testing.pytest_plugin` has them as fixtures, `railhttp.testing.strategies` has strategies
for hypothesis; each needs its library installed.
"""

from railhttp.client.scripted.route import ScriptedRoute
from railhttp.client.scripted.steps import SentRequest
from railhttp.client.scripted.transport import ScriptedTransport, UnmatchedRequestError
from railhttp.testing.clock import ManualClock

__all__ = [
    "ManualClock",
    "ScriptedRoute",
    "ScriptedTransport",
    "SentRequest",
    "UnmatchedRequestError",
]
