"""Instruments observe calls and attempts; events, metrics, the log and traces are instruments."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

from railhttp.model.errors import FAILURES, HTTPFailure, HTTPValidationError
from railhttp.model.events import LayerEvent
from railhttp.model.gauges import GaugeSource, GaugeWatcherProtocol
from railhttp.model.headers import require_headers
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.request import Request, require_framing
from railhttp.model.response import HttpResponse
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.call import HTTPCall
from railhttp.pipeline.observation.request_log import REQUEST_LOG

_LOG: Final = logging.getLogger("railhttp")


class ObservationProtocol(Protocol):
    """The observation of one call or attempt, kept until its end."""

    def ended(self, finished: RequestFinished, /) -> None:
        """Handle the end; called exactly once, in the task of the beginning."""
        ...


@runtime_checkable
class BodyObservationProtocol(ObservationProtocol, Protocol):
    """An observation that follows the body of a stream; any observation may be one."""

    def body_ended(self, finished: RequestFinished, /) -> None:
        """Handle the end of a body, which comes after an `ended` whose `streams` is True.

        It is called exactly once, in any task. `failure` is None unless the body broke off: also if
        the caller did not read it to its end.
        """
        ...


@runtime_checkable
class RedirectObservationProtocol(ObservationProtocol, Protocol):
    """An observation of an attempt that follows its redirects; any observation may be one."""

    def redirected(self, answer: HttpResponse, hop: RequestStarted, /) -> None:
        """Handle a redirect.

        Args:
            answer: The response that redirects.
            hop: The next request; header fields added to its `added` are sent.
        """
        ...


@runtime_checkable
class EventInstrumentProtocol(Protocol):
    """An instrument that is passed the events of the layers, too; any instrument may be one.

    Example:
        >>> class Printing:
        ...     def event_occurred(self, event: LayerEvent) -> None:
        ...         print(event)
        >>> isinstance(Printing(), EventInstrumentProtocol)
        True
    """

    def event_occurred(self, event: LayerEvent, /) -> None:
        """Handle an event; called synchronously, in the task of the call that noticed it."""
        ...


@runtime_checkable
class InstrumentProtocol(Protocol):
    """Observes every call and every attempt of it.

    Its methods are called synchronously, so they must be quick. Exceptions from them are logged and
    never reach the call. An instrument with an attribute `asks_for_timings` that is true makes the
    client time the phases of its requests; see `HttpResponse.timings`.

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


class OpenBody(NamedTuple):
    """The observations that wait for the end of a body.

    Attributes:
        observations: The observations.
        began: When the call or the attempt began.
        since: When the head had arrived.
        answer: The response, without its body.
    """

    observations: tuple[BodyObservationProtocol, ...]
    began: float
    since: float
    answer: HttpResponse

    def ended(self, call: HTTPCall, failure: HTTPFailure | None) -> None:
        """Report the end of the body."""
        seconds = call.clock.monotonic() - self.began
        finished = RequestFinished(seconds, call.attempts, self.answer, failure, call.timings)
        for observation in reversed(self.observations):
            try:
                observation.body_ended(finished)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                _complain(observation, error)


_Started: TypeAlias = Callable[[RequestStarted], ObservationProtocol | None]


class Instruments:
    """Several instruments as one, and the log as the last of them."""

    __slots__ = ("_listeners", "_watchers", "_with_log")

    def __init__(self, instruments: Iterable[InstrumentProtocol] = ()) -> None:
        given = tuple(instruments)
        self._listeners = Listeners(given) if given else None
        self._with_log = Listeners((*given, REQUEST_LOG))
        self._watchers = [one for one in given if isinstance(one, GaugeWatcherProtocol)]

    @property
    def is_empty(self) -> bool:
        """Whether the client has no instruments, the log aside."""
        return self._listeners is None

    def watch(self, source: GaugeSource) -> None:
        """Let the instruments that collect gauges collect those of a client."""
        for watcher in self._watchers:
            watcher.watch(source)

    @property
    def listening(self) -> "Listeners | None":
        """The instruments for a call that begins; None, at no cost, without any."""
        return self._with_log if REQUEST_LOG.is_enabled else self._listeners


class Listeners:
    """The instruments that observe one call.

    Attributes:
        timed: Whether one of them asks for timings.
    """

    __slots__ = ("_attempts", "_calls", "_events", "timed")

    def __init__(self, instruments: Iterable[InstrumentProtocol]) -> None:
        instruments = tuple(instruments)
        self._events = tuple(one for one in instruments if isinstance(one, EventInstrumentProtocol))
        self.timed: Final = any(getattr(one, "asks_for_timings", False) for one in instruments)
        self._calls = tuple((one, one.call_started) for one in instruments)
        self._attempts = tuple((one, one.attempt_started) for one in instruments)

    def call_started(self, call: RequestStarted) -> Observations:
        """Report that a call begins; empty if the end matters to no instrument."""
        return _report(self._calls, call)

    def attempt_started(self, attempt: RequestStarted) -> Observations:
        """Report that an attempt is about to be sent; empty as for a call."""
        return _report(self._attempts, attempt)

    def event_occurred(self, event: LayerEvent) -> None:
        """Report an event of a layer."""
        for instrument in self._events:
            try:
                instrument.event_occurred(event)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                _complain(instrument, error)


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
        now = clock.monotonic()
        streams = answer is not None and call.incoming is not None
        finished = RequestFinished(
            now - started, call.attempts, answer, failure, call.timings, streams
        )
        _report_end(observations, finished)
        if answer is not None and streams:
            followers = tuple(o for o in observations if isinstance(o, BodyObservationProtocol))
            call.bodies += (OpenBody(followers, started, now, answer),)
    return received


async def observed_attempt(
    send: Callable[[HTTPCall], Awaitable[HttpResponse]], call: HTTPCall, listeners: Listeners
) -> HttpResponse:
    """Make an attempt, and report its beginning and its end."""
    # A coroutine, so that both are reported in the same task: a foreign breaker may run it in
    # another task, or never.
    call.sends += 1
    started = call.started_event(call.attempts - 1, call.request)
    call.observations = observations = listeners.attempt_started(started)
    call.timer = PhaseTimer(call.clock.monotonic) if listeners.timed else None
    if started.added:
        call.request = with_added(call.request, started.added)
    if not observations:
        return await send(call)
    return await observed(send, call, observations)


def observed_redirect(call: HTTPCall, answer: HttpResponse, request: Request) -> Request:
    """Report a redirect, and return the next request, with the fields that instruments add."""
    call.sends += 1
    if call.timer is not None:
        call.timer = PhaseTimer(call.timer.now)
    hop = call.started_event(call.attempts - 1, request)
    for observation in call.observations:
        if isinstance(observation, RedirectObservationProtocol):
            try:
                observation.redirected(answer, hop)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                _complain(observation, error)
    return with_added(request, hop.added) if hop.added else request


def with_added(request: Request, added: Mapping[str, str]) -> Request:
    """Add the fields of instruments, unless they cannot be sent: they never harm a request."""
    try:
        headers = require_headers(added)
        require_framing(headers, request.body)
    except HTTPValidationError:
        return request
    return request.with_headers(headers)
