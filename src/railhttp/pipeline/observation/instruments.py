"""Instruments observe calls and attempts; events, metrics, the log and traces are instruments."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, runtime_checkable

from railhttp.model.errors import FAILURES, HTTPFailure, HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.request import Request, require_framing
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import HTTPCall
from railhttp.pipeline.observation.request_log import REQUEST_LOG

_LOG: Final = logging.getLogger("railhttp")


class ObservationProtocol(Protocol):
    """The observation of one call or attempt, kept until its end."""

    def ended(self, finished: RequestFinished, /) -> None:
        """Handle the end; called exactly once, in the task of the beginning."""
        ...


@runtime_checkable
class InstrumentProtocol(Protocol):
    """Observes every call and every attempt of it.

    Its methods are called synchronously, so they must be quick. Exceptions from them are logged and
    never reach the call.

    Example:
        >>> class Numbered:
        ...     def call_started(self, call: RequestStarted) -> None: ...
        ...     def attempt_started(self, attempt: RequestStarted) -> None:
        ...         attempt.added["X-Attempt"] = str(attempt.attempt)
        >>> isinstance(Numbered(), InstrumentProtocol)
        True
    """

    def call_started(self, call: RequestStarted, /) -> ObservationProtocol | None:
        """Handle the beginning of a call.

        Returns:
            The observation that handles the end; None if the end does not matter.
        """
        ...

    def attempt_started(self, attempt: RequestStarted, /) -> ObservationProtocol | None:
        """Handle the beginning of an attempt, after all interceptors and just before it is sent.

        Args:
            attempt: The attempt; header fields added to its `added` are sent too.

        Returns:
            See `call_started`.
        """
        ...


Observations: TypeAlias = Sequence[ObservationProtocol]
"""The observations of all instruments of one call or attempt."""

_Started: TypeAlias = Callable[[RequestStarted], ObservationProtocol | None]


class Instruments:
    """Several instruments as one, and the log as the last of them."""

    __slots__ = ("_listeners", "_with_log")

    def __init__(self, instruments: Iterable[InstrumentProtocol] = ()) -> None:
        given = tuple(instruments)
        self._listeners = Listeners(given) if given else None
        self._with_log = Listeners((*given, REQUEST_LOG))

    @property
    def listening(self) -> "Listeners | None":
        """The instruments for a call that begins; None, at no cost, without any."""
        return self._with_log if REQUEST_LOG.is_enabled else self._listeners


class Listeners:
    """The instruments that observe one call."""

    __slots__ = ("_attempts", "_calls")

    def __init__(self, instruments: Iterable[InstrumentProtocol]) -> None:
        self._calls = tuple((one, one.call_started) for one in instruments)
        self._attempts = tuple((one, one.attempt_started) for one in instruments)

    def call_started(self, call: RequestStarted) -> Observations:
        """Report that a call begins; empty if the end matters to no instrument."""
        return _report(self._calls, call)

    def attempt_started(self, attempt: RequestStarted) -> Observations:
        """Report that an attempt is about to be sent; empty as for a call."""
        return _report(self._attempts, attempt)


def _report(
    starts: Iterable[tuple[InstrumentProtocol, _Started]], event: RequestStarted
) -> Observations:
    observations = []
    for instrument, started in starts:
        try:
            observation = started(event)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            _complain(instrument, error)
        else:
            if observation is not None:
                observations.append(observation)
    return observations


def _report_end(observations: Observations, finished: RequestFinished) -> None:
    for observation in reversed(observations):
        try:
            observation.ended(finished)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            _complain(observation, error)


def _complain(culprit: object, error: Exception) -> None:
    # Without its text and traceback, which may hold what the request holds.
    _LOG.warning("%s raised %s", type(culprit).__name__, type(error).__name__)


async def observed(
    send: Callable[[HTTPCall], Awaitable[HttpResponse]], call: HTTPCall, observations: Observations
) -> HttpResponse:
    """Make a call or an attempt, and report how it ended."""
    clock = call.clock
    started = clock.monotonic()
    answer: HttpResponse | None = None
    failure: HTTPFailure | None = None
    try:
        answer = received = await send(call)
    except FAILURES as error:
        failure = error
        raise
    except asyncio.CancelledError as error:
        failure = call.cut_off(error)
        raise
    finally:
        seconds = clock.monotonic() - started
        _report_end(observations, RequestFinished(seconds, call.attempts, answer, failure))
    return received


def with_added(request: Request, added: Mapping[str, str]) -> Request:
    """Add the fields of instruments, unless they cannot be sent: they never harm a request."""
    try:
        headers = require_headers(added)
        require_framing(headers, request.body)
    except HTTPValidationError:
        return request
    return request.with_headers(headers)
