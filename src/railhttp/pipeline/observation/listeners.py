"""Reports the beginning and the end of calls, attempts and bodies to instruments.

The instruments of users are passed values that are built for them. Our own are passed the call
itself, which already has what they need: with an observer and metrics that is most of the cost
(benchmarks/README.md).
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVarTuple, Unpack

from railhttp.model.errors import HTTPFailure, HTTPValidationError
from railhttp.model.gauges import GaugeSource, GaugeWatcherProtocol
from railhttp.model.headers import require_headers
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.request import Request, require_framing
from railhttp.model.response import HttpResponse
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.observation.instruments import (
    BodyObservationProtocol,
    EventInstrumentProtocol,
    InstrumentProtocol,
    ObservationProtocol,
)
from railhttp.pipeline.observation.request_log import REQUEST_LOG, logs_requests

if TYPE_CHECKING:
    from railhttp.model.events import LayerEvent

_LOG: Final = logging.getLogger("railhttp")

Observations: TypeAlias = Sequence[ObservationProtocol]
"""The observations of the instruments of users, of one call or attempt."""


class CallListener:
    """An instrument of our own. It keeps nothing between the calls of its methods."""

    __slots__ = ()

    def attempt_sent(self, call: HTTPCall) -> None:
        """Handle that an attempt is about to be sent."""

    def attempt_answered(self, call: HTTPCall, answer: HttpResponse) -> None:
        """Handle the response of an attempt."""

    def call_answered(self, call: HTTPCall, answer: HttpResponse, seconds: float) -> None:
        """Handle the end of a call that received a response; that of a stream has no body yet."""

    def call_failed(self, call: HTTPCall, finished: RequestFinished) -> None:
        """Handle the end of a call that failed or was cancelled."""

    def body_ended(self, call: HTTPCall, finished: RequestFinished, until_head: float) -> None:
        """Handle the end of a body, which comes after a `call_answered` of a stream.

        Args:
            until_head: The seconds from the beginning of the call to its response.
        """

    def event_occurred(self, event: "LayerEvent") -> None:
        """Handle the event of a layer."""


class OpenBody(NamedTuple):
    """The instruments that wait for the end of a body.

    Attributes:
        observations: Those of users.
        listeners: Ours, if this is about the call and not about an attempt.
        began: When the call or the attempt began.
        since: When the head had arrived.
        answer: The response, without its body.
    """

    observations: tuple[BodyObservationProtocol, ...]
    listeners: tuple[CallListener, ...]
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
                complain(observation, error)
        until_head = self.since - self.began
        _each([one.body_ended for one in reversed(self.listeners)], call, finished, until_head)


class Instruments:
    """Several instruments as one, and the log as the last of them.

    Args:
        instruments: Those of users.
        listeners: Ours; they come before those of users.
    """

    __slots__ = ("_listeners", "_watchers", "_with_log")

    def __init__(
        self,
        instruments: Iterable[InstrumentProtocol] = (),
        listeners: Iterable[CallListener] = (),
    ) -> None:
        given, own = tuple(instruments), tuple(listeners)
        self._listeners = Listeners(given, own) if given or own else None
        self._with_log = Listeners((*given, REQUEST_LOG), own)
        self._watchers = [one for one in (*own, *given) if isinstance(one, GaugeWatcherProtocol)]

    @property
    def is_empty(self) -> bool:
        """Whether the client has no instruments, the log aside."""
        return self._listeners is None

    def watch(self, source: GaugeSource) -> None:
        """Let the instruments that collect gauges collect those of a client."""
        for watcher in self._watchers:
            watcher.watch(source)

    def listening(self) -> "Listeners | None":
        """The instruments for a call that begins; None, at no cost, without any."""
        return self._with_log if logs_requests() else self._listeners


Ts = TypeVarTuple("Ts")
_Started: TypeAlias = Callable[[RequestStarted], ObservationProtocol | None]


class Listeners:
    """The instruments that observe one call.

    Attributes:
        timed: Whether one of them asks for timings.
        see_attempts: Whether attempts matter to any of them.
    """

    __slots__ = (
        *("_answered", "_attempts", "_calls", "_ended", "_events", "_failed", "_own", "_sent"),
        *("see_attempts", "timed"),
    )

    def __init__(
        self, instruments: Iterable[InstrumentProtocol], own: Sequence[CallListener] = ()
    ) -> None:
        instruments = tuple(instruments)
        events = tuple(one for one in instruments if isinstance(one, EventInstrumentProtocol))
        self._events: tuple[EventInstrumentProtocol, ...] = (*own, *events)
        self.timed: Final = any(getattr(one, "asks_for_timings", False) for one in instruments)
        self._calls = tuple((one, one.call_started) for one in instruments)
        self._attempts = tuple((one, one.attempt_started) for one in instruments)
        self._own = tuple(own)
        # What is reported to a listener that ignores it costs a call, three in each request.
        self._sent = tuple(one.attempt_sent for one in own if _handles(one.attempt_sent))
        outward = tuple(reversed(self._own))
        answered = (one.attempt_answered for one in outward)
        self._answered = tuple(filter(_handles, answered))
        self._ended = tuple(one.call_answered for one in outward)
        self.see_attempts: Final = bool(self._attempts or self._sent or self._answered)
        self._failed = tuple(one.call_failed for one in outward)

    def call_started(self, call: HTTPCall) -> Observations:
        """Report that a call begins; empty if its end matters to no instrument of users."""
        return _report(self._calls, call.started_event()) if self._calls else ()

    def call_answered(
        self, call: HTTPCall, observations: Observations, began: float, answer: HttpResponse
    ) -> None:
        """Report the end of a call that received a response."""
        seconds = call.clock.monotonic() - began
        if observations:
            _report_end(observations, _finished(call, seconds, answer))
        _each(self._ended, call, answer, seconds)
        if call.incoming is not None:
            _await_body(call, observations, self._own, began, seconds, answer)

    def call_failed(
        self,
        call: HTTPCall,
        observations: Observations,
        began: float,
        failure: HTTPFailure | None,
    ) -> None:
        """Report the end of a call that failed, or without a failure that of a cancelled one."""
        finished = _finished(call, call.clock.monotonic() - began, None, failure)
        _report_end(observations, finished)
        _each(self._failed, call, finished)

    def attempt_started(self, call: HTTPCall) -> Observations:
        """Report that an attempt is about to be sent; empty as for a call."""
        call.sends += 1
        if self.timed:
            call.timer = PhaseTimer(call.clock.monotonic)
        _each(self._sent, call)
        if not self._attempts:
            return ()
        started = call.started_event(call.attempts - 1, call.request)
        call.observations = observations = _report(self._attempts, started)
        if started.added:
            call.request = with_added(call.request, started.added)
        return observations

    def attempt_answered(
        self, call: HTTPCall, observations: Observations, began: float, answer: HttpResponse
    ) -> None:
        """Report the response of an attempt."""
        if observations:
            seconds = call.clock.monotonic() - began
            _report_end(observations, _finished(call, seconds, answer))
            if call.incoming is not None:
                _await_body(call, observations, (), began, seconds, answer)
        _each(self._answered, call, answer)

    def attempt_failed(
        self,
        call: HTTPCall,
        observations: Observations,
        began: float,
        failure: HTTPFailure | None,
    ) -> None:
        """Report the end of an attempt without a response; ours ignore it."""
        seconds = call.clock.monotonic() - began
        _report_end(observations, _finished(call, seconds, None, failure))

    def event_occurred(self, event: "LayerEvent") -> None:
        """Report an event of a layer."""
        for instrument in self._events:
            try:
                instrument.event_occurred(event)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                complain(instrument, error)


def _each(methods: Iterable[Callable[[Unpack[Ts]], None]], *args: *Ts) -> None:
    """Call a method of each of our own listeners; one that raises never breaks a call."""
    for method in methods:
        try:
            method(*args)
        except Exception as error:  # noqa: BLE001  # see above
            complain(method, error)


def _handles(method: Callable[..., None]) -> bool:
    """Whether a listener has a method of its own, and not that of `CallListener`."""
    assert isinstance(method, MethodType)  # noqa: S101  # narrows
    return method.__func__ is not vars(CallListener)[method.__name__]


def _finished(
    call: HTTPCall,
    seconds: float,
    answer: HttpResponse | None,
    failure: HTTPFailure | None = None,
) -> RequestFinished:
    streams = answer is not None and call.incoming is not None
    return RequestFinished(seconds, call.attempts, answer, failure, call.timings, streams)


def _await_body(
    call: HTTPCall,
    observations: Observations,
    own: tuple[CallListener, ...],
    began: float,
    seconds: float,
    answer: HttpResponse,
) -> None:
    followers = tuple(o for o in observations if isinstance(o, BodyObservationProtocol))
    call.bodies += (OpenBody(followers, own, began, began + seconds, answer),)


def _report(
    starts: Iterable[tuple[InstrumentProtocol, _Started]], event: RequestStarted
) -> Observations:
    observations = []
    for instrument, started in starts:
        try:
            observation = started(event)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            complain(instrument, error)
        else:
            if observation is not None:
                observations.append(observation)
    return observations


def _report_end(observations: Observations, finished: RequestFinished) -> None:
    for observation in reversed(observations):
        try:
            observation.ended(finished)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            complain(observation, error)


def complain(culprit: object, error: Exception) -> None:
    """Log the exception of an instrument."""
    # Without its text and traceback, which may hold what the request holds.
    culprit = culprit.__self__ if isinstance(culprit, MethodType) else culprit
    _LOG.warning("%s raised %s", type(culprit).__name__, type(error).__name__)


def with_added(request: Request, added: Mapping[str, str]) -> Request:
    """Add the fields of instruments, unless they cannot be sent: they never harm a request."""
    try:
        headers = require_headers(added)
        require_framing(headers, request.body)
    except HTTPValidationError:
        return request
    return request.with_headers(headers)
