"""The phases of an exchange, and how long each took."""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

Phase: TypeAlias = Literal["queue", "dns", "tcp", "tls", "send", "wait", "body"]
"""A phase of an exchange; see `Timings`."""


class Timings(NamedTuple):
    """The phases of an exchange in seconds; None for one that did not happen or was not timed.

    A reused connection has no `dns`, `tcp` and `tls`, and the head of a stream has no `body`.

    Attributes:
        queue: Waiting for a place in the pool.
        dns: Resolving the name; a cached name is not resolved.
        tcp: Connecting; through a proxy, to the proxy.
        tls: The TLS handshake.
        send: Sending the request with its body.
        wait: Waiting for the head of the response.
        body: Reading the body.

    Example:
        >>> Timings(send=0.001, wait=0.02).timed()
        {'send': 0.001, 'wait': 0.02}
        >>> bool(Timings())
        False
    """

    queue: float | None = None
    dns: float | None = None
    tcp: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    body: float | None = None

    def __bool__(self) -> bool:
        """Return whether any phase was timed."""
        return any(seconds is not None for seconds in self)

    def timed(self) -> dict[str, float]:
        """Return the phases that were timed, in order."""
        return {name: value for name, value in self._asdict().items() if value is not None}


NO_TIMINGS: Final = Timings()
"""The timings of an exchange without a timer."""


class PhaseTimer:
    """Collects the phases of one exchange.

    Args:
        now: Returns the time in seconds, on a clock that never goes back.

    Example:
        >>> times = iter([1.0, 1.5, 1.75])
        >>> timer = PhaseTimer(lambda: next(times))
        >>> since = timer.now()
        >>> since = timer.ended("dns", since)
        >>> since = timer.ended("tcp", since)
        >>> timer.timings
        Timings(queue=None, dns=0.5, tcp=0.25, tls=None, send=None, wait=None, body=None)
    """

    __slots__ = ("_phases", "now")

    def __init__(self, now: Callable[[], float]) -> None:
        self.now: Final = now
        self._phases: dict[Phase, float] = {}

    def ended(self, phase: Phase, since: float, until: float | None = None) -> float:
        """Add the time of a phase that began at `since` and ends now; return its end."""
        end = self.now() if until is None else until
        self._phases[phase] = self._phases.get(phase, 0.0) + max(end - since, 0.0)
        return end

    @property
    def timings(self) -> Timings:
        """The phases so far."""
        return Timings(**self._phases)
