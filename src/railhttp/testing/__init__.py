"""The users' test kit: a scripted transport and a clock that is turned by hand.

`railhttp.testing.pytest_plugin` has them as fixtures, `railhttp.testing.strategies` has strategies
for hypothesis; each needs its library installed.
"""

from railhttp.testing.clock import ManualClock
from railhttp.testing.scripted.route import ScriptedRoute
from railhttp.testing.scripted.steps import SentRequest
from railhttp.testing.scripted.transport import ScriptedTransport, UnmatchedRequestError

__all__ = [
    "ManualClock",
    "ScriptedRoute",
    "ScriptedTransport",
    "SentRequest",
    "UnmatchedRequestError",
]
