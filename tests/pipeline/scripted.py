"""A call that plays a script, for tests of the layers around it."""

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from typing_extensions import override

from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPClientError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPTimeoutError,
)
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.pipeline.attempt import Attempt
from railhttp.pipeline.call import Call
from railhttp.testing import ManualClock

T = TypeVar("T")


class _Script(Call):
    """What the layers know of a scripted call."""

    def __init__(
        self,
        clock: ManualClock,
        timeout: float | None,
        *,
        method: str,
        origin: str,
        repeatable: bool,
        replayable: bool,
    ) -> None:
        super().__init__(clock, timeout)
        self.method = method
        self.origin = origin
        self._repeatable = repeatable
        self._replayable = replayable

    @property
    @override
    def repeatable(self) -> bool:
        return self._repeatable

    @property
    @override
    def replayable(self) -> bool:
        return self._replayable

    @override
    def call_info(self) -> CallInfo:
        return {
            "method": self.method,
            "url": self.origin,
            "delivery": self.delivery,
            "attempts": self.attempts,
            "elapsed": self.clock.monotonic() - self.started,
        }


class ScriptedCall(Attempt[HttpResponse]):
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
        script = _Script(
            clock,
            timeout,
            method=method,
            origin=host,
            repeatable=repeatable,
            replayable=replayable,
        )
        super().__init__(script, self._play)
        self._outcomes = list(outcomes) or [HttpResponse(200)]
        self._takes = takes
        self.began: list[float] = []

    @property
    def attempts(self) -> int:
        return self.call.attempts

    async def _play(self) -> HttpResponse:
        clock = self.call.clock
        self.began.append(clock.monotonic())
        self.call.attempts += 1
        if self._takes:
            await clock.sleep(self._takes)
        outcome = self._outcomes[min(self.attempts, len(self._outcomes)) - 1]
        if isinstance(outcome, HttpResponse):
            return outcome
        raise outcome


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
