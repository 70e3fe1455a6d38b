"""How far one attempt has come, and so what is proven about its delivery."""

from enum import Enum
from typing import Protocol

from railhttp.model.errors import CallInfo, Delivery


class Stage(Enum):
    """The stages of an attempt, in order; the value says what each proves.

    Example:
        >>> Stage.CONNECTING.delivery
        <Delivery.NOT_SENT: 'not sent'>
    """

    QUEUED = 0
    CONNECTING = 1
    SENDING = 2
    ANSWERED = 3

    @property
    def delivery(self) -> Delivery:
        """What is proven about the request having reached the server."""
        return _DELIVERY[self]


_DELIVERY = {
    Stage.QUEUED: Delivery.NOT_SENT,
    Stage.CONNECTING: Delivery.NOT_SENT,
    Stage.SENDING: Delivery.MAYBE_SENT,
    Stage.ANSWERED: Delivery.ANSWERED,
}


class AttemptState(Protocol):
    """What an exchange reads of its call, and the one thing it tells it: the stage.

    Attributes:
        attempts: Which attempt this is, counted from 1.
        started: When the call began, on the monotonic clock, in seconds.
        stage: How far the attempt has come; only the exchange sets it.
    """

    attempts: int
    started: float
    stage: Stage

    @property
    def delivery(self) -> Delivery:
        """What is proven by this attempt and those before it."""
        ...


def call_info(method: str, url: str, progress: AttemptState, now: float) -> CallInfo:
    """Say what every failure of a call has to know.

    Args:
        method: The method of the request that failed.
        url: Its URL, which after a redirect is not the call's.
        progress: The call.
        now: The time, on the monotonic clock.
    """
    return {
        "method": method,
        "url": url,
        "delivery": progress.delivery,
        "attempts": progress.attempts,
        "elapsed": now - progress.started,
    }
