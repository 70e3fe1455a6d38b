"""How far an attempt has come, and what that proves about its delivery."""

from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from railhttp.model.errors import CallInfo, Delivery, TimeoutPhase
from railhttp.model.redaction import redact_url
from railhttp.model.timings import PhaseTimer


class Stage(Enum):
    """The stages of an attempt, in order."""

    QUEUED = 0
    CONNECTING = 1
    SENDING = 2
    ANSWERED = 3

    @property
    def delivery(self) -> Delivery:
        """The proof that the stage gives of the request having reached the server."""
        return _DELIVERY[self]

    @property
    def phase(self) -> TimeoutPhase:
        """The phase that a time limit names if it ends the attempt at this stage."""
        return _PHASES[self]


# For what each call sets: to look a member up in an enum takes as long as thirty attributes of an
# object (benchmarks/README.md).
QUEUED: Final = Stage.QUEUED
SENDING: Final = Stage.SENDING
ANSWERED: Final = Stage.ANSWERED

_DELIVERY: Final = {
    Stage.QUEUED: Delivery.NOT_SENT,
    Stage.CONNECTING: Delivery.NOT_SENT,
    Stage.SENDING: Delivery.MAYBE_SENT,
    Stage.ANSWERED: Delivery.ANSWERED,
}
_PHASES: Final[dict[Stage, TimeoutPhase]] = {
    Stage.QUEUED: "pool",
    Stage.CONNECTING: "connect",
    Stage.SENDING: "read",
    Stage.ANSWERED: "read",
}


class AttemptState(Protocol):
    """The state of an attempt, shared by its call and the exchange.

    Attributes:
        attempts: The number of this attempt, counted from 1.
        started: When the call began, in seconds on the monotonic clock.
        stage: How far the attempt has come; only the exchange sets it.
        timer: Collects the phases of the exchange; None if no instrument asks for them.
        starvation: Returns why no connection is free; None unless the attempt waits for one.
    """

    attempts: int
    started: float
    stage: Stage
    timer: PhaseTimer | None
    starvation: Callable[[], str] | None

    def pool_waited(self, seconds: float, *, admitted: bool) -> None:
        """Report a wait for a place in the pool that has ended.

        Args:
            seconds: The duration of the wait.
            admitted: Whether it ended with a place.
        """
        ...

    @property
    def delivery(self) -> Delivery:
        """The strongest proof by this attempt and those before it."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether a second send of the call's request is possible and harmless."""
        ...


def call_info(method: str, url: str, attempt: AttemptState, now: float) -> CallInfo:
    """Collect the details of a failed request, whose URL differs from the call's by redirects."""
    return {
        "method": method,
        "url": redact_url(url),  # a traceback can show this dict
        "delivery": attempt.delivery,
        "attempts": attempt.attempts,
        "elapsed": now - attempt.started,
    }
