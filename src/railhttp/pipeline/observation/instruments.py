"""The one seam through which calls are watched: events, metrics, logs and traces sit on it."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeAlias

from railhttp.model.errors import FAILURES, HTTPFailure
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.response import HttpResponse
from railhttp.pipeline.observation.request_log import REQUEST_LOG
from railhttp.pipeline.scope import CallScope
from railhttp.protocols import Clock, InstrumentProtocol, ObservationProtocol

Observations: TypeAlias = Sequence[ObservationProtocol]
"""What all instruments keep of one call or attempt."""

_Started: TypeAlias = Callable[[RequestStarted], ObservationProtocol | None]

_LOG: Final = logging.getLogger("railhttp")


class Instruments:
    """Several instruments as one, and the log as the last of them.

    Whatever they raise is logged and goes no further: they never touch a request.

    Args:
        instruments: They hear of a beginning in this order, of an end in reverse.

    Example:
        >>> print(Instruments().listening)
        None
    """

    __slots__ = ("_listeners", "_with_log")

    def __init__(self, instruments: Iterable[InstrumentProtocol] = ()) -> None:
        told = tuple(instruments)
        self._listeners = Listeners(told) if told else None
        self._with_log = Listeners((*told, REQUEST_LOG))

    @property
    def listening(self) -> "Listeners | None":
        """Those who want to hear of a call that begins; where there are none it costs nothing."""
        return self._with_log if REQUEST_LOG.is_enabled else self._listeners


class Listeners:
    """Instruments that hear of one call.

    Args:
        instruments: See `Instruments`.
    """

    __slots__ = ("_attempts", "_calls")

    def __init__(self, instruments: Iterable[InstrumentProtocol]) -> None:
        self._calls = tuple((one, one.call_started) for one in instruments)
        self._attempts = tuple((one, one.attempt_started) for one in instruments)

    def call_started(self, call: RequestStarted) -> Observations:
        """Tell all of a call that begins; empty where nobody wants to hear of its end."""
        return _tell(self._calls, call)

    def attempt_started(self, attempt: RequestStarted) -> Observations:
        """Tell all of an attempt that is about to be sent; empty as for a call."""
        return _tell(self._attempts, attempt)


def _tell(
    starts: Iterable[tuple[InstrumentProtocol, _Started]], dispatch: RequestStarted
) -> Observations:
    observations = []
    for instrument, started in starts:
        try:
            observation = started(dispatch)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            _complain(instrument, error)
        else:
            if observation is not None:
                observations.append(observation)
    return observations


def _tell_end(observations: Observations, ending: RequestFinished) -> None:
    for observation in reversed(observations):
        try:
            observation.ended(ending)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            _complain(observation, error)


def _complain(culprit: object, error: Exception) -> None:
    # Neither its text nor its traceback: they may hold what the request holds.
    _LOG.warning("%s raised %s", type(culprit).__name__, type(error).__name__)


async def observed(
    send: Awaitable[HttpResponse],
    observations: Observations,
    call: CallScope,
    clock: Clock,
) -> HttpResponse:
    """Await a call or an attempt, and tell how it ended, whatever happens.

    Args:
        send: What makes it; it is awaited at once.
        observations: Whom to tell.
        call: The call.
        clock: What tells the time.

    Returns:
        What `send` returned; what it raised passes.
    """
    started = clock.monotonic()
    answer: HttpResponse | None = None
    failure: HTTPFailure | None = None
    try:
        answer = received = await send
    except FAILURES as error:
        failure = error
        raise
    finally:
        seconds = clock.monotonic() - started
        _tell_end(observations, RequestFinished(seconds, call.attempts, answer, failure))
    return received
