"""The one seam through which calls are watched: events, metrics, logs and traces sit on it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeAlias

from railhttp.model.errors import FAILURES, HTTPFailure
from railhttp.model.observation import Dispatch, Ending
from railhttp.model.response import HttpResponse
from railhttp.pipeline.request_log import REQUEST_LOG
from railhttp.pipeline.scope import CallScope
from railhttp.protocols import Clock, InstrumentProtocol, ObservationProtocol

_Started: TypeAlias = Callable[[Dispatch], ObservationProtocol | None]

_LOG: Final = logging.getLogger("railhttp")


class Instruments:
    """Several instruments as one, and the log as the last of them.

    Whatever they raise is logged and goes no further: they never touch a request.

    Args:
        instruments: They hear of a beginning in this order, of an end in reverse.

    Example:
        >>> Instruments().active
        False
    """

    __slots__ = ("_attempts", "_calls", "_logged_attempts", "_logged_calls")

    def __init__(self, instruments: Iterable[InstrumentProtocol] = ()) -> None:
        told = tuple(instruments)
        logged = (*told, REQUEST_LOG)
        self._calls = tuple((one, one.call_started) for one in told)
        self._attempts = tuple((one, one.attempt_started) for one in told)
        self._logged_calls = tuple((one, one.call_started) for one in logged)
        self._logged_attempts = tuple((one, one.attempt_started) for one in logged)

    @property
    def active(self) -> bool:
        """Whether there is anyone to tell; where not, nothing here costs anything."""
        return bool(self._calls) or REQUEST_LOG.is_enabled

    def call_started(self, call: Dispatch) -> "Observations | None":
        """Tell all of a call that begins; None where nobody wants to hear of its end."""
        return _tell(self._logged_calls if REQUEST_LOG.is_enabled else self._calls, call)

    def attempt_started(self, attempt: Dispatch) -> "Observations | None":
        """Tell all of an attempt that is about to be sent; None as for a call."""
        return _tell(self._logged_attempts if REQUEST_LOG.is_enabled else self._attempts, attempt)


class Observations:
    """What all instruments keep of one call or attempt.

    Args:
        observations: Those of the instruments that care.
    """

    __slots__ = ("_observations",)

    def __init__(self, observations: Sequence[ObservationProtocol]) -> None:
        self._observations = observations

    def ended(self, ending: Ending) -> None:
        """Tell all how it ended."""
        for observation in reversed(self._observations):
            try:
                observation.ended(ending)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                _complain(observation, error)


def _tell(
    starts: Iterable[tuple[InstrumentProtocol, _Started]], dispatch: Dispatch
) -> Observations | None:
    observations = []
    for instrument, started in starts:
        try:
            observation = started(dispatch)
        except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
            _complain(instrument, error)
        else:
            if observation is not None:
                observations.append(observation)
    return Observations(observations) if observations else None


def _complain(culprit: object, error: Exception) -> None:
    # Neither its text nor its traceback: they may hold what the request holds.
    _LOG.warning("%s raised %s", type(culprit).__name__, type(error).__name__)


async def observed(
    send: Awaitable[HttpResponse],
    observation: ObservationProtocol,
    call: CallScope,
    clock: Clock,
    cut_off: Callable[[], HTTPFailure | None] = lambda: None,
) -> HttpResponse:
    """Await a call or an attempt, and tell how it ended, whatever happens.

    Args:
        send: What makes it; it is awaited at once.
        observation: Whom to tell.
        call: The call.
        clock: What tells the time.
        cut_off: Says which time limit a cancellation comes from; None where it is none of ours.

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
    except asyncio.CancelledError:
        failure = cut_off()
        raise
    finally:
        observation.ended(Ending(clock.monotonic() - started, call.attempts, answer, failure))
    return received
