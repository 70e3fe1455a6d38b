"""A call that plays a script, for tests of the layers around it."""

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPClientError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPTimeoutError,
)
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.pipeline.scope import CallScope
from railhttp.testing import ManualClock

T = TypeVar("T")


class ScriptedCall(CallScope):
    """Each attempt plays the next outcome; the last one is played for ever."""

    def __init__(
        self,
        clock: ManualClock,
        outcomes: Iterable[HTTPFailure | HttpResponse] = (),
        *,
        method: str = "GET",
        host: str = "http://h:80",
        repeatable: bool = True,
        replayable: bool = True,
        timeout: float | None = None,
        takes: float = 0.0,
    ) -> None:
        self._clock = clock
        self._outcomes = list(outcomes) or [HttpResponse(200)]
        self._takes = takes
        self.method = method
        self.host = host
        self.repeatable = repeatable
        self.replayable = replayable
        self.started = clock.monotonic()
        self.deadline = None if timeout is None else self.started + timeout
        self.attempts = 0
        self.began: list[float] = []

    async def __call__(self) -> HttpResponse:
        self.began.append(self._clock.monotonic())
        self.attempts += 1
        if self._takes:
            await self._clock.sleep(self._takes)
        outcome = self._outcomes[min(self.attempts, len(self._outcomes)) - 1]
        if isinstance(outcome, HttpResponse):
            return outcome
        raise outcome

    def call_info(self) -> CallInfo:
        return {
            "method": self.method,
            "url": self.host,
            "delivery": Delivery.MAYBE_SENT if self.attempts else Delivery.NOT_SENT,
            "attempts": self.attempts,
            "elapsed": self._clock.monotonic() - self.started,
        }


async def outcome_of(awaitable: Awaitable[T]) -> T | HTTPClientError:
    """What comes of it: its result, or the failure that it raised."""
    try:
        return await awaitable
    except HTTPClientError as error:
        return error


def refused() -> HTTPConnectionError:
    """A failure that proves that nothing was sent."""
    return HTTPConnectionError("refused", kind="connect", delivery=Delivery.NOT_SENT)


def lost() -> HTTPConnectionError:
    """A failure that proves nothing."""
    return HTTPConnectionError("connection lost", kind="disconnected")


def silent() -> HTTPTimeoutError:
    """An attempt without an answer."""
    return HTTPTimeoutError("no answer", phase="read")


def answer(status: int, **headers: str) -> HttpResponse:
    """An answer; in the names of its fields `_` stands for `-`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, freeze_headers(fields))
